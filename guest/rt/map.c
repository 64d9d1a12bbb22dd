/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct map beyond what entry.S built, and the window of frames that hold nothing.
 */
#include "hyp/abi/xen.h"
#include <xen/arch-x86/hvm/start_info.h>
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/x86.h"

enum { TABLE = 0x003, BIG = 0x083, UNCACHED = 0x10 };
#define GIB          (1ull << 30)
#define TWO_MIB      (1ull << 21)
#define DIRECT_LIMIT (509 * GIB) /* entry 510 of the shared directory is the image's */

extern u64 rt_table_root[512], rt_table_directory[512];

/*
 * Three stretches: a short one in the 2 MiB where Xen's special pages lie, so that a small
 * domain needs no further nested page table, a long one for back ends, and for those of
 * thousands of front ends a wide one, where no machine that we know has RAM: it is made when
 * the others are full.
 */
enum { NEAR_FIRST = 0xfef00, NEAR_COUNT = 0xf8, FAR_FIRST = 0xf0000, FAR_COUNT = 0x8000 };
enum { WIDE_FIRST = 0x1000000, WIDE_COUNT = 0x40000, WIDE_ADDRESS_BITS = 37 };
static u64 near_used[(NEAR_COUNT + 63) / 64], far_used[FAR_COUNT / 64];
static struct window {
    u64 first, *used;
    u32 count, left, from;
} near = {NEAR_FIRST, near_used, NEAR_COUNT, NEAR_COUNT, 0},
  far = {FAR_FIRST, far_used, FAR_COUNT, FAR_COUNT, 0}, wide;
static bool wide_tried;

u64 *rt_map_root(void)
{
    return rt_table_root;
}

static u64 *directory_of(u64 address)
{
    u64 *entry = &rt_table_directory[address / GIB];
    void *table;

    if (!(*entry & 1)) {
        table = rt_frames(1);
        if (!table)
            return NULL;
        *entry = rt_physical(table) | TABLE;
    }
    return rt_at(*entry & 0xffffffffff000);
}

bool rt_map_range(u64 base, u64 size, bool device)
{
    if (base >= DIRECT_LIMIT || size > DIRECT_LIMIT - base)
        return false;
    for (u64 at = ALIGN_DOWN(base, TWO_MIB); at < base + size; at += TWO_MIB) {
        u64 *table = directory_of(at);
        u64 *entry = table ? &table[at % GIB / TWO_MIB] : NULL;

        if (!entry)
            return false;
        *entry = at | BIG | (device ? UNCACHED : 0);
        tlb_flush_page(rt_at(at));
    }
    return true;
}

static bool all_free(const u64 *used, u32 first, u32 count)
{
    for (u32 i = first; i < first + count; i++)
        if (used[i / 64] >> (i % 64) & 1)
            return false;
    return true;
}

static void set_used(struct window *w, u32 first, u32 count, bool to)
{
    for (u32 i = first; i < first + count; i++) {
        if (to)
            w->used[i / 64] |= 1ull << (i % 64);
        else
            w->used[i / 64] &= ~(1ull << (i % 64));
    }
    w->left += to ? -count : count;
}

/* The first fit at or after `from`; `count` of the window when there is none. */
static u32 fit(const struct window *w, u32 from, u32 count)
{
    for (u32 i = from; i + count <= w->count; i++) {
        if (i % 64 == 0 && w->used[i / 64] == ~0ull)
            i += 63;
        else if (all_free(w->used, i, count))
            return i;
    }
    return w->count;
}

static u64 take(struct window *w, u32 count)
{
    u32 at;

    if (w->left < count)
        return 0;
    at = fit(w, w->from, count);
    if (at >= w->count)
        at = fit(w, 0, count);
    if (at >= w->count)
        return 0;
    w->from = at + count;
    set_used(w, at, count, true);
    return w->first + at;
}

static bool open_wide(void)
{
    u32 frames = WIDE_COUNT / 8 / 4096;
    void *used = NULL;

    if (wide_tried)
        return false;
    wide_tried = true;
    if ((cpuid(0x80000008, 0).eax & 0xff) >= WIDE_ADDRESS_BITS &&
        rt_map_range((u64)WIDE_FIRST << 12, (u64)WIDE_COUNT << 12, false))
        used = rt_frames(frames);
    if (used)
        wide = (struct window){WIDE_FIRST, used, WIDE_COUNT, WIDE_COUNT, 0};
    return used;
}

u64 rt_window_alloc(u32 count)
{
    u64 gfn = take(&near, count);

    near.from = 0; /* the first fit, always: the fewer pages of it, the fewer of its tables */
    if (!gfn)
        gfn = take(&far, count);
    if (!gfn)
        gfn = take(&wide, count);
    return gfn || !open_wide() ? gfn : take(&wide, count);
}

void rt_window_free(u64 gfn, u32 count)
{
    struct window *all[] = {&near, &far, &wide};

    for (u32 i = 0; i < ARRAY_SIZE(all); i++)
        if (gfn >= all[i]->first && gfn < all[i]->first + all[i]->count)
            set_used(all[i], (u32)(gfn - all[i]->first), count, false);
}

static bool overlaps(const struct rt_range *r, u64 first, u64 count)
{
    u64 low = first << 12, high = low + (count << 12);

    return r->type == XEN_HVM_MEMMAP_TYPE_RAM && r->base < high && r->base + r->size > low;
}

/* No RAM may lie in a window: where it does, back ends have the others only. */
static void check_windows(const struct rt_range *r)
{
    if (overlaps(r, FAR_FIRST, FAR_COUNT))
        far.count = far.left = 0;
    wide_tried |= overlaps(r, WIDE_FIRST, WIDE_COUNT);
}

void rt_map_init(struct rt_start *start)
{
    for (u32 i = 0; i < start->range_count; i++) {
        const struct rt_range *r = &start->range[i];
        u64 end = r->base + r->size;

        check_windows(r);
        if (r->type == XEN_HVM_MEMMAP_TYPE_RAM && end > GIB &&
            !rt_map_range(MAX(r->base, GIB), end - MAX(r->base, GIB), false))
            rt_panic("no room for the direct map of %#lx-%#lx", r->base, end);
    }
}
