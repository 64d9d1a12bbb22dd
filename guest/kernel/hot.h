/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the straight paths and the general one both do, in line.
 */
#ifndef GUEST_KERNEL_HOT_H
#define GUEST_KERNEL_HOT_H

#include "guest/kernel/core.h"

/* The number of the sender's last message to this target, with the new one put in its
 * place; 0 when that was too many targets ago to know. */
static inline u64 previous(struct task *t, const struct process_id *to, u64 sequence)
{
    __typeof__(&t->recent[0]) r = &t->recent[to->serial % TASK_RECENT];
    u64 last = process_id_equal(&r->to, to) ? r->sequence : 0;

    r->to = *to;
    r->sequence = sequence;
    return last;
}

/* A call that is not over keeps its words. */
static inline void args_keep(struct thread *t, const u64 *args)
{
    struct six {
        u64 word[6];
    };

    if (args != t->args)
        *(struct six *)(void *)t->args = *(const struct six *)(const void *)args;
}

/* As at the begin of every call: nothing waited for, nothing done yet. */
static inline void call_over(struct thread *t)
{
    t->pending = false;
    t->wait = WAIT_NOTHING;
    t->wait_error = 0;
    t->progress = 0;
    t->deadline = ~(u64)0;
}

/* The end of a call that was over at once. */
static inline enum outcome call_done(struct node *n, struct thread *t, s64 said, s64 *result)
{
    if (!list_empty(&n->work))
        return call_conclude(n, t, said, result);
    *result = said;
    return NODE_DONE;
}

/* As link_room, where a slot was free before. */
static inline struct link_slot *link_take(struct link_table *t)
{
    struct link_slot *slot = &t->slots[t->free - 1];

    slot->number = (s64)slot->link.code;
    t->free = (u32)slot->link.base;
    t->used++;
    t->high = MAX(t->high, t->used);
    return slot;
}

static inline s64 link_put(struct link_table *t, const struct link *l)
{
    struct link_slot *slot = link_take(t);

    slot->link = *l;
    return slot->number;
}

#define LINK_GENERATION ((s64)1 << LINK_INDEX_BITS)

/* As link_remove. */
static inline void link_free(struct link_table *t, struct link_slot *slot)
{
    slot->link.code = (u64)(slot->number + LINK_GENERATION);
    slot->link.base = t->free;
    slot->number = 0;
    t->free = (u32)(slot - t->slots) + 1;
    t->used--;
}

/* Frees a message that came from the pools, as most do. */
static inline void message_drop(struct node *n, struct message *m)
{
    if (m->pool >= MESSAGE_POOLS) {
        message_free(n, m);
        return;
    }
    *(struct message **)m = n->pool[m->pool];
    n->pool[m->pool] = m;
}

/* A pooled message of up to 1152 bytes, or NULL; nothing in it is set but its pool. */
static inline struct message *message_take(struct node *n, u32 length)
{
    u32 pool = length > 128;
    struct message *m = length <= 1152 ? n->pool[pool] : NULL;

    if (m)
        n->pool[pool] = *(struct message **)m;
    return m;
}

#endif
