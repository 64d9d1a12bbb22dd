/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring of a node's trace records. See trace.h.
 */
#include "guest/machine/trace.h"
#include "guest/machine/frames.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

#define TAKEN_NS 100000

static u32 ring_pages(void)
{
    return (u32)rt_option_number("trace", 0);
}

static void show(const struct osm_ring_header *ring)
{
    struct osm_trace_ring where = {.gfn = rt_physical(ring) >> FRAME_SHIFT,
                                   .pages = ring_pages()};

    if (rt_host() == RT_OSMOSIS && hypercall_osmosis(OSM_OP_trace_ring, &where) < 0)
        rt_panic("a trace ring of %u pages is not taken", where.pages);
}

struct osm_ring_header *trace_open(void)
{
    u32 pages = ring_pages();
    struct osm_ring_header *ring = pages ? rt_frames(pages) : NULL;

    if (!pages)
        return NULL;
    if (!ring)
        rt_panic("a trace ring of %u pages cannot be had", pages);
    ring->magic = OSM_RING_MAGIC;
    ring->version = OSM_ABI_VERSION;
    ring->capacity = ((u64)pages * FRAME_SIZE - sizeof *ring) / sizeof(struct osm_record);
    ring->watch = rt_option_number("stop", 0);
    show(ring);
    return ring;
}

void trace_begin_again(struct osm_ring_header *ring)
{
    ring->produced = ring->consumed = 0;
    ring->stands = 0;
    show(ring);
}

static u64 clock_true_ns(void)
{
    struct osm_clock_info info;

    return hypercall_osmosis(OSM_OP_clock, &info) < 0 ? rt_shown_ns() : info.now_ns;
}

/* From which its reader knows the time that all share. */
static u64 stamp_ns(const struct osm_ring_header *ring)
{
    return __builtin_expect(ring->stands != 0, 0) && rt_host() == RT_OSMOSIS ? clock_true_ns()
                                                                             : rt_shown_ns();
}

/* Somebody waits for records like the last: nothing happens here before they have seen it. No
 * handler runs meanwhile. */
static void wait_taken(struct osm_ring_header *ring)
{
    while (__atomic_load_n(&ring->watch, __ATOMIC_RELAXED) &&
           __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE) != ring->produced) {
        struct sched_poll poll = {.timeout = rt_shown_ns() + TAKEN_NS};

        rt_store_poke();
        if (ring->stands) /* no time-out would come */
            hypercall_sched_op(SCHEDOP_yield, NULL);
        else
            hypercall_sched_op(SCHEDOP_poll, &poll);
    }
}

void trace_add(struct osm_ring_header *ring, u16 type, u32 who, u64 a, u64 b)
{
    struct osm_record *r = (struct osm_record *)(ring + 1) + ring->produced % ring->capacity;

    *r = (struct osm_record){.ns = stamp_ns(ring),
                             .type = type,
                             .domid = (u16)rt_started()->domid,
                             .who = who,
                             .a = a,
                             .b = b};
    __atomic_store_n(&ring->produced, ring->produced + 1, __ATOMIC_RELEASE);
    if (__builtin_expect(ring->watch != 0, 0) && ring->watch & OSM_WATCH(type) &&
        rt_host() == RT_OSMOSIS)
        wait_taken(ring);
}
