/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace records of a node in a domain: a ring in the domain's own memory
 * (hyp/abi/osmosis.h), shown to Osmosis, which lets the control domain read it. Full, it
 * overwrites the oldest.
 */
#ifndef GUEST_MACHINE_TRACE_H
#define GUEST_MACHINE_TRACE_H

#include "base/types.h"

struct osm_ring_header;

/* The ring that the command line asks for (trace=PAGES, and stop=TYPES where its reader wants to act
 * on some records before anything else happens); NULL: it asks for none. Panics when there is no
 * memory for it. */
struct osm_ring_header *trace_open(void);
/* Adds a record of this moment. */
void trace_add(struct osm_ring_header *ring, u16 type, u32 who, u64 a, u64 b);
/* The same; nothing without a ring, which the paths that messages take look at here. */
static inline void trace_put(struct osm_ring_header *ring, u16 type, u32 who, u64 a, u64 b)
{
    if (ring)
        trace_add(ring, type, who, a, b);
}

/* The domain is another one, in which nothing of the ring has been taken. */
void trace_begin_again(struct osm_ring_header *ring);

#endif
