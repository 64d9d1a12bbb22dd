/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page frames of one node: reference counts, a free list, and a small stock of frames
 * zeroed ahead while the node is idle. The frames are one run of memory that the machine
 * gave; a frame's number is its place in that run.
 */
#ifndef GUEST_MACHINE_FRAMES_H
#define GUEST_MACHINE_FRAMES_H

#include "base/types.h"

enum { FRAME_SHIFT = 12, FRAME_SIZE = 1 << FRAME_SHIFT, FRAMES_STOCK = 64 };

/* Frame 0 is never given out, so 0 is no frame. */
struct frames {
    u8 *base;    /* of frame 0 */
    u64 address; /* of frame 0, as the tables name it */
    u32 *refs;   /* per frame; for a free frame, the next free one */
    u32 count;
    u32 held; /* frames before this one, but for 0, are the machine's: what they hold may be shown */
    u32 fresh; /* frames from here on were never used */
    u32 free;  /* first of the freed ones, 0: none */
    u32 available;
    u32 stocked; /* frames in stock[], zero already */
    u32 stock[FRAMES_STOCK];
    bool born_zero; /* memory that was never used reads as zero */
};

/* Manages `count` frames at `base`; `refs` has room for as many numbers. */
void frames_init(struct frames *f, void *base, u64 address, u32 *refs, u32 count);
/* Of frames that were just begun: those from 1 on before `held` are the machine's own, which processes
 * may read together (memory.c: machine_load), and none before `first` is to be had. */
void frames_hold(struct frames *f, u32 held, u32 first);
/* A frame with one reference, or 0 when there is none left. Its contents are undefined. */
u32 frame_alloc(struct frames *f);
/* The same, all zero. */
u32 frame_alloc_zero(struct frames *f);
/* One more and one less holder. The last one to drop it frees it. */
void frame_ref(struct frames *f, u32 frame);
void frame_drop(struct frames *f, u32 frame);
/* Zeroes one frame ahead; false when the stock is full or the frames are scarce. */
bool frames_idle(struct frames *f);

static inline void *frame_at(const struct frames *f, u32 frame)
{
    return f->base + ((u64)frame << FRAME_SHIFT);
}

#endif
