/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace records of the hypervisor: per-CPU rings of struct osm_record. Writing costs one
 * test when the class is off; a small ring of the last records is always kept for
 * post-mortems by trace_always.
 */
#ifndef HYP_DEV_TRACE_H
#define HYP_DEV_TRACE_H

#include "hyp/abi/osmosis.h"

extern u32 trace_classes; /* bits 1 << (type >> 8) that are recorded in full */

/* Appends a record on this CPU; `who` is the vCPU or object, domid the domain concerned. */
void trace_write(u16 type, u16 domid, u32 who, u64 a, u64 b);

static inline void trace(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    if (__builtin_expect(trace_classes & 1u << (type >> 8), 0))
        trace_write(type, domid, who, a, b);
}

#endif
