/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * This CPU's own local APIC: its timer, and interrupts to other CPUs. Uses x2APIC mode
 * where the processor has it, else the register page.
 */
#ifndef HYP_CPU_APIC_H
#define HYP_CPU_APIC_H

#include "base/types.h"

void apic_init(void);     /* once, on the boot CPU */
void apic_init_cpu(void); /* on each CPU */
u32 apic_id(void);
void apic_eoi(void);
void apic_send(u32 apic_id, u8 vector);
void apic_nmi_others(void);
/* Wakes a CPU that has never run: INIT, then SIPI to the page number `start`. */
void apic_start_cpu(u32 apic_id, u8 start);
/* Counts down `ticks` once; 0 stops. One tick is 1/apic_timer_khz ms. */
void apic_timer(u32 ticks);
u32 apic_timer_now(void);

#endif
