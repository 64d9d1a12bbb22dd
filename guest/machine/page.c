/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paging half of guest/kernel/machine.h, for machines whose task->machine begins with a
 * struct space: frames by number, and entries that show them without holding them.
 */
#include "guest/machine/place.h"
#include "guest/machine/space.h"

static struct space *space_of(const struct task *t)
{
    return t->machine;
}

bool machine_missed(struct node *n, struct machine_miss *miss)
{
    *miss = *place_miss(n);
    place_miss(n)->task = NULL;
    return miss->task != NULL;
}

u32 machine_frames(struct node *n, u32 *left)
{
    const struct frames *f = place_frames(n);

    *left = f->available;
    return f->count;
}

u32 machine_frame_take(struct node *n, bool zero)
{
    return zero ? frame_alloc_zero(place_frames(n)) : frame_alloc(place_frames(n));
}

void machine_frame_hold(struct node *n, u32 frame)
{
    frame_ref(place_frames(n), frame);
}

void machine_frame_drop(struct node *n, u32 frame)
{
    frame_drop(place_frames(n), frame);
}

bool machine_frame_shared(struct node *n, u32 frame)
{
    return place_frames(n)->refs[frame] > 1;
}

void *machine_frame_bytes(struct node *n, u32 frame)
{
    return frame_at(place_frames(n), frame);
}

u64 machine_frame_address(struct node *n, u32 frame)
{
    return place_frames(n)->address + ((u64)frame << FRAME_SHIFT);
}

enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write)
{
    (void)n;
    return space_show(space_of(t), r, va, frame, write) ? MACHINE_OK : MACHINE_MEMORY;
}

void machine_page_unmap(struct node *n, struct task *t, u64 va)
{
    (void)n;
    space_hide(space_of(t), va);
}

u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va)
{
    (void)n;
    return space_lend(space_of(t), r, va);
}

bool machine_page_there(struct node *n, struct task *t, u64 va)
{
    const u64 *e = space_entry(space_of(t), va);

    (void)n;
    return e && *e & ENTRY_FRAME;
}
