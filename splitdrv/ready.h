/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back ends of a driver domain that have something to do, in turns: whoever becomes ready
 * during a turn is taken in that turn, whoever has more to do after its share is taken in the
 * next. A node (list_init at first) is queued once, wherever that is. Not for handlers that
 * interrupt: these domains take their events only where they wait.
 */
#ifndef SPLITDRV_READY_H
#define SPLITDRV_READY_H

#include "base/list.h"

struct ready_queue {
    struct list now, next;
};

#define READY_QUEUE(q)           \
    {                            \
        {&(q).now, &(q).now},    \
        {                        \
            &(q).next, &(q).next \
        }                        \
    }

/* It has something to do. */
static inline void ready_put(struct ready_queue *q, struct list *node)
{
    if (list_empty(node))
        list_push_back(&q->now, node);
}

/* It has had its share of this turn and has more to do. */
static inline void ready_again(struct ready_queue *q, struct list *node)
{
    if (list_empty(node))
        list_push_back(&q->next, node);
}

/* The next one of this turn, no longer queued; NULL: the turn is over. */
static inline struct list *ready_take(struct ready_queue *q)
{
    return list_pop_front(&q->now);
}

/* Ends a turn that is over. False: nobody has more to do. */
static inline bool ready_turn(struct ready_queue *q)
{
    struct list *node;

    while ((node = list_pop_front(&q->next)))
        list_push_back(&q->now, node);
    return !list_empty(&q->now);
}

#endif
