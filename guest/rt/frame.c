/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator. Fresh frames come off the front of regions carved from the memory
 * map; single frames that came back are kept on a list that runs through them.
 */
#include "hyp/abi/xen.h"
#include <xen/arch-x86/hvm/start_info.h>
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"

enum { REGIONS = 64, PAGE = 4096, LOW_START = 0x10000, LOW_END = 0x100000, HEAP_FRAMES = 16 };

struct free_frame {
    struct free_frame *next;
};

static struct region {
    u64 at, end;
} region[REGIONS];
static u32 region_count;
static u64 left;
static bool born_zero; /* what was never used is zero: not even zeroing touches it */
static struct free_frame *free_list;
static struct heap heap;

extern u8 rt_image_start[], rt_image_end[];

/* What may not be handed out: the n-th range; false when n is past the last. Strings are
 * covered by the frames they begin in and the one after. */
static bool reserved(const struct rt_start *start, u32 n, u64 *from, u64 *to)
{
    const struct hvm_start_info *info = rt_at(start->info);
    u64 fixed[][2] = {
        {rt_physical(rt_image_start), rt_physical(rt_image_end)},
        {start->info, start->info + sizeof(*info)},
        {info->cmdline_paddr, info->cmdline_paddr + PAGE},
        {info->modlist_paddr,
         info->modlist_paddr + start->module_count * sizeof(struct hvm_modlist_entry)},
        {info->memmap_paddr,
         info->memmap_paddr + info->memmap_entries * sizeof(struct hvm_memmap_table_entry)},
        {info->rsdp_paddr, info->rsdp_paddr + PAGE},
    };
    const struct hvm_modlist_entry *modules = rt_at(info->modlist_paddr);

    if (n < ARRAY_SIZE(fixed)) {
        *from = fixed[n][0];
        *to = fixed[n][1];
        return true;
    }
    n -= (u32)ARRAY_SIZE(fixed);
    if (n / 2 >= start->module_count)
        return false;
    *from = n % 2 ? modules[n / 2].cmdline_paddr : modules[n / 2].paddr;
    *to = *from + (n % 2 ? PAGE : modules[n / 2].size);
    return true;
}

/* The lowest reserved range that touches [from, to); false when there is none. */
static bool first_reserved(const struct rt_start *start, u64 from, u64 to, u64 *at, u64 *end)
{
    bool found = false;
    u64 a, b;

    for (u32 n = 0; reserved(start, n, &a, &b); n++) {
        if (!a || b <= from || a >= to || (found && a >= *at))
            continue;
        *at = a;
        *end = b;
        found = true;
    }
    return found;
}

static void add_region(u64 from, u64 to)
{
    from = ALIGN_UP(from, PAGE);
    to = ALIGN_DOWN(to, PAGE);
    if (from >= to || region_count == REGIONS)
        return;
    region[region_count++] = (struct region){from, to};
    left += (to - from) / PAGE;
}

static void carve(const struct rt_start *start, u64 from, u64 to)
{
    u64 at = 0, end = 0;

    while (from < to && first_reserved(start, from, to, &at, &end)) {
        if (at > from)
            add_region(from, at);
        from = MAX(ALIGN_UP(end, PAGE), from + PAGE);
    }
    if (from < to)
        add_region(from, to);
}

/* A region whose front has `count` frames. The largest serves long runs last. */
static struct region *find(u32 count)
{
    for (u32 i = 0; i < region_count; i++)
        if (region[i].end - region[i].at >= (u64)count * PAGE)
            return &region[i];
    return NULL;
}

void *rt_frames_untouched(u32 count)
{
    struct region *r = find(count);
    void *at;

    if (!count || !r)
        return NULL;
    at = rt_at(r->at);
    r->at += (u64)count * PAGE;
    left -= count;
    return at;
}

u32 rt_frames_longest(void)
{
    u64 most = 0;

    for (u32 i = 0; i < region_count; i++)
        most = MAX(most, (region[i].end - region[i].at) / PAGE);
    return (u32)MIN(most, 0xffffffffull);
}

void *rt_frames(u32 count)
{
    struct free_frame *f = free_list;
    void *at = f;
    bool fresh = count != 1 || !f;

    if (fresh) {
        at = rt_frames_untouched(count);
    } else {
        free_list = f->next;
        left--;
    }
    if (at && !(fresh && born_zero))
        memset(at, 0, (size_t)count * PAGE);
    return at;
}

void rt_frames_free(void *at, u32 count)
{
    left += count;
    for (u32 i = count; i-- > 0;) {
        struct free_frame *f = (struct free_frame *)((u8 *)at + (u64)i * PAGE);

        f->next = free_list;
        free_list = f;
    }
}

u64 rt_frames_left(void)
{
    return left;
}

void *rt_alloc(size_t size)
{
    u32 frames = MAX((u32)HEAP_FRAMES, (u32)((heap_cost(size) + PAGE - 1) / PAGE));
    void *at = heap_alloc(&heap, size), *more;

    if (at)
        return at;
    more = rt_frames_untouched(frames); /* heap_alloc zeroes what it hands out */
    if (!more) {
        frames = (u32)((heap_cost(size) + PAGE - 1) / PAGE);
        more = rt_frames(frames);
    }
    if (!more)
        return NULL;
    heap_add(&heap, more, (size_t)frames * PAGE);
    return heap_alloc(&heap, size);
}

void rt_free(void *at, size_t size)
{
    heap_free(&heap, at, size);
}

/* Below 1 MiB the bare machine's firmware keeps things of its own. */
void rt_frame_init(const struct rt_start *start)
{
    /* The control domain tells the host where pages of its own lie: they are to be there. */
    born_zero = heap.born_zero = start->host == RT_OSMOSIS && !(start->flags & SIF_INITDOMAIN);
    for (u32 i = 0; i < start->range_count; i++) {
        const struct rt_range *r = &start->range[i];
        u64 from = r->base, to = r->base + r->size;

        if (r->type != XEN_HVM_MEMMAP_TYPE_RAM)
            continue;
        if (to > LOW_END)
            carve(start, MAX(from, LOW_END), to);
        if (from < LOW_END && start->host != RT_NATIVE)
            carve(start, MAX(from, LOW_START), MIN(to, LOW_END));
    }
}
