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

/* As link_insert, where a slot was free before. */
static inline s64 link_put(struct link_table *t, const struct link *l)
{
    struct link_slot *slot = &t->slots[t->free - 1];
    s64 number = (s64)slot->link.code;

    t->free = (u32)slot->link.base;
    slot->number = number;
    slot->link = *l;
    t->used++;
    t->high = MAX(t->high, t->used);
    return number;
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
