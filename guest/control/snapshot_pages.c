/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a domain to a snapshot, and back: what its pages hold, and its vCPUs' context. Pages of
 * zeros are left out, and those of its toolstack, which are made anew.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/ctl.h"
#include "guest/control/snapshot.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

enum { BATCH = 64, WORDS = SNAPSHOT_PAGE / 8, PER_INDEX = SNAPSHOT_PAGE / 8 };
enum { CONTEXT_MOST = 64 << 10 };

/* A walk over what holds something: counted first, then copied. */
struct walk {
    const struct guest *g;
    u64 here; /* our frame that shows one of its */
    u32 pages;
    struct snapshot *to; /* NULL: only counted */
    u32 room;
};

static bool is_zero(const u64 *page)
{
    for (u32 i = 0; i < WORDS; i++)
        if (page[i])
            return false;
    return true;
}

static u64 context_frames(const struct snapshot_head *h)
{
    return (h->context_bytes + SNAPSHOT_PAGE - 1) / SNAPSHOT_PAGE;
}

static u64 index_at(const struct snapshot_head *h)
{
    return 1 + context_frames(h);
}

u64 snapshot_data_at(const struct snapshot_head *h)
{
    return index_at(h) + ((u64)h->pages + PER_INDEX - 1) / PER_INDEX;
}

static u64 *number_of(const struct snapshot *s, u32 page)
{
    return (u64 *)s->frame[index_at(snapshot_head(s)) + page / PER_INDEX] + page % PER_INDEX;
}

static u8 *page_of(const struct snapshot *s, u32 page)
{
    return s->frame[snapshot_data_at(snapshot_head(s)) + page];
}

static bool visit(struct walk *w, u64 gfn)
{
    const u64 *page = rt_at(w->here << 12);

    if (ctl_map(w->g->domid, gfn, w->here))
        return false;
    if (!is_zero(page)) {
        if (w->to && w->pages < w->room) {
            *number_of(w->to, w->pages) = gfn;
            memcpy(page_of(w->to, w->pages), page, SNAPSHOT_PAGE);
        }
        w->pages++;
    }
    ctl_unmap(w->here);
    return true;
}

static bool visit_range(struct walk *w, u64 from, u64 to)
{
    u64 frame[BATCH];

    for (u64 gfn = from; gfn < to; gfn++) {
        if ((gfn - from) % BATCH == 0 &&
            ctl_frames(w->g->domid, gfn, (u32)MIN(to - gfn, (u64)BATCH), frame))
            return false;
        if (frame[(gfn - from) % BATCH] != OSM_NO_FRAME && !visit(w, gfn))
            return false;
    }
    return true;
}

static bool visit_all(struct walk *w)
{
    u64 low = MIN(w->g->recipe.memory, LAYOUT_LOW_END), high = w->g->recipe.memory - low;

    w->pages = 0;
    return visit_range(w, 0, low >> 12) &&
           visit_range(w, LAYOUT_HIGH_AT >> 12, (LAYOUT_HIGH_AT + high) >> 12);
}

static long context(u16 domid, u32 cmd, void *buffer, u32 *bytes)
{
    xen_domctl_t op = {.cmd = cmd, .domain = domid};
    long error;

    op.u.hvmcontext.size = *bytes;
    set_xen_guest_handle(op.u.hvmcontext.buffer, (u8 *)buffer);
    error = hypercall_domctl(&op);
    *bytes = op.u.hvmcontext.size;
    return error;
}

static void context_copy(const struct snapshot *s, u8 *buffer, u32 bytes, bool out)
{
    for (u32 at = 0; at < bytes; at += SNAPSHOT_PAGE) {
        u32 part = MIN(bytes - at, (u32)SNAPSHOT_PAGE);
        u8 *frame = s->frame[1 + at / SNAPSHOT_PAGE];

        memcpy(out ? buffer + at : frame, out ? frame : buffer + at, part);
    }
}

static u8 records[CONTEXT_MOST];

static struct snapshot *describe(const struct guest *g, const char *key, u32 bytes, u32 pages)
{
    static u32 taken;
    struct snapshot_head h = {.magic = SNAPSHOT_MAGIC,
                              .version = SNAPSHOT_VERSION,
                              .life = rt_wall_ns() ^ (u64)++taken << 48 ^ control.seed,
                              .memory = g->recipe.memory,
                              .pages = pages,
                              .vcpus = g->recipe.vcpus,
                              .context_bytes = bytes};
    struct snapshot *s;

    h.frames = (u32)snapshot_data_at(&h) + pages;
    memcpy(h.name, g->name, strlen(g->name));
    memcpy(h.image, g->recipe.image, strnlen(g->recipe.image, sizeof(h.image) - 1));
    s = snapshot_new(key, h.frames);
    if (!s)
        return NULL;
    memcpy(s->frame[0], &h, sizeof(h));
    context_copy(s, records, bytes, false);
    return s;
}

static struct snapshot *take(struct walk *w, const char *key, char *why)
{
    u32 bytes = sizeof(records);
    struct snapshot *s;

    if (context(w->g->domid, XEN_DOMCTL_gethvmcontext, records, &bytes) || !visit_all(w)) {
        format(why, WHY, "the hypervisor does not show all of %s", w->g->name);
        return NULL;
    }
    s = describe(w->g, key, bytes, w->pages);
    if (!s) {
        format(why, WHY, "no memory for a snapshot of %s: %u pages (dom0_mem=)", w->g->name,
               w->pages);
        return NULL;
    }
    w->room = w->pages;
    w->to = s;
    visit_all(w);
    s->ours = true;
    snapshot_seal(s);
    return s;
}

struct snapshot *snapshot_take(const struct guest *g, const char *key, char *why)
{
    struct walk w = {.g = g, .here = rt_window_alloc(1)};
    struct snapshot *s;

    if (!w.here) {
        format(why, WHY, "no room to look at %s", g->name);
        return NULL;
    }
    s = take(&w, key, why);
    rt_window_free(w.here, 1);
    return s;
}

/* The domain has just been made, so that a number that is not its RAM's is refused by the call. */
static long place_page(const struct snapshot *s, u32 page, u16 domid, u64 here)
{
    long error = ctl_map(domid, *number_of(s, page), here);

    if (error)
        return error;
    memcpy(rt_at(here << 12), page_of(s, page), SNAPSHOT_PAGE);
    ctl_unmap(here);
    return 0;
}

long snapshot_place(const struct snapshot *s, u16 domid)
{
    const struct snapshot_head *h = snapshot_head(s);
    u64 here = rt_window_alloc(1);
    u32 bytes = (u32)h->context_bytes;
    long error = here && h->context_bytes <= sizeof(records) ? 0 : -XEN_ENOSPC;

    for (u32 i = 0; !error && i < h->pages; i++)
        error = place_page(s, i, domid, here);
    if (here)
        rt_window_free(here, 1);
    if (error)
        return error;
    context_copy(s, records, bytes, true);
    return context(domid, XEN_DOMCTL_sethvmcontext, records, &bytes);
}
