/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A priority queue whose nodes live inside the objects they order: a pairing heap keyed by
 * a 64-bit number, first come first served among equals. Grows with nothing, so neither
 * run queues nor timers need a size chosen in advance.
 *
 * Not locked: its owner is.
 */
#ifndef HYP_DOM_ORDER_H
#define HYP_DOM_ORDER_H

#include "base/types.h"

struct order_node {
    u64 key;
    u64 turn; /* ties go to the smaller */
    struct order_node *child, *next;
    struct order_node **slot; /* what points at this node; NULL when it is in no queue */
};

struct order {
    struct order_node *top;
    u64 turns;
};

static inline bool order_in(const struct order_node *n)
{
    return n->slot != NULL;
}

/* The node that comes first, still in the queue; NULL when there is none. */
static inline struct order_node *order_first(const struct order *q)
{
    return q->top;
}

/* The node must be in no queue. */
void order_add(struct order *q, struct order_node *n, u64 key);
/* Removing a node that is in no queue is harmless. */
void order_remove(struct order *q, struct order_node *n);

#endif
