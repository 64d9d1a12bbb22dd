/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/mm/memory.h"
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/plan.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/x86.h"

enum { RANGES = BOOT_RANGES + BOOT_MODULES + 8, PRESENT = 1, PRESENT_WRITE = 3, LARGE = 0x80 };
#define LOW_END 0x100000ull
#define GIB     0x40000000ull
#define MAPPED  (4 * GIB) /* by boot/start.S */
#define NX      0x8000000000000000ull

struct range {
    u64 start, end; /* page aligned */
};

static struct range free_ranges[RANGES];
static u32 free_count;
static u64 top;
extern u64 hyp_pml4[512];
extern u8 image_start[], text_end[], data_start[], image_end[];

void *frame_map(mfn_t m)
{
    return (void *)(DIRECT_BASE + (m.n << PAGE_SHIFT));
}

static void add(u64 start, u64 end)
{
    if (start >= end)
        return;
    BUG_ON(free_count == RANGES);
    free_ranges[free_count++] = (struct range){start, end};
}

/* Takes [start, end) out of the free ranges. */
static void reserve(u64 start, u64 end)
{
    for (u32 i = 0, n = free_count; i < n; i++) {
        struct range r = free_ranges[i];

        if (r.start >= end || r.end <= start)
            continue;
        free_ranges[i].end = MAX(r.start, MIN(r.end, start));
        add(MAX(r.start, end), r.end);
    }
}

static void collect(void)
{
    for (u32 i = 0; i < boot_info.ranges; i++) {
        const struct boot_range *r = &boot_info.range[i];
        u64 end = ALIGN_DOWN(MIN(r->end, DIRECT_LIMIT), PAGE_SIZE);

        if (r->type != 1)
            continue;
        add(MAX(ALIGN_UP(r->start, PAGE_SIZE), LOW_END), end);
        top = MAX(top, end);
    }
    for (u32 i = 0; i < boot_info.ranges; i++) /* what overlaps something else is not RAM */
        if (boot_info.range[i].type != 1)
            reserve(ALIGN_DOWN(boot_info.range[i].start, PAGE_SIZE),
                    ALIGN_UP(boot_info.range[i].end, PAGE_SIZE));
    reserve((u64)image_start - IMAGE_BASE, (u64)image_end - IMAGE_BASE);
    for (u32 i = 0; i < boot_info.modules; i++)
        reserve(ALIGN_DOWN(boot_info.module[i].start, PAGE_SIZE),
                ALIGN_UP(boot_info.module[i].start + boot_info.module[i].size, PAGE_SIZE));
}

/* From the highest range that the boot page tables reach. */
void *memory_early_alloc(u64 size)
{
    struct range *best = NULL;
    void *at;

    size = ALIGN_UP(size, PAGE_SIZE);
    for (u32 i = 0; i < free_count; i++) {
        struct range *r = &free_ranges[i];

        if (r->end <= MAPPED && r->end - r->start >= size && (!best || r->end > best->end))
            best = r;
    }
    if (!best)
        panic("no %lu KiB of memory below 4 GiB to start with", size >> 10);
    best->end -= size;
    at = frame_map(MFN(best->end >> PAGE_SHIFT));
    memset(at, 0, size);
    return at;
}

static u64 *next_table(u64 *entry)
{
    if (!*entry)
        *entry = ((u64)memory_early_alloc(PAGE_SIZE) - DIRECT_BASE) | PRESENT_WRITE;
    return frame_map(MFN(*entry >> PAGE_SHIFT & 0xfffffffff));
}

static void map_gib(u64 start, bool huge)
{
    u64 at = DIRECT_BASE + start;
    u64 *pdpt = next_table(&hyp_pml4[at >> 39 & 511]);
    u64 *pd;

    if (huge) {
        pdpt[at >> 30 & 511] = start | PRESENT_WRITE | LARGE | NX;
        return;
    }
    pd = next_table(&pdpt[at >> 30 & 511]);
    for (u64 i = 0; i < 512; i++)
        pd[i] = (start + (i << 21)) | PRESENT_WRITE | LARGE | NX;
}

/* Loaders may put a small module below 1 MiB, where we have things of our own. */
static void lift_modules(void)
{
    for (u32 i = 0; i < boot_info.modules; i++) {
        struct boot_module *m = &boot_info.module[i];
        void *to;

        if (m->start >= LOW_END)
            continue;
        to = memory_early_alloc(m->size);
        memcpy(to, frame_map(MFN(m->start >> PAGE_SHIFT)), m->size);
        m->start = (u64)to - DIRECT_BASE;
    }
}

/* What the loader left behind the end of a module would be shown to the control domain. */
static void scrub_tails(void)
{
    for (u32 i = 0; i < boot_info.modules; i++) {
        u64 end = boot_info.module[i].start + boot_info.module[i].size;

        memset((void *)(DIRECT_BASE + end), 0, ALIGN_UP(end, PAGE_SIZE) - end);
    }
}

void memory_unmap_low(void)
{
    hyp_pml4[0] = 0;
    hyp_pml4[DIRECT_BASE >> 39 & 511] |= NX; /* what boot/start.S shared with the low map */
    WRITE_CR(3, READ_CR(3));
}

/* An image's page: code is executed, constants are read, the rest is written. */
static u64 image_entry(u64 at)
{
    u64 entry = (at - IMAGE_BASE) | PRESENT;

    if (at < (u64)text_end)
        return entry;
    return at < (u64)data_start ? entry | NX : entry | PRESENT_WRITE | NX;
}

/* The image's pages in place of the first GiB that boot/start.S mapped there. */
static void protect_image(void)
{
    u64 *pdpt = next_table(&hyp_pml4[IMAGE_BASE >> 39 & 511]);
    u64 *pd = memory_early_alloc(PAGE_SIZE);

    for (u64 at = (u64)image_start; at < (u64)image_end; at += PAGE_SIZE)
        next_table(&pd[at >> 21 & 511])[at >> PAGE_SHIFT & 511] = image_entry(at);
    pdpt[IMAGE_BASE >> 30 & 511] = ((u64)pd - DIRECT_BASE) | PRESENT_WRITE;
    WRITE_CR(3, READ_CR(3));
}

void memory_init(void)
{
    bool huge = cpuid(0x80000001, 0).edx >> 26 & 1;

    collect();
    if (!free_count)
        panic("the boot loader gave no memory map");
    plan_place();
    lift_modules();
    for (u64 at = MAPPED; at < top; at += GIB)
        map_gib(at, huge);
    scrub_tails();
    protect_image();
}

u64 memory_top(void)
{
    return top;
}

bool memory_free_range(u32 i, u64 *first, u64 *count)
{
    if (i >= free_count)
        return false;
    *first = free_ranges[i].start >> PAGE_SHIFT;
    *count = (free_ranges[i].end - free_ranges[i].start) >> PAGE_SHIFT;
    return true;
}

bool memory_module_frames(u32 i, u64 *first, u64 *count)
{
    if (i >= boot_info.modules)
        return false;
    *first = boot_info.module[i].start >> PAGE_SHIFT;
    *count = (ALIGN_UP(boot_info.module[i].start + boot_info.module[i].size, PAGE_SIZE) >>
              PAGE_SHIFT) -
             *first;
    return true;
}
