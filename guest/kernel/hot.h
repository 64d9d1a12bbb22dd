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
    u64 last = r->sequence;

    r->sequence = sequence;
    if (__builtin_expect(process_id_equal(&r->to, to), 1))
        return last;
    r->to = *to;
    return 0;
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

/* The thread of the process a link means, if straight paths may use it. */
static inline struct thread *partner(struct node *n, const struct link *l)
{
    struct task *t = node_find(n, &l->to);
    struct thread *th = t ? task_thread(t) : NULL;

    return th && !th->slow ? th : NULL;
}

static inline bool waits_for(const struct thread *t, u32 channel)
{
    return t->state == THREAD_WAITING && t->wait == WAIT_MESSAGE &&
           t->wait_set & DEMOS_CHANNEL(channel);
}

static inline void ready(struct node *n, struct thread *t)
{
    list_push_back(&n->ready[t->priority], &t->run);
    n->ready_mask |= 1u << t->priority;
    t->state = THREAD_READY;
}

static inline void suspend(struct thread *t, enum wait why)
{
    t->state = THREAD_WAITING;
    t->wait = (u8)why;
    t->pending = true;
}

/* Whose CALL a reply of `length` bytes over the slot's link ends, if straight paths may use it. */
static inline struct thread *caller(struct node *n, const struct link_slot *slot, u64 length)
{
    struct thread *client;

    if (slot->link.channel != LINK_CHANNEL_CALL || length > DEMOS_BODY_MAX ||
        slot->link.attr & DEMOS_TOKERNEL)
        return NULL;
    client = partner(n, &slot->link);
    if (!client || client->state != THREAD_WAITING || client->wait != WAIT_REPLY ||
        client->timer || client->wait_serial != slot->link.code)
        return NULL;
    return client;
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
    u32 index = (u32)slot->number & ((1u << LINK_INDEX_BITS) - 1); /* + 1 */

    slot->link.code = (u64)(slot->number + LINK_GENERATION);
    slot->link.base = t->free;
    slot->number = 0;
    t->free = index;
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
static inline struct message *message_take(struct node *n, u64 length)
{
    struct message **pool = &n->pool[0], *m;

    if (length > 128) {
        if (length > 1152)
            return NULL;
        pool = &n->pool[1];
    }
    m = *pool;
    if (m)
        *pool = *(struct message **)m;
    return m;
}

/* A field's value as it stands in message.marks. */
#define MARK(field, value) \
    ((u64)(value) << 8 * (offsetof(struct message, field) - offsetof(struct message, marks)))
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "MARK");

/* message.marks of a user's message that passes no links. */
static inline u64 message_marks(enum demos_message_kind kind, enum message_flags flags,
                                u16 attr)
{
    return MARK(class, MESSAGE_USER) | MARK(kind, kind) | MARK(flags, flags) | MARK(attr, attr);
}

#define MARK_LINKS (MARK(flags, MESSAGE_LINKS_LOST) | MARK(link_count, 0xff))
/* A user's words and nothing else: no notice, no links. */
static inline bool message_is_plain(const struct message *m)
{
    return !(m->marks & (MARK(notice, 0xff) | MARK(flags, MESSAGE_HAS_REPLY) | MARK_LINKS));
}

/* The same with a reply link. */
static inline bool message_has_reply_only(const struct message *m)
{
    return !(m->marks & (MARK(notice, 0xff) | MARK_LINKS));
}

#endif
