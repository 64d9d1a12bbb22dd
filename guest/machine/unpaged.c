/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paging half of guest/kernel/machine.h for machines that do not page: no frames, so that
 * the core makes no objects, and never asks for the rest.
 */
#include "guest/kernel/machine.h"

bool machine_missed(struct node *n, struct machine_miss *miss)
{
    (void)n, (void)miss;
    return false;
}

u32 machine_frames(struct node *n, u32 *left)
{
    (void)n;
    *left = 0;
    return 0;
}

u32 machine_frame_take(struct node *n, bool zero)
{
    (void)n, (void)zero;
    return 0;
}

void machine_frame_hold(struct node *n, u32 frame)
{
    (void)n, (void)frame;
}

void machine_frame_drop(struct node *n, u32 frame)
{
    (void)n, (void)frame;
}

bool machine_frame_shared(struct node *n, u32 frame)
{
    (void)n, (void)frame;
    return false;
}

void *machine_frame_bytes(struct node *n, u32 frame)
{
    (void)frame;
    machine_stop(n, "a frame of a machine without");
}

u64 machine_frame_address(struct node *n, u32 frame)
{
    (void)n, (void)frame;
    return 0;
}

enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write)
{
    (void)n, (void)t, (void)r, (void)va, (void)frame, (void)write;
    return MACHINE_MEMORY;
}

void machine_page_unmap(struct node *n, struct task *t, u64 va)
{
    (void)n, (void)t, (void)va;
}

u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va)
{
    (void)n, (void)t, (void)r, (void)va;
    return 0;
}

bool machine_page_there(struct node *n, struct task *t, u64 va)
{
    (void)n, (void)t, (void)va;
    return true;
}
