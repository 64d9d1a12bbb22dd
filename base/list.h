/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked circular lists whose nodes live inside the objects they join.
 * An unlinked node points at itself, so removing twice is harmless.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/types.h"

struct list {
    struct list *next, *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert(struct list *at, struct list *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node;
    at->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert(head->prev, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The same for a node that is about to be something else: it is not made to point at itself. */
static inline void list_take(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
}

/* The first node, unlinked, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *node = head->next;

    if (node == head)
        return NULL;
    list_remove(node);
    return node;
}

#define list_entry(node, type, field) container_of(node, type, field)

#define list_for_each(node, head) \
    for (struct list *node = (head)->next; node != (head); node = node->next)

/* As list_for_each, but the body may remove the node it is given. */
#define list_for_each_safe(node, head)                                                \
    for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
         node = node##_next, node##_next = node->next)

#endif
