/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place where time enters; dom/platform.h declares what dom/ reads of it. Three
 * modes (DESIGN section 4): `real` reads the TSC, `count` the machine's instruction counter
 * (the same instruction, another meaning), and `event` a number that only clock_advance and
 * trapped clock reads move. System time starts at zero when a plan is taken.
 */
#ifndef HYP_CPU_CLOCK_H
#define HYP_CPU_CLOCK_H

#include "hyp/abi/osmosis.h"
#include "hyp/dom/platform.h"

/* Guest TSC = host TSC + this: guests' counters start with the run. */
u64 clock_tsc_offset(void);
/* `event`: what a trapped RDTSC answers; time moves a fixed step with it. */
u64 clock_trapped_tsc(void);
/* `event`: nothing can run before `ns`; time jumps there. */
void clock_advance(u64 ns);
/* A plan was taken: system time is zero from here on. */
void clock_restart(void);
/* On the boot CPU, after the interrupt controller; reads `clock=` and calibrates. */
void clock_init(void);
/* Host time for time limits that no guest sees, in nanoseconds. */
u64 clock_host_ns(void);
/* `event`: host time after which a vCPU that never exits ends the run (compute-limit=). */
u64 clock_compute_limit_ns(void);
/* Busy-waits; for start-up only. */
void clock_delay_us(u32 us);

/* This CPU's timer interrupt comes at `ns` (at once if that has passed), or before: one that
 * stands earlier is left alone, because those that switch often would set it each time. */
void timer_program(u64 ns);

/* `count`: after a halt, begun at `halted_ns`, that the timer ended, goes on at an instant that
 * depends on nothing but when that was to be. */
void clock_settle(u64 halted_ns);

#endif
