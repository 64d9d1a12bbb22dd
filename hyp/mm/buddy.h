/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator under the frames: pure, over a table of struct frame. A free block's
 * first frame links it into the list of its order by frame number. Not locked.
 */
#ifndef HYP_MM_BUDDY_H
#define HYP_MM_BUDDY_H

#include "hyp/mm/frame.h"

enum { BUDDY_ORDERS = 19 }; /* up to 1 GiB */

struct buddy {
    struct frame *frames; /* of all machine memory up to the top */
    u64 count;
    u32 head[BUDDY_ORDERS]; /* first free block, BUDDY_NONE when there is none */
    u64 free;               /* frames */
};
#define BUDDY_NONE 0xffffffffu

/* All frames belong to nobody and are not free. */
void buddy_init(struct buddy *b, struct frame *frames, u64 count);
/* Frames [first, first + count) become free; they were not. */
void buddy_add(struct buddy *b, u64 first, u64 count);
/* The lowest-numbered frame of a block of 2^order, or MFN_NONE. */
mfn_t buddy_take(struct buddy *b, u32 order);
/* One frame comes back; it joins its free neighbours. */
void buddy_give(struct buddy *b, u64 frame);

#endif
