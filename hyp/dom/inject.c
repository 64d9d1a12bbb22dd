/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One arming per point: an experiment that wants more re-arms when it has fired. All points
 * but one count occurrences; OSM_POINT_instant is a timer, which in `count` strikes at a
 * chosen instruction.
 */
#include "hyp/dom/inject.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/timer.h"
#include "hyp/dom/vcpu.h"

enum { EVERY_LEAST = 1000, AFTER_SHIFT = 62 }; /* in ns */

u32 inject_armed;

static struct {
    struct spinlock lock;
    struct osm_inject armed[OSM_POINTS];
} points;

bool inject_count(u32 point, const struct domain *d)
{
    struct osm_inject *i = &points.armed[point];
    bool fires;

    spin_lock(&points.lock);
    fires = i->after && (i->domid == OSM_ALL_DOMAINS || (d && d->id == i->domid)) &&
            !--i->after;
    if (fires) {
        i->fired++;
        i->after = i->every;
        if (!i->after)
            __atomic_and_fetch(&inject_armed, ~(1u << point), __ATOMIC_RELAXED);
    }
    spin_unlock(&points.lock);
    if (fires)
        trace_write(OSM_T_inject, d ? d->id : DOMID_XEN, point, points.armed[point].arg, 0);
    return fires;
}

/* Whether some vCPU of the armed domain was on a CPU, which it now gives away. */
static bool preempt(const struct osm_inject *i)
{
    struct domain *d = domain_find(i->domid);
    bool any = false;

    if (!d)
        return false;
    for (u32 v = 0; v < d->vcpu_count; v++)
        if (i->vcpu == 0xffff || i->vcpu == v)
            any |= vcpu_preempt(d->vcpu[v]);
    domain_put(d);
    return any;
}

static void at_instant(struct timer *t, u64 now_ns)
{
    struct osm_inject *i = &points.armed[OSM_POINT_instant];
    bool fires;

    spin_lock(&points.lock);
    fires = i->after && preempt(i);
    i->fired += fires;
    i->after = i->after ? i->every : 0;
    if (i->after)
        timer_set(t, t->cpu, MAX(t->node.key + i->every, now_ns + 1));
    spin_unlock(&points.lock);
    if (fires)
        trace_write(OSM_T_inject, i->domid, OSM_POINT_instant, 0, 0);
}

static struct timer instant = {.fire = at_instant};

static int arm_instant(struct osm_inject *i)
{
    struct osm_inject *armed = &points.armed[OSM_POINT_instant];

    if (i->after >> AFTER_SHIFT || i->every >> AFTER_SHIFT ||
        (i->every && i->every < EVERY_LEAST))
        return -XEN_EINVAL;
    spin_lock(&points.lock);
    i->fired = armed->fired;
    *armed = *i;
    if (i->after)
        timer_set(&instant, cpu_id(), clock_now_ns() + i->after);
    spin_unlock(&points.lock);
    if (!i->after)
        timer_stop(&instant);
    return 0;
}

u64 inject_arg(u32 point)
{
    return points.armed[point].arg;
}

int inject_arm(struct osm_inject *i)
{
    u64 fired;

    if (i->point >= OSM_POINTS)
        return -XEN_EINVAL;
    if (i->point == OSM_POINT_instant)
        return arm_instant(i);
    spin_lock(&points.lock);
    fired = points.armed[i->point].fired;
    i->fired = fired;
    points.armed[i->point] = *i;
    if (i->after)
        __atomic_or_fetch(&inject_armed, 1u << i->point, __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&inject_armed, ~(1u << i->point), __ATOMIC_RELAXED);
    spin_unlock(&points.lock);
    return 0;
}
