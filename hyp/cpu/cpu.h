/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each physical CPU keeps for itself. It lies at the bottom of the CPU's stack, so
 * that no segment register is needed to find it: the guest's FS, GS and TR stay loaded
 * while the hypervisor works (AMD APM vol. 2, 15.5: VMRUN and #VMEXIT leave them alone).
 */
#ifndef HYP_CPU_CPU_H
#define HYP_CPU_CPU_H

#include "base/types.h"

enum { CPU_STACK_SIZE = 16384, CPUS_MAX = 256 };
#define CPU_CANARY 0x7961706c61697465ull

struct vcpu;

struct cpu {
    u32 id, apic_id;
    struct vcpu *vcpu;   /* whose turn it is; NULL while idle */
    struct vcpu *loaded; /* whose processor state is in the registers (virt/) */
    u64 host_save;       /* machine address, for the vendor's world switch */
    u32 asid_next, asid_generation;
    bool kicked;       /* somebody wants this CPU to look at its run queue */
    bool timer_fired;  /* since the run loop last looked */
    bool timer_stale;  /* a deadline may lie before what the timer is set to */
    u32 heartbeat;     /* grows with every turn of the run loop: the watchdog looks */
    u64 deadline_ns;   /* what the timer is set to; ~0 = off, or it has fired */
    u64 host_since_ns; /* `event`: host time since which its vCPU has only computed; 0 = not */
    u64 canary;        /* last: the stack grows down towards it */
};

static inline struct cpu *this_cpu(void)
{
    u64 sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct cpu *)(sp & ~((u64)CPU_STACK_SIZE - 1));
}

/* cpu_count, cpu_kick and what else dom/ needs: dom/platform.h. */
struct cpu *cpu_of(u32 id);
/* Waits for an interrupt with nothing to run. Returns with interrupts off again. */
void cpu_idle(void);
/* Takes the interrupts that are pending now, then goes on without. */
void cpu_take_interrupts(void);

#endif
