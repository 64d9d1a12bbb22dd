/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paging half of guest/kernel/machine.h: frames of the board by number, and pages that show
 * them without holding them.
 */
#include "base/memory.h"
#include "guest/machine/z8000/z8000.h"

bool machine_missed(struct node *n, struct machine_miss *miss)
{
    struct z_machine *m = z_machine(n);

    *miss = m->miss;
    m->miss.task = NULL;
    return miss->task != NULL;
}

u32 machine_frames(struct node *n, u32 *left)
{
    const struct frames *f = &z_machine(n)->frames;

    *left = f->available;
    return f->count;
}

u32 machine_frame_take(struct node *n, bool zero)
{
    struct z_machine *m = z_machine(n);
    u32 frame = frame_alloc(&m->frames);

    if (frame && zero)
        memset(z_frame_bytes(m, frame), 0, z_page_bytes(m));
    return frame;
}

void machine_frame_hold(struct node *n, u32 frame)
{
    frame_ref(&z_machine(n)->frames, frame);
}

void machine_frame_drop(struct node *n, u32 frame)
{
    frame_drop(&z_machine(n)->frames, frame);
}

bool machine_frame_shared(struct node *n, u32 frame)
{
    return z_machine(n)->frames.refs[frame] > 1;
}

void *machine_frame_bytes(struct node *n, u32 frame)
{
    return z_frame_bytes(z_machine(n), frame);
}

u64 machine_frame_address(struct node *n, u32 frame)
{
    return (u64)frame << z_machine(n)->page_bits;
}

enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write)
{
    struct z_machine *m = z_machine(n);
    struct z_page *e = z_page_entry(m, t, va, true);

    (void)r;
    if (!e)
        return MACHINE_MEMORY;
    z_frame_filled(m, frame);
    *e = (struct z_page){(u16)frame, (u8)(Z_KEPT | (write ? Z_OWNED : 0))};
    z_page_changed(m, t, va);
    return MACHINE_OK;
}

void machine_page_unmap(struct node *n, struct task *t, u64 va)
{
    struct z_machine *m = z_machine(n);
    struct z_page *e = z_page_entry(m, t, va, false);

    if (!e || !e->frame)
        return;
    z_page_free(m, e);
    z_page_changed(m, t, va);
}

u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va)
{
    struct z_machine *m = z_machine(n);
    struct z_page *e = z_page_entry(m, t, va, false);

    (void)r;
    if (!e || !e->frame)
        return 0;
    frame_ref(&m->frames, e->frame);
    e->flags |= Z_COPY;
    z_page_changed(m, t, va);
    return e->frame;
}

bool machine_page_there(struct node *n, struct task *t, u64 va)
{
    const struct z_page *e = z_page_entry(z_machine(n), t, va, false);

    return e && e->frame;
}
