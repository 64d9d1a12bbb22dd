/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of each domain: small objects in frames charged to it. Whatever was not freed
 * goes away with the domain, so a forgotten free cannot outlive its owner.
 */
#include "base/memory.h"
#include "hyp/dom/domain.h"

/* A frame begins with the number of the one before; the heap has the rest. */
enum { FRAME_HEAD = 16 };
_Static_assert(DOMAIN_ALLOC_MAX <= PAGE_SIZE - FRAME_HEAD, "an object fits one frame");

static bool grow(struct domain *d)
{
    mfn_t frame = frame_alloc(d, 0, FRAME_TABLE);
    u8 *page;

    if (!mfn_valid(frame))
        return false;
    page = frame_map(frame);
    memcpy(page, &d->heap_frames, sizeof(d->heap_frames));
    d->heap_frames = frame;
    heap_add(&d->heap, page + FRAME_HEAD, PAGE_SIZE - FRAME_HEAD);
    return true;
}

void *domain_alloc(struct domain *d, size_t size)
{
    void *block;

    if (size > DOMAIN_ALLOC_MAX)
        return NULL;
    spin_lock(&d->heap_lock);
    block = heap_alloc(&d->heap, size);
    if (!block && grow(d))
        block = heap_alloc(&d->heap, size);
    spin_unlock(&d->heap_lock);
    return block;
}

void domain_free(struct domain *d, void *block, size_t size)
{
    spin_lock(&d->heap_lock);
    heap_free(&d->heap, block, size);
    spin_unlock(&d->heap_lock);
}

void domain_free_heap(struct domain *d)
{
    while (mfn_valid(d->heap_frames)) {
        mfn_t frame = d->heap_frames;

        memcpy(&d->heap_frames, frame_map(frame), sizeof(d->heap_frames));
        heap_leave(frame_map(frame), PAGE_SIZE);
        frame_put(frame);
    }
}
