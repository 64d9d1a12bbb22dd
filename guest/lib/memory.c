/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's heap: base/heap.h over the memory behind its image, which grows by being
 * touched as long as the process's limit lets it (REGION_UP). The kernel is asked to touch it,
 * by a move of one byte: a refusal is an answer there, and would be the end anywhere else.
 */
#include "base/heap.h"
#include "guest/lib/demos.h"

enum { PAGE = 4096, STEP = 64 * 1024 };

extern u8 demos_image_end[]; /* guest/lib/program.lds: where a page begins */

static struct heap heap;

static bool touch(u8 *at)
{
    static const u8 zero;
    s64 link = demos_link_area(DEMOS_AREA_READ, &zero, 1);
    bool there = link > 0 && demos_move_from(link, 0, at, 1) >= 0;

    if (link > 0)
        demos_link_drop(link);
    return there;
}

static bool grow(size_t len)
{
    if (!touch(demos_image_end + heap.total + len - 1))
        return false;
    if (heap.total == 0)
        heap_init(&heap, demos_image_end, len);
    else
        heap_extend(&heap, len);
    return true;
}

void *demos_alloc(size_t size)
{
    void *block = heap_alloc(&heap, size);
    size_t cost = heap_cost(size);

    if (block || cost > DEMOS_HEAP_MOST)
        return block;
    if (!grow(ALIGN_UP(cost, (size_t)STEP)) && !grow(ALIGN_UP(cost, (size_t)PAGE)))
        heap.cuts = true; /* what there is must do */
    return heap_alloc(&heap, size);
}

void demos_free(void *block, size_t size)
{
    heap_free(&heap, block, size);
}
