/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: something to be done at an instant of system time. One queue per CPU; a timer
 * fires on the CPU it was set on, outside any guest.
 *
 * Setting and stopping is allowed from any CPU; each timer belongs to an object whose
 * owner makes sure that it is stopped before the object goes away.
 */
#ifndef HYP_DOM_TIMER_H
#define HYP_DOM_TIMER_H

#include "hyp/cpu/spinlock.h"
#include "hyp/dom/order.h"

#define TIMER_NEVER (~0ull)

struct timer {
    struct order_node node;
    u32 cpu; /* whose queue holds it */
    void (*fire)(struct timer *t, u64 now_ns);
};

/* Sets or moves a timer to `deadline_ns` on CPU `cpu`. A deadline in the past fires soon. */
void timer_set(struct timer *t, u32 cpu, u64 deadline_ns);
/* After this the timer does not fire; harmless when it was not set. */
void timer_stop(struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return order_in(&t->node);
}
/* The earliest deadline on this CPU, or TIMER_NEVER. */
u64 timer_next(u32 cpu);
/* Fires, on the calling CPU `cpu`, what is due. */
void timer_run(u32 cpu, u64 now_ns);

#endif
