/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: Xen's pvclock under a hypervisor; natively the TSC, its rate measured against the
 * PIT, and the local APIC's timer. One alarm, which the image's own timer queue arms.
 */
#ifndef GUEST_RT_TIME_H
#define GUEST_RT_TIME_H

#include "base/types.h"

/* Nanoseconds of system time; never goes back, even if the hypervisor's clock does. */
u64 rt_now_ns(void);
/* What that clock shows. */
u64 rt_shown_ns(void);
/* Nanoseconds since 1970, by the hypervisor's wall clock; natively since the start. */
u64 rt_wall_ns(void);
/* Who is called, inside rt_wait, when the alarm is due. */
void rt_alarm_handler(void (*fn)(void *arg), void *arg);
/* Moves the alarm to `deadline_ns`; RT_NEVER turns it off. */
void rt_alarm_set(u64 deadline_ns);
#define RT_NEVER (~0ull)
u64 rt_tsc_khz(void);
void rt_time_init(void);
/* suspend.c: in another domain, where no timer is set. */
void rt_time_begin_again(void);

#endif
