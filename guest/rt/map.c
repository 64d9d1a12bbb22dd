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
 * Two stretches: a short one in the 2 MiB where Xen's special pages lie, so that a small
 * domain needs no further nested page table, and a long one for back ends.
 */
enum { NEAR_FIRST = 0xfef00, NEAR_COUNT = 0xf8, FAR_FIRST = 0xf0000, FAR_COUNT = 0x8000 };
static u64 near_used[(NEAR_COUNT + 63) / 64], far_used[FAR_COUNT / 64];
static u32 far_count = FAR_COUNT, far_from;

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

static void set_used(u64 *used, u32 first, u32 count, bool to)
{
    for (u32 i = first; i < first + count; i++) {
        if (to)
            used[i / 64] |= 1ull << (i % 64);
        else
            used[i / 64] &= ~(1ull << (i % 64));
    }
}

/* The first fit at or after `from`; `limit` when there is none. */
static u32 fit(const u64 *used, u32 from, u32 limit, u32 count)
{
    for (u32 i = from; i + count <= limit; i++) {
        if (i % 64 == 0 && used[i / 64] == ~0ull)
            i += 63;
        else if (all_free(used, i, count))
            return i;
    }
    return limit;
}

u64 rt_window_alloc(u32 count)
{
    u32 at = fit(near_used, 0, NEAR_COUNT, count);

    if (at < NEAR_COUNT) {
        set_used(near_used, at, count, true);
        return NEAR_FIRST + at;
    }
    at = fit(far_used, far_from, far_count, count);
    if (at >= far_count)
        at = fit(far_used, 0, far_count, count);
    if (at >= far_count)
        return 0;
    far_from = at + count;
    set_used(far_used, at, count, true);
    return FAR_FIRST + at;
}

void rt_window_free(u64 gfn, u32 count)
{
    if (gfn >= NEAR_FIRST && gfn < NEAR_FIRST + NEAR_COUNT)
        set_used(near_used, (u32)(gfn - NEAR_FIRST), count, false);
    else if (gfn >= FAR_FIRST && gfn < FAR_FIRST + FAR_COUNT)
        set_used(far_used, (u32)(gfn - FAR_FIRST), count, false);
}

/* No RAM may lie in the far window: where it does, back ends have the near one only. */
static void check_window(const struct rt_range *r)
{
    u64 low = (u64)FAR_FIRST << 12, high = low + ((u64)FAR_COUNT << 12);

    if (r->type == XEN_HVM_MEMMAP_TYPE_RAM && r->base < high && r->base + r->size > low)
        far_count = 0;
}

void rt_map_init(struct rt_start *start)
{
    for (u32 i = 0; i < start->range_count; i++) {
        const struct rt_range *r = &start->range[i];
        u64 end = r->base + r->size;

        check_window(r);
        if (r->type == XEN_HVM_MEMMAP_TYPE_RAM && end > GIB &&
            !rt_map_range(MAX(r->base, GIB), end - MAX(r->base, GIB), false))
            rt_panic("no room for the direct map of %#lx-%#lx", r->base, end);
    }
}
