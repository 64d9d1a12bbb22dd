/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two rings. A full trace ring overwrites its oldest records; a full capture ring takes no
 * more blocks, and counts them, as half a pcapng block would spoil all that follow.
 */
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "net/fabric/outlet.h"

static struct osm_ring_header *ring(u32 pages, u64 unit)
{
    struct osm_ring_header *r = pages ? rt_frames(pages) : NULL;

    if (!r)
        return NULL;
    r->magic = OSM_RING_MAGIC;
    r->version = OSM_ABI_VERSION;
    r->capacity = ((u64)pages * 4096 - sizeof(*r)) / unit;
    return r;
}

bool outlet_open(struct outlet *o, u32 trace_pages, u32 capture_pages)
{
    struct osm_trace_ring where = {.pages = trace_pages};

    o->trace = ring(trace_pages, sizeof(struct osm_record));
    o->bytes = ring(capture_pages, 1);
    if ((trace_pages && !o->trace) || (capture_pages && !o->bytes))
        return false;
    if (o->trace) {
        where.gfn = rt_physical(o->trace) >> 12;
        if (rt_host() == RT_OSMOSIS && hypercall_osmosis(OSM_OP_trace_ring, &where) < 0)
            return false;
    }
    if (!o->bytes)
        return true;
    capture_init(&o->capture, o);
    return rt_store_printf(0, "data/capture", "%lu %u", rt_physical(o->bytes) >> 12,
                           capture_pages) >= 0;
}

void outlet_trace(struct outlet *o, u64 ns, u16 type, u32 who, u64 a, u64 b)
{
    struct osm_ring_header *t = o->trace;
    struct osm_record *r;

    if (!t)
        return;
    r = (struct osm_record *)(t + 1) + t->produced % t->capacity;
    *r = (struct osm_record){ns, type, (u16)rt_started()->domid, who, a, b};
    __atomic_store_n(&t->produced, t->produced + 1, __ATOMIC_RELEASE);
}

void capture_up_bytes(struct capture *c, const void *bytes, size_t len)
{
    struct outlet *o = c->owner;
    struct osm_ring_header *r = o->bytes;
    u64 used = r->produced - __atomic_load_n(&r->consumed, __ATOMIC_ACQUIRE);
    u64 at = r->produced % r->capacity, first = MIN((u64)len, r->capacity - at);

    if (used > r->capacity || len > r->capacity - used) {
        r->lost++;
        o->lost_blocks++;
        return;
    }
    memcpy((u8 *)(r + 1) + at, bytes, first);
    memcpy((u8 *)(r + 1), (const u8 *)bytes + first, len - first);
    __atomic_store_n(&r->produced, r->produced + len, __ATOMIC_RELEASE);
}
