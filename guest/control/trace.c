/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace's way out: the hypervisor's records, and each domain's own ring, which it showed
 * to the hypervisor and we map. A ring's header is its domain's to write: it is read once,
 * and what it claims is checked against the pages there are.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

enum { RECORDS = 256, PAGES_MOST = 64 };
#define PERIOD_NS 10000000ull

static struct osm_record records[RECORDS];
static u64 next_ns;
static bool capturing; /* somebody's captures are taken, too */
static u32 rings;      /* of domains, mapped */
static u64 said;       /* how often domains have said where theirs are */
static u64 seen;       /* the same at the last look for new ones */
static bool unmapped;  /* one was found then, and there was no room for it */

void trace_hypervisor(void)
{
    struct osm_trace_drain t = {.buffer = (u64)records, .capacity = RECORDS};

    do {
        if (hypercall_osmosis(OSM_OP_trace_drain, &t))
            return;
        control.trace_lost += t.lost;
        said = t.rings;
        if (t.count)
            output(OSM_STREAM_TRACE, records, t.count * sizeof(records[0]));
    } while (t.count == RECORDS);
}

/* Records of another version would be taken for what they are not: an image of another tree than
 * ours is told of once, and its ring left alone. */
static bool refused(struct guest *g, const struct osm_ring_header *ring)
{
    u32 magic = __atomic_load_n(&ring->magic, __ATOMIC_RELAXED);
    u32 version = __atomic_load_n(&ring->version, __ATOMIC_RELAXED);
    char why[96];
    struct json j;

    g->trace_refused = magic != OSM_RING_MAGIC || version != OSM_ABI_VERSION;
    if (!g->trace_refused)
        return false;
    format(why, sizeof(why),
           "its trace is of version %u, not %u: build image and control alike",
           magic == OSM_RING_MAGIC ? version : 0, OSM_ABI_VERSION);
    result_begin(&j, "error");
    json_text(&j, "name", g->name);
    json_number(&j, "domid", g->domid);
    json_text(&j, "error", why);
    result_end(&j);
    return true;
}

/* Finds and maps the ring, when the domain has one by now. */
static bool open_ring(struct guest *g)
{
    struct osm_trace_where w = {.domid = g->domid};
    u64 here;

    if (hypercall_osmosis(OSM_OP_trace_where, &w) || !w.pages || w.pages > PAGES_MOST)
        return false;
    here = ctl_map_run(g->domid, w.gfn, w.pages);
    unmapped |= !here;
    if (!here)
        return false;
    if (refused(g, rt_at(here << 12))) {
        ctl_unmap_run(here, w.pages);
        return false;
    }
    rings++;
    g->trace_gfn = here;
    g->trace_pages = w.pages;
    trace_stands(g);
    return true;
}

void trace_stands(struct guest *g)
{
    struct osm_ring_header *ring;

    if (!g->trace_gfn)
        return;
    ring = rt_at(g->trace_gfn << 12);
    __atomic_store_n(&ring->stands, clock_stands(g), __ATOMIC_RELAXED);
}

void trace_close(struct guest *g)
{
    g->trace_refused = false;
    if (!g->trace_gfn)
        return;
    trace_guest(g);
    ctl_unmap_run(g->trace_gfn, g->trace_pages);
    rings--;
    g->trace_gfn = g->trace_taken = 0;
    g->trace_pages = 0;
}

/* What was written since the last time; what was overwritten meanwhile is counted lost. */
void trace_guest(struct guest *g)
{
    struct osm_ring_header *ring;
    u64 capacity, produced, room;

    if (g->trace_refused || (!g->trace_gfn && !open_ring(g)))
        return;
    ring = rt_at(g->trace_gfn << 12);
    room = (g->trace_pages * 4096ull - sizeof(*ring)) / sizeof(struct osm_record);
    capacity = __atomic_load_n(&ring->capacity, __ATOMIC_RELAXED);
    produced = __atomic_load_n(&ring->produced, __ATOMIC_ACQUIRE);
    if (!capacity || capacity > room || produced < g->trace_taken)
        return;
    if (produced - g->trace_taken > capacity) {
        control.trace_lost += produced - g->trace_taken - capacity;
        g->trace_taken = produced - capacity;
    }
    while (g->trace_taken < produced) {
        u64 at = g->trace_taken % capacity;
        u64 count = MIN(MIN(produced - g->trace_taken, capacity - at), (u64)RECORDS);

        memcpy(records, (struct osm_record *)(ring + 1) + at, count * sizeof(records[0]));
        for (u64 i = 0; i < count; i++) {
            records[i].domid = g->domid; /* nobody writes in another's name */
            records[i].ns = clock_true(g, records[i].ns);
            plan_on_record(g, &records[i]);
        }
        output(OSM_STREAM_TRACE, records, count * sizeof(records[0]));
        g->trace_taken += count;
    }
    if (ring->watch && !plan_watches(g))
        __atomic_store_n(&ring->watch, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&ring->consumed, produced, __ATOMIC_RELEASE);
}

void trace_all(void)
{
    u64 now;

    trace_hypervisor();
    now = said + unmapped;
    unmapped = false;
    list_for_each(at, &control.guests)
    {
        struct guest *g = list_entry(at, struct guest, link);

        /* Who has none is not asked again before somebody has a new one: there may be a thousand. */
        if (g->built && (g->trace_gfn || now != seen))
            trace_guest(g);
    }
    seen = said;
    capturing = capture_take();
}

/* Rings are looked at now and then while any domain has one; the last look is at its end. */
u64 trace_due(void)
{
    u64 now = rt_now_ns();

    if (now >= next_ns) {
        next_ns = now + PERIOD_NS;
        trace_all();
    }
    return rings || control.traced || capturing ? next_ns : RT_NEVER;
}
