/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node's trace records: a ring in the domain's own memory (hyp/abi/osmosis.h), shown
 * to Osmosis, which lets the control domain read it. Full, it overwrites the oldest.
 */
#include "guest/machine/x86/x86.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

bool x86_trace_init(u32 pages)
{
    struct osm_trace_ring where = {.pages = pages};
    struct osm_ring_header *ring = rt_frames(pages);

    if (!ring)
        return false;
    ring->magic = OSM_RING_MAGIC;
    ring->version = OSM_ABI_VERSION;
    ring->capacity = ((u64)pages * FRAME_SIZE - sizeof *ring) / sizeof(struct osm_record);
    where.gfn = rt_physical(ring) >> FRAME_SHIFT;
    if (rt_host() == RT_OSMOSIS && hypercall_osmosis(OSM_OP_trace_ring, &where) < 0)
        return false;
    x86.trace = ring;
    return true;
}

void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b)
{
    struct osm_ring_header *ring = x86.trace;
    struct osm_record *r;

    (void)n;
    if (!ring)
        return;
    r = (struct osm_record *)(ring + 1) + ring->produced % ring->capacity;
    *r = (struct osm_record){.ns = rt_now_ns(), /* all domains have one time line */
                             .type = type,
                             .domid = (u16)rt_started()->domid,
                             .who = who,
                             .a = a,
                             .b = b};
    __atomic_store_n(&ring->produced, ring->produced + 1, __ATOMIC_RELEASE);
}
