/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer queues, one per CPU, each under its lock. A timer that is firing is in no queue;
 * `firing` lets timer_stop wait for it, so that its owner may go away.
 */
#include "hyp/dom/platform.h"
#include "hyp/dom/sched.h"
#include "hyp/dom/timer.h"

static struct timer_queue {
    struct spinlock lock;
    struct order order;
    struct timer *firing;
} queues[SCHED_CPUS];

/* Locks the timer's queue and, in the order of the CPUs, that of `cpu`. */
static void lock_pair(struct timer *t, u32 *own, u32 cpu)
{
    for (;;) {
        u32 old = __atomic_load_n(&t->cpu, __ATOMIC_RELAXED);

        spin_lock(&queues[MIN(old, cpu)].lock);
        if (old != cpu)
            spin_lock(&queues[MAX(old, cpu)].lock);
        *own = old;
        if (t->cpu == old)
            return;
        if (old != cpu)
            spin_unlock(&queues[MAX(old, cpu)].lock);
        spin_unlock(&queues[MIN(old, cpu)].lock);
    }
}

void timer_set(struct timer *t, u32 cpu, u64 deadline_ns)
{
    u32 old;
    bool moved;

    lock_pair(t, &old, cpu);
    order_remove(&queues[old].order, &t->node);
    t->cpu = cpu;
    order_add(&queues[cpu].order, &t->node, deadline_ns);
    moved = order_first(&queues[cpu].order) == &t->node;
    if (old != cpu)
        spin_unlock(&queues[old].lock);
    spin_unlock(&queues[cpu].lock);
    if (moved)
        cpu_deadline_moved(cpu, deadline_ns);
}

void timer_stop(struct timer *t)
{
    u32 cpu;

    lock_pair(t, &cpu, t->cpu);
    order_remove(&queues[cpu].order, &t->node);
    spin_unlock(&queues[cpu].lock);
    while (cpu != cpu_id() && __atomic_load_n(&queues[cpu].firing, __ATOMIC_ACQUIRE) == t)
        __builtin_ia32_pause();
}

u64 timer_next(u32 cpu)
{
    struct order_node *first;
    u64 deadline;

    spin_lock(&queues[cpu].lock);
    first = order_first(&queues[cpu].order);
    deadline = first ? first->key : TIMER_NEVER;
    spin_unlock(&queues[cpu].lock);
    return deadline;
}

void timer_run(u32 cpu, u64 now_ns)
{
    struct timer_queue *q = &queues[cpu];
    struct order_node *first;

    spin_lock(&q->lock);
    while ((first = order_first(&q->order)) && first->key <= now_ns) {
        struct timer *t = container_of(first, struct timer, node);

        order_remove(&q->order, first);
        q->firing = t;
        spin_unlock(&q->lock);
        t->fire(t, now_ns);
        spin_lock(&q->lock);
        __atomic_store_n(&q->firing, NULL, __ATOMIC_RELEASE);
    }
    spin_unlock(&q->lock);
}
