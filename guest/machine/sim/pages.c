/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that the core looks after: frames by number, and where they are shown.
 */
#include "guest/machine/sim/inside.h"
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MOST = 1 << 16 };

bool machine_missed(struct node *n, struct machine_miss *miss)
{
    *miss = sim_owner(n)->miss;
    sim_owner(n)->miss.task = NULL;
    return miss->task != NULL;
}

u32 machine_frames(struct node *n, u32 *left)
{
    struct sim_node *sn = sim_owner(n);

    if (!sn->frame_count)
        sn->frame_count = FRAMES_MOST;
    if (!sn->frames)
        sn->frames = calloc(sn->frame_count + 1, sizeof(struct sim_frame *));
    *left = sn->frame_count - sn->frames_taken;
    return sn->frame_count;
}

u32 machine_frame_take(struct node *n, bool zero)
{
    struct sim_node *sn = sim_owner(n);
    u32 number = 1;

    if (sn->frames_taken == sn->frame_count)
        return 0;
    while (sn->frames[number])
        number++;
    sn->frames[number] = sim_frame_new(sn->sim);
    sn->frames[number]->held = 1;
    if (!zero)
        memset(sn->frames[number]->bytes, 0xa5, SIM_PAGE);
    sn->frames_taken++;
    return number;
}

void machine_frame_hold(struct node *n, u32 frame)
{
    sim_owner(n)->frames[frame]->references++;
    sim_owner(n)->frames[frame]->held++;
}

void machine_frame_drop(struct node *n, u32 frame)
{
    struct sim_node *sn = sim_owner(n);

    bool last = --sn->frames[frame]->held == 0;

    sim_frame_drop(sn->sim, sn->frames[frame]);
    if (!last)
        return;
    sn->frames[frame] = NULL;
    sn->frames_taken--;
}

bool machine_frame_shared(struct node *n, u32 frame)
{
    return sim_owner(n)->frames[frame]->references > 1;
}

void *machine_frame_bytes(struct node *n, u32 frame)
{
    return sim_owner(n)->frames[frame]->bytes;
}

u64 machine_frame_address(struct node *n, u32 frame)
{
    (void)n;
    return (u64)frame * SIM_PAGE;
}

enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write)
{
    u32 left;

    (void)r;
    machine_frames(n, &left);
    if (left < sim_owner(n)->table_frames)
        return MACHINE_MEMORY;
    sim_space_show(sim_space_of(t), va, sim_owner(n)->frames[frame], write);
    return MACHINE_OK;
}

void machine_page_unmap(struct node *n, struct task *t, u64 va)
{
    (void)n;
    sim_space_show(sim_space_of(t), va, NULL, false);
}

/* The frame gets a number: it is the core's from now on, and the process's until unmapped. */
u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va)
{
    struct sim_node *sn = sim_owner(n);
    u32 number = 1, left;

    (void)r;
    machine_frames(n, &left);
    if (!left || !(sn->frames[0] = sim_space_lend(sim_space_of(t), va)))
        return 0;
    while (sn->frames[number] && sn->frames[number] != sn->frames[0])
        number++;
    sn->frames_taken += !sn->frames[number];
    sn->frames[number] = sn->frames[0];
    sn->frames[number]->held++;
    return number;
}

bool machine_page_there(struct node *n, struct task *t, u64 va)
{
    (void)n;
    return sim_space_there(sim_space_of(t), va);
}
