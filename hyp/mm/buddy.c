/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/mm/buddy.h"

static void link_block(struct buddy *b, u64 first, u32 order)
{
    struct frame *f = &b->frames[first];

    f->use = FRAME_FREE;
    f->order = (u8)order;
    f->link.next = b->head[order];
    f->link.prev = BUDDY_NONE;
    if (b->head[order] != BUDDY_NONE)
        b->frames[b->head[order]].link.prev = (u32)first;
    b->head[order] = (u32)first;
}

/* The frame is in no list from here on; its use is the caller's to set. */
static void unlink_block(struct buddy *b, u64 first)
{
    struct frame *f = &b->frames[first];

    if (f->link.prev != BUDDY_NONE)
        b->frames[f->link.prev].link.next = f->link.next;
    else
        b->head[f->order] = f->link.next;
    if (f->link.next != BUDDY_NONE)
        b->frames[f->link.next].link.prev = f->link.prev;
    f->use = FRAME_HYP;
    f->owner = NULL;
}

void buddy_init(struct buddy *b, struct frame *frames, u64 count)
{
    *b = (struct buddy){.frames = frames, .count = count};
    for (u32 i = 0; i < BUDDY_ORDERS; i++)
        b->head[i] = BUDDY_NONE;
    for (u64 i = 0; i < count; i++)
        frames[i] = (struct frame){.use = FRAME_DEVICE};
}

static bool is_free_block(const struct buddy *b, u64 first, u32 order)
{
    return first + (1ull << order) <= b->count && b->frames[first].use == FRAME_FREE &&
           b->frames[first].order == order;
}

static void give_block(struct buddy *b, u64 first, u32 order)
{
    b->free += 1ull << order;
    while (order + 1 < BUDDY_ORDERS && is_free_block(b, first ^ 1ull << order, order)) {
        unlink_block(b, first ^ 1ull << order);
        first &= ~(1ull << order);
        order++;
    }
    link_block(b, first, order);
}

void buddy_add(struct buddy *b, u64 first, u64 count)
{
    for (u64 i = 0; i < count; i++)
        b->frames[first + i].use = FRAME_HYP;
    while (count) { /* the largest aligned block that fits */
        u32 order = 0;

        while (order + 1 < BUDDY_ORDERS && !(first & ((2ull << order) - 1)) &&
               2ull << order <= count)
            order++;
        give_block(b, first, order);
        first += 1ull << order;
        count -= 1ull << order;
    }
}

mfn_t buddy_take(struct buddy *b, u32 order)
{
    u32 have = order;
    u64 first;

    while (have < BUDDY_ORDERS && b->head[have] == BUDDY_NONE)
        have++;
    if (have >= BUDDY_ORDERS)
        return MFN_NONE;
    first = b->head[have];
    unlink_block(b, first);
    while (have > order) { /* the upper halves go back */
        have--;
        link_block(b, first + (1ull << have), have);
    }
    b->free -= 1ull << order;
    return MFN(first);
}

void buddy_give(struct buddy *b, u64 frame)
{
    give_block(b, frame, 0);
}
