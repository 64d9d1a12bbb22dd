/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the hypervisor keeps a guest from running: its local APIC ticks, and at each tick
 * and at both ends of a call it looks at the clock. A call that takes long has to let ticks
 * in, so what is longest is one stay, and a tick more. One vCPU; nobody else may be runnable.
 */
#ifndef TESTS_RT_GUESTS_WATCH_H
#define TESTS_RT_GUESTS_WATCH_H

#include "base/types.h"

/* Without it the others do nothing. */
void watch_start(u64 tick_ns);
void watch_stop(void);
/* Around a call, or whatever else (named by two numbers) may take long. */
void watch_begin(u64 nr, u64 op);
void watch_end(void);
/* "longest N ticks, in call NR OP" on the console. */
void watch_report(void);

#endif
