/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Caps: a group's budget of time per period, and its debts. Each group has its own lock, which is
 * innermost.
 */
#include "hyp/dom/sched_parts.h"

static s64 budget(const struct sched_group *g)
{
    return (s64)(SCHED_PERIOD_NS / 100 * MAX(g->cap, 1u));
}

/* Lets whole periods pass: each pays back one budget, and none is saved up. */
static void refill(struct sched_group *g, u64 now_ns)
{
    u64 period = now_ns / SCHED_PERIOD_NS;

    if (period > g->period) {
        u64 debts = g->spent_ns > 0 ? (u64)g->spent_ns / (u64)budget(g) : 0;
        u64 passed = period - g->period;

        g->spent_ns = passed > debts ? 0 : g->spent_ns - (s64)passed * budget(g);
        g->period = period;
    }
}

bool sched_group_set(struct sched_group *g, u32 weight, u32 cap, u64 now_ns)
{
    if (weight < 1 || weight > SCHED_WEIGHT_MAX || cap > 100 * SCHED_CPUS)
        return false;
    spin_lock(&g->lock);
    g->weight = weight;
    g->cap = cap;
    g->spent_ns = 0;
    g->period = now_ns / SCHED_PERIOD_NS;
    spin_unlock(&g->lock);
    return true;
}

u64 sched_allowance(struct sched *s, struct sched_group *g, u64 now_ns, u64 *until)
{
    u64 left = SCHED_NEVER;

    if (!capped(s, g))
        return left;
    spin_lock(&g->lock);
    refill(g, now_ns);
    if (g->spent_ns < budget(g)) {
        left = (u64)(budget(g) - g->spent_ns);
    } else {
        *until = (g->period + (u64)g->spent_ns / (u64)budget(g)) * SCHED_PERIOD_NS;
        left = 0;
    }
    spin_unlock(&g->lock);
    return left;
}

void sched_spend(struct sched_group *g, u64 ran_ns, u64 now_ns)
{
    spin_lock(&g->lock);
    g->spent_ns += (s64)ran_ns;
    refill(g, now_ns);
    spin_unlock(&g->lock);
}
