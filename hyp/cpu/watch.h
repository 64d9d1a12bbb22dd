/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sign of life that the harness looks for; the watchdog (each CPU looks whether its
 * neighbour still turns) and the debug keys of interactive runs. The last two do not exist in
 * `count` and `event`, where nothing may depend on host time but the limit on a vCPU that
 * never exits.
 */
#ifndef HYP_CPU_WATCH_H
#define HYP_CPU_WATCH_H

#include "base/types.h"

/* From the run loop when its timer has fired. */
void watch_tick(u64 now_ns);
/* The earlier of `deadline` and the next look or sign. */
u64 watch_deadline(u64 deadline);
/* Time has begun anew, at 0. */
void watch_restart(void);
/* On the boot CPU, once. */
void watch_init(void);

#endif
