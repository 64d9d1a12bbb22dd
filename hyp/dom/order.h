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

/* Their parts for queues that hold more than the one node. */
void order_add_beside(struct order *q, struct order_node *n);
void order_remove_from_many(struct order *q, struct order_node *n);

/* The node must be in no queue. */
static inline void order_add(struct order *q, struct order_node *n, u64 key)
{
    n->key = key;
    n->turn = ++q->turns;
    n->child = n->next = NULL;
    if (q->top) {
        order_add_beside(q, n);
    } else {
        q->top = n;
        n->slot = &q->top;
    }
}

/* Removing a node that is in no queue is harmless. */
static inline void order_remove(struct order *q, struct order_node *n)
{
    if (q->top == n && !n->child) {
        q->top = NULL;
        n->slot = NULL;
    } else if (n->slot) {
        order_remove_from_many(q, n);
    }
}

#endif
