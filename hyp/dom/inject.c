/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One arming per point: an experiment that wants more re-arms when it has fired.
 */
#include "hyp/dom/inject.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/platform.h"

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

u64 inject_arg(u32 point)
{
    return points.armed[point].arg;
}

int inject_arm(struct osm_inject *i)
{
    u64 fired;

    if (i->point >= OSM_POINTS)
        return -XEN_EINVAL;
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
