/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers of one node's network: a binary heap of what is due when. An object has one timer
 * and may be woken early; it then looks what it wanted and sets the timer again. Hence
 * nothing is ever moved to a later time, and the fast path rarely touches the heap.
 */
#ifndef NET_DUE_H
#define NET_DUE_H

#include "base/heap.h"

struct due {
    u64 at;
    u32 place; /* in the heap, 1-based; 0: not set */
    u8 kind;   /* the owner's, to find it again */
};

struct due_heap {
    struct due **slot; /* slot[1] is the earliest */
    u32 count, room;
};

/* Makes sure that `d` fires at `at` or earlier. False: no memory (then it is not set). */
bool due_by(struct due_heap *h, struct heap *memory, struct due *d, u64 at);
/* Takes out the earliest if it is not after `now`; else NULL. */
struct due *due_next(struct due_heap *h, u64 now);
void due_cancel(struct due_heap *h, struct due *d);
/* When the earliest fires, ~0 for never. */
u64 due_first(const struct due_heap *h);

#endif
