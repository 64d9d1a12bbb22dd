/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame allocation. Never-used frames come last, so that what was touched once is used
 * again first and a node's memory stays small on its host.
 */
#include "guest/machine/frames.h"
#include "base/wide.h"

void frames_init(struct frames *f, void *base, u64 address, u32 *refs, u32 count)
{
    *f = (struct frames){.base = base, .address = address, .refs = refs, .count = count};
    f->fresh = 1;
    f->available = count > 0 ? count - 1 : 0;
}

void frames_hold(struct frames *f, u32 held, u32 first)
{
    for (u32 i = 1; i < held; i++)
        f->refs[i] = 1;
    f->held = held;
    f->fresh = first;
    f->available = f->count - first;
}

u32 frame_alloc(struct frames *f)
{
    u32 frame = f->free;

    if (frame) {
        f->free = f->refs[frame];
    } else if (f->fresh < f->count) {
        frame = f->fresh++;
    } else if (f->stocked) {
        frame = f->stock[--f->stocked];
    } else {
        return 0;
    }
    f->available--;
    f->refs[frame] = 1;
    return frame;
}

u32 frame_alloc_zero(struct frames *f)
{
    u32 frame;
    bool zero;

    if (f->stocked) {
        frame = f->stock[--f->stocked];
        f->available--;
        f->refs[frame] = 1;
        return frame;
    }
    zero = f->born_zero && !f->free;
    frame = frame_alloc(f);
    if (frame && !zero)
        zero_wide(frame_at(f, frame), FRAME_SIZE);
    return frame;
}

void frame_ref(struct frames *f, u32 frame)
{
    f->refs[frame]++;
}

void frame_drop(struct frames *f, u32 frame)
{
    if (--f->refs[frame] > 0)
        return;
    f->refs[frame] = f->free;
    f->free = frame;
    f->available++;
}

bool frames_idle(struct frames *f)
{
    u32 frame;

    if (f->stocked == FRAMES_STOCK || f->available <= 2 * FRAMES_STOCK)
        return false;
    if (!f->free && f->born_zero)
        return false; /* fresh ones need nothing */
    frame = frame_alloc(f);
    zero_wide(frame_at(f, frame), FRAME_SIZE);
    f->refs[frame] = 0;
    f->available++; /* it is still there to be had */
    f->stock[f->stocked++] = frame;
    return true;
}
