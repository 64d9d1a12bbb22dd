/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace records. Each CPU has a small ring that is always on, for post-mortems; with a
 * class switched on (OSM_OP_trace_ctl) records also go to the full ring, which the control
 * domain drains.
 */
#ifndef HYP_DEV_TRACE_H
#define HYP_DEV_TRACE_H

#include "hyp/abi/osmosis.h"

extern u32 trace_classes; /* bit set; of the hypervisor's own full trace */

void trace_record(enum osm_trace type, u16 domid, u32 who, u64 a, u64 b);

/* For what happens often: costs a load and a test while its class is off. */
static inline void trace_often(enum osm_trace type, u16 domid, u32 who, u64 a, u64 b)
{
    if (__builtin_expect(trace_classes >> (type >> 8) & 1, 0))
        trace_record(type, domid, who, a, b);
}

/* Copies up to `capacity` of the oldest undrained records; *lost counts those overwritten
 * since the last drain. Returns how many. */
u32 trace_drain(struct osm_record *to, u32 capacity, u64 *lost);
void trace_set_classes(u32 classes);
/* The last records of this CPU's small ring, to the log. */
void trace_dump(void);
void trace_init(void);

/* Every negative errno on its way to a guest passes here, so that the trace says where it
 * was decided: `return fail(-EINVAL);` */
#define fail(error) trace_fail((error), __LINE__)
static inline int trace_fail(int error, u32 line)
{
    trace_often(OSM_T_error, 0x7ff2 /* DOMID_XEN */, 0, (u64)(s64)error, line);
    return error;
}

#endif
