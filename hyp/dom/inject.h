/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Injection points (F15-F17, F26): each is off until the control domain arms it for one
 * domain; then it counts down the occurrences, or the time, and fires. While nothing is armed anywhere a
 * point costs one load and one test.
 */
#ifndef HYP_DOM_INJECT_H
#define HYP_DOM_INJECT_H

#include "hyp/abi/osmosis.h"

struct domain;

extern u32 inject_armed; /* bits 1 << enum osm_point */

/* Counts an occurrence; the body of inject_fires. */
bool inject_count(u32 point, const struct domain *d);

/* True when the fault of `point` strikes now; d is the domain it happens to, NULL: none. */
static inline bool inject_fires(u32 point, const struct domain *d)
{
    return __builtin_expect(inject_armed & 1u << point, 0) && inject_count(point, d);
}

/* The argument it was armed with. */
u64 inject_arg(u32 point);
/* OSM_OP_inject: arms, disarms, and says how often it has fired. */
int inject_arm(struct osm_inject *i);

#endif
