/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The captures' way out. The domain whose name stands at /osmosis/capture publishes a ring of
 * bytes at its data/capture as "GFN PAGES"; what is in it goes to the capture stream as it is.
 * Its header is the domain's to write: only what fits the pages that are there is believed.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/control.h"
#include "guest/control/ctl.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"

enum { PAGES_MOST = 1024, PIECE = 16384 };

static struct {
    const struct guest *guest;
    u64 at; /* page number of our mapping; 0: none */
    u32 pages;
    u64 taken;
} ring;

static bool number(const char **text, u64 most, u64 *value)
{
    const char *p = *text;

    for (*value = 0; *p >= '0' && *p <= '9' && *value <= most; p++)
        *value = *value * 10 + (u64)(*p - '0');
    if (p == *text || *value > most)
        return false;
    *text = *p == ' ' ? p + 1 : p;
    return true;
}

/* Whose captures are taken, if it is there. */
static const struct guest *whose(void)
{
    char name[64];
    const struct guest *g = NULL;

    if (!self_read("/osmosis/capture", name, sizeof(name)))
        g = guest_find(name);
    return g && g->built ? g : NULL;
}

/* Where the guest says its ring is. */
static bool place(const struct guest *g, u64 *gfn, u64 *pages)
{
    char path[64], value[64];
    const char *text = value;

    format(path, sizeof(path), "/local/domain/%u/data/capture", g->domid);
    return !self_read(path, value, sizeof(value)) && number(&text, 1ull << 40, gfn) &&
           number(&text, PAGES_MOST, pages) && *pages && !*text;
}

static bool open(void)
{
    const struct guest *g = whose();
    u64 gfn, pages, here;

    if (!g || !place(g, &gfn, &pages))
        return false;
    here = ctl_map_run(g->domid, gfn, (u32)pages);
    if (!here)
        return false;
    ring.guest = g;
    ring.at = here;
    ring.pages = (u32)pages;
    ring.taken = 0;
    return true;
}

bool capture_take(void)
{
    static u8 piece[PIECE];
    struct osm_ring_header *r;
    u64 capacity, produced;

    if (!ring.guest && !open())
        return false;
    r = rt_at(ring.at << 12);
    capacity = __atomic_load_n(&r->capacity, __ATOMIC_RELAXED);
    produced = __atomic_load_n(&r->produced, __ATOMIC_ACQUIRE);
    if (!capacity || capacity > ring.pages * 4096ull - sizeof(*r) ||
        produced - ring.taken > capacity)
        return true;
    while (ring.taken < produced) {
        u64 at = ring.taken % capacity;
        u64 len = MIN(MIN(produced - ring.taken, capacity - at), (u64)PIECE);

        memcpy(piece, (const u8 *)(r + 1) + at, len);
        output(OSM_STREAM_CAPTURE, piece, len);
        ring.taken += len;
    }
    __atomic_store_n(&r->consumed, produced, __ATOMIC_RELEASE);
    return true;
}

void capture_close(const struct guest *g)
{
    if (ring.guest != g)
        return;
    capture_take();
    ctl_unmap_run(ring.at, ring.pages);
    ring.guest = NULL;
    ring.at = 0;
}
