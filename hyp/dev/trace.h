/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trace records of the hypervisor. Each CPU keeps a small ring of its last records for
 * post-mortems; with a class switched on (OSM_OP_trace_ctl) they also go to the full ring,
 * which the control domain drains.
 */
#ifndef HYP_DEV_TRACE_H
#define HYP_DEV_TRACE_H

#include "hyp/abi/osmosis.h"

/* Bits 1 << (type >> 8) that are recorded in full, of all domains or of some. */
extern u32 trace_classes;

/* Appends a record on this CPU; `who` is the vCPU or object, domid the domain concerned.
 * Called directly it is recorded whatever the classes: for what happens seldom. */
void trace_write(u16 type, u16 domid, u32 who, u64 a, u64 b);

/* The same if the record's class is on for its domain. */
void trace_wanted(u16 type, u16 domid, u32 who, u64 a, u64 b);

/* For what happens often: a load and a test while its class is off everywhere. */
static inline void trace(u16 type, u16 domid, u32 who, u64 a, u64 b)
{
    if (__builtin_expect(trace_classes & 1u << (type >> 8), 0))
        trace_wanted(type, domid, who, a, b);
}

/* Which classes are recorded of every domain; and beyond those, of one. */
void trace_set_classes(u32 classes);
void trace_set_domain(u16 domid, u32 classes);
/* Copies out up to `capacity` of the oldest records not drained yet, over all CPUs; *lost
 * counts those overwritten since the last drain. Returns how many. */
u32 trace_drain(struct osm_record *to, u32 capacity, u64 *lost);
/* A domain has said where its own ring lies; how often any has. */
void trace_ring_said(void);
u64 trace_rings_said(void);
/* What was recorded so far came before time zero, by a clock that depends on the boot. */
void trace_time_begins(void);
/* This CPU's last records, to the log. */
void trace_dump(void);
/* Once, before any CPU writes a record. */
void trace_init(void);

#endif
