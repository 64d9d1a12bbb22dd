/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's timers: single shot (vcpu_op and set_timer_op), periodic, SCHEDOP_poll's time-out,
 * the local APIC's; and a domain's watchdogs.
 */
#ifndef HYP_DOM_TIMERS_H
#define HYP_DOM_TIMERS_H

#include "hyp/dom/domain.h"

void vcpu_init_timers(struct vcpu *v);
/* Waits until none of them fires any more. */
void vcpu_stop_timers(struct vcpu *v);
/* Deadlines and periods are by the guest's own clock (guest_clock.h). 0: stop. */
void vcpu_set_single(struct vcpu *v, u64 deadline_ns);
/* period 0: stop. -EINVAL below a millisecond, as Xen has it. */
int vcpu_set_periodic(struct vcpu *v, u64 period_ns);
/* set_timer_op: in the past fires at once; absurdly far in the future, in 100 ms: so much
 * is a wrapped sum in the guest, and Xen does the same. */
void vcpu_set_timer_op(struct vcpu *v, u64 deadline_ns);
/* The watchdog protocol of SCHEDOP_watchdog: id 0 and a time-out takes a new one; returns
 * its id, 0, or an error. */
s64 domain_watchdog(struct domain *d, u32 id, u32 timeout_s);

#endif
