/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames over the buddy allocator: zeroing, charging, reservations, references.
 * Frames that are no RAM (device memory) have no references to count.
 */
#include "hyp/mm/frame.h"
#include "base/wide.h"
#include "hyp/abi/xen.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dom/domain.h"
#include "hyp/dom/inject.h"
#include "hyp/mm/buddy.h"
#include "hyp/mm/memory.h"

static struct spinlock lock;
static struct buddy buddy;
static u64 total, reserved;

/* Whether `count` frames of this use count against the domain's own RAM. */
static bool is_ram(enum frame_use use)
{
    return use == FRAME_RAM || use == FRAME_SHARED_IMAGE;
}

/* Takes the charge for n frames, or says no. The lock is held. */
static bool charge(struct domain *d, u64 n, enum frame_use use)
{
    u64 spare = buddy.free - reserved, own = 0;

    if (d && is_ram(use)) {
        if (d->frames + n > d->frames_max)
            return false;
        own = MIN(n, d->frames_reserved);
    } else if (d && (d->overhead >> PAGE_SHIFT) + n > domain_overhead_most(d)) {
        return false;
    }
    if (n - own > spare)
        return false;
    if (!d)
        return true;
    reserved -= own;
    d->frames_reserved -= own;
    if (is_ram(use))
        d->frames += n;
    else
        d->overhead += n * PAGE_SIZE;
    return true;
}

static void uncharge(struct domain *d, u64 n, enum frame_use use)
{
    if (!d)
        return;
    if (is_ram(use))
        d->frames -= n;
    else
        d->overhead -= n * PAGE_SIZE;
}

mfn_t frame_alloc(struct domain *d, u32 order, enum frame_use use)
{
    u64 n = 1ull << order;
    mfn_t m;

    if (inject_fires(OSM_POINT_fail_frame, d))
        return MFN_NONE;
    spin_lock(&lock);
    if (!charge(d, n, use)) {
        spin_unlock(&lock);
        return MFN_NONE;
    }
    m = buddy_take(&buddy, order);
    if (!mfn_valid(m))
        uncharge(d, n, use);
    spin_unlock(&lock);
    if (!mfn_valid(m))
        return m;
    for (u64 i = 0; i < n; i++)
        buddy.frames[m.n + i] = (struct frame){.owner = d, .refs = 1, .use = (u8)use};
    zero_wide(frame_map(m), n * PAGE_SIZE);
    return m;
}

struct frame *frame_of(mfn_t m)
{
    return m.n < buddy.count && buddy.frames[m.n].use != FRAME_DEVICE ? &buddy.frames[m.n]
                                                                      : NULL;
}

void frame_get(mfn_t m)
{
    struct frame *f = frame_of(m);

    if (!f)
        return;
    BUG_ON(__atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED) == 0);
}

void frame_put(mfn_t m)
{
    struct frame *f = frame_of(m);
    u32 before;

    if (!f)
        return;
    before = __atomic_fetch_sub(&f->refs, 1, __ATOMIC_ACQ_REL);
    BUG_ON(before == 0);
    if (before > 1)
        return;
    spin_lock(&lock);
    uncharge(f->owner, 1, f->use);
    buddy_give(&buddy, m.n);
    spin_unlock(&lock);
}

int frames_reserve(struct domain *d, u64 count)
{
    int error = 0;

    spin_lock(&lock);
    if (count > buddy.free - reserved) {
        error = -XEN_ENOMEM;
    } else {
        reserved += count;
        d->frames_reserved += count;
    }
    spin_unlock(&lock);
    return error;
}

void frames_unreserve(struct domain *d)
{
    spin_lock(&lock);
    reserved -= d->frames_reserved;
    d->frames_reserved = 0;
    spin_unlock(&lock);
}

u64 frames_free(void)
{
    return buddy.free - reserved;
}

u64 frames_total(void)
{
    return total;
}

void frames_init(void)
{
    u64 first, count;
    void *table;

    memory_init();
    table = memory_early_alloc(memory_top() / PAGE_SIZE * sizeof(struct frame));
    buddy_init(&buddy, table, memory_top() / PAGE_SIZE);
    for (u32 i = 0; memory_module_frames(i, &first, &count); i++)
        for (u64 k = 0; k < count; k++)
            buddy.frames[first + k] = (struct frame){.refs = 1, .use = FRAME_SHARED_IMAGE};
    for (u32 i = 0; memory_free_range(i, &first, &count); i++)
        buddy_add(&buddy, first, count);
    total = buddy.free;
}
