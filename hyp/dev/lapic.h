/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC a PVH guest sees: registers by page (xAPIC) or MSR (x2APIC), IPIs, INIT
 * and SIPI, the timer, EOI. The state is plain; what reaches other vCPUs goes through the functions
 * at the end, so host tests drive it alone.
 */
#ifndef HYP_DEV_LAPIC_H
#define HYP_DEV_LAPIC_H

#include "base/types.h"

struct vcpu;

#define LAPIC_BASE     0xfee00000ull
#define LAPIC_MSR_BASE 0x1bu
#define LAPIC_MSR_X2   0x800u /* 0x800-0x8ff */

struct lapic {
    u32 id;       /* the vCPU's: Xen gives 2 * vcpu, and so do the ACPI tables */
    u64 base_msr; /* IA32_APIC_BASE */
    u32 irr[8], isr[8], tmr[8];
    u32 tpr, svr, esr, esr_pending, ldr, dfr;
    u32 icr_low, icr_high;
    u32 lvt[7]; /* CMCI, timer, thermal, performance, LINT0, LINT1, error */
    u32 divide;
    u32 initial_count;
    u64 timer_start_ns; /* of the present period */
    u32 sipi_vector;
    bool wait_for_sipi;
};

void lapic_init(struct lapic *l, u32 id, bool bootstrap);
/* A 32-bit register at a page offset. False: reserved (xAPIC: reads 0, writes nothing;
 * x2APIC: #GP). `v` owns l. */
bool lapic_read(struct vcpu *v, u32 offset, u32 *value);
bool lapic_write(struct vcpu *v, u32 offset, u32 value);
/* MSR 0x1b and 0x800-0x8ff; false: inject #GP. */
bool lapic_rdmsr(struct vcpu *v, u32 msr, u64 *value);
bool lapic_wrmsr(struct vcpu *v, u32 msr, u64 value);
/* The highest vector that may be delivered, or -1. */
int lapic_pending(const struct lapic *l);
void lapic_take(struct lapic *l, int vector); /* request becomes in-service */
/* A vector arrives, edge triggered; from any CPU. */
void lapic_raise(struct vcpu *v, u8 vector);
void lapic_timer_fires(struct vcpu *v, u64 now_ns);
void lapic_set_tpr(struct vcpu *v, u32 tpr);

/* INIT: the vCPU stops and is reset; SIPI: starts in real mode at vector << 12. Supplied by
 * dom/vcpu.c. */
void vcpu_init_signal(struct vcpu *v);
void vcpu_startup_signal(struct vcpu *v, u8 vector);
void vcpu_nmi_signal(struct vcpu *v);

#endif
