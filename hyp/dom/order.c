/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pairing heap of order.h. Merging is iterative, so its stack does not grow with what
 * guests make it hold.
 */
#include "hyp/dom/order.h"

static bool before(const struct order_node *a, const struct order_node *b)
{
    return a->key != b->key ? a->key < b->key : a->turn < b->turn;
}

/* Joins two trees; either may be NULL. The winner's slot and next are the caller's. */
static struct order_node *join(struct order_node *a, struct order_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (before(b, a)) {
        struct order_node *swap = a;

        a = b;
        b = swap;
    }
    b->next = a->child;
    if (b->next)
        b->next->slot = &b->next;
    a->child = b;
    b->slot = &a->child;
    return a;
}

/* Joins a list of siblings: pairs from the left, then the pairs from the right. */
static struct order_node *join_all(struct order_node *list)
{
    struct order_node *pairs = NULL, *whole = NULL;

    while (list) {
        struct order_node *a = list, *b = a->next;

        list = b ? b->next : NULL;
        a = join(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct order_node *rest = pairs->next;

        whole = join(whole, pairs);
        pairs = rest;
    }
    return whole;
}

static void set_top(struct order *q, struct order_node *n)
{
    q->top = n;
    if (n) {
        n->next = NULL;
        n->slot = &q->top;
    }
}

void order_add_beside(struct order *q, struct order_node *n)
{
    set_top(q, join(q->top, n));
}

void order_remove_from_many(struct order *q, struct order_node *n)
{
    struct order_node *rest;

    *n->slot = n->next;
    if (n->next)
        n->next->slot = n->slot;
    rest = join_all(n->child);
    set_top(q, join(q->top, rest));
    n->child = n->next = NULL;
    n->slot = NULL;
}
