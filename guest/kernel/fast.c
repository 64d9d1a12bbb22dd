/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEND, REPLY and RECEIVE between processes of a node, on straight lines: what the
 * general paths (send.c, receive.c) would do when nothing is out of the ordinary. Each
 * first asks all its questions, and only then changes anything; at any answer that is not
 * the usual one it leaves to the general path. The tests run every program both ways and
 * compare. Where the partner runs next, handover.c has a shorter way.
 *
 * Usual: the caller's `slow` word and its partner's are 0, the target is a process of this
 * node, a pooled message is at hand, no links travel but a reply link.
 */
#include "guest/kernel/hot.h"

/* The message on its way over `l`, its body copied; NULL when something is unusual. */
static inline __attribute__((always_inline)) struct message *
compose(struct node *n, struct task *self, const struct link *l, u64 body, u64 length,
        enum demos_message_kind kind, enum message_flags flags)
{
    struct message *m = message_take(n, length);
    u32 len = (u32)length;

    if (!m)
        return NULL;
    if (len && machine_copy_in(n, self, m->body, body, len) != MACHINE_OK) {
        message_drop(n, m);
        return NULL; /* the general path finds out why */
    }
    m->target = l->to;
    m->sender = self->id;
    m->code = l->code;
    m->check = l->check;
    m->sender_incarnation = self->incarnation;
    m->target_incarnation = l->incarnation;
    m->sender_machine = n->config.machine;
    m->channel = l->channel;
    m->length = m->whole = len;
    m->marks = message_marks(kind, flags, l->attr);
    m->reserved = 0;
    return m;
}

/* It is sent: counted and numbered. */
static inline void sent(struct task *self, const struct link *l, struct message *m)
{
    m->sequence = ++self->sequence;
    m->previous = previous(self, &l->to, m->sequence);
    self->count.sent++;
    self->count.sent_bytes += m->length;
    self->count.fast++;
}

/* The end of a call that has woken somebody, who may be more urgent. */
static inline enum outcome woke(struct node *n, struct thread *t, const struct thread *other,
                                s64 *result)
{
    return other->priority < t->priority ? call_conclude(n, t, 0, result)
                                         : call_done(n, t, 0, result);
}

enum outcome fast_send(struct node *n, struct thread *t, s64 *result)
{
    const u64 *args = t->args;
    struct task *self = t->task, *to;
    struct link_slot *slot = link_find(&self->links, (s64)args[0]);
    struct thread *receiver;
    struct message *m;
    u32 cost;

    if (!slot || link_is_for_one(&slot->link) || args[3] ||
        slot->link.attr & (DEMOS_TOKERNEL | DEMOS_ONCE | DEMOS_SWITCHBOARD | DEMOS_TIMELY))
        return call_general(n, t, result);
    receiver = partner(n, &slot->link);
    if (!receiver)
        return call_general(n, t, result);
    to = receiver->task;
    cost = message_cost((u32)args[2], 0); /* of one that is too long compose() makes nothing */
    if (!queue_has_room(to, cost))
        return call_general(n, t, result);
    m = compose(n, self, &slot->link, args[1], args[2], DEMOS_MSG_GENERAL, 0);
    if (!m)
        return call_general(n, t, result);
    sent(self, &slot->link, m);
    list_push_back(&to->queue, &m->queue);
    to->queued++;
    to->queued_bytes += cost;
    to->count.queue_high = MAX(to->count.queue_high, to->queued_bytes);
    if (!waits_for(receiver, m->channel))
        return call_done(n, t, 0, result);
    thread_wake(n, receiver);
    return woke(n, t, receiver, result);
}

bool straight_reply(struct node *n, struct thread *t, s64 reply, u64 body, u64 length)
{
    struct link_slot *slot = link_find(&t->task->links, reply);
    struct thread *client = slot ? caller(n, slot, length) : NULL;
    struct message *m = NULL;

    if (client)
        m = compose(n, t->task, &slot->link, body, MIN(length, slot->link.len), DEMOS_MSG_REPLY,
                    MESSAGE_IN_CALL);
    if (!m)
        return false;
    m->whole = (u32)length;
    sent(t->task, &slot->link, m);
    t->task->count.sent_in_call++;
    link_free(&t->task->links, slot);
    client->delivered = m;
    ready(n, client);
    n->handoff = client;
    return true;
}

enum outcome fast_reply(struct node *n, struct thread *t, s64 *result)
{
    const u64 *args = t->args;

    if (args[3] || !straight_reply(n, t, (s64)args[0], args[1], args[2]))
        return call_general(n, t, result);
    return woke(n, t, n->handoff, result);
}

/* What is known of a message, for its reader; `number` is its reply link. */
static inline __attribute__((always_inline)) bool
tell(struct node *n, struct task *t, const struct message *m, u32 len, s64 number, u64 info_at)
{
    struct demos_info info;

    info.code = m->channel == LINK_CHANNEL_CALL ? 0 : m->code;
    info.channel = m->channel == LINK_CHANNEL_CALL ? 0 : m->channel;
    info.kind = m->kind;
    info.flags = m->whole > len ? DEMOS_TRUNCATED : 0;
    info.notice = 0;
    info.count = 0;
    info.length = m->whole;
    info.spare = 0;
    info.reply = number;
    for (u32 i = 0; i < DEMOS_LINKS_MAX; i++)
        info.links[i] = 0;
    return machine_copy_out(n, t, info_at, &info, sizeof(info)) == MACHINE_OK;
}

/* A reply link, and room for it, but no notice, and no other links. */
static bool can_take(const struct task *t, const struct message *m)
{
    return message_has_reply_only(m) && t->links.free;
}

/* What comes beside the body: a reply link, and what is known of the message. False: nothing. */
static bool give_link(struct node *n, struct task *t, const struct message *m, u32 len,
                      u64 info_at)
{
    bool reply = m->flags & MESSAGE_HAS_REPLY;
    s64 number = 0;

    if (reply)
        number = link_put(&t->links, &m->reply);
    if (!info_at || tell(n, t, m, len, number, info_at))
        return true;
    if (reply)
        link_remove(&t->links, link_find(&t->links, number));
    return false;
}

enum { NOT_USUAL = -1 };

/* What a RECEIVE wants, and where. */
struct reading {
    u64 set, buffer, room, info_at;
    bool forever;
};

/* Copies a message with at most a reply link to its reader; NOT_USUAL: nothing is changed. */
static inline __attribute__((always_inline)) s64
give_out(struct node *n, struct thread *t, struct message *m, u64 buffer, u64 room, u64 info_at)
{
    u32 len = (u32)MIN((u64)m->length, room);
    bool plain = message_is_plain(m);

    if (!plain && !can_take(t->task, m))
        return NOT_USUAL;
    if (len && machine_copy_out(n, t->task, buffer, m->body, len) != MACHINE_OK)
        return NOT_USUAL;
    if ((info_at || !plain) && !give_link(n, t->task, m, len, info_at))
        return NOT_USUAL;
    t->task->count.received++;
    t->task->count.received_bytes += len;
    return (s64)len;
}

/* `done`: what of the call is behind it already. */
static inline __attribute__((always_inline)) enum outcome
receive(struct node *n, struct thread *t, const struct reading *r, u64 done, s64 *result)
{
    struct task *self = t->task;
    bool may = may_use(n, self);
    struct message *m = may ? queue_first(self, r->set) : NULL;
    s64 got;

    if (!m && may && r->forever) {
        t->wait_set = r->set;
        t->progress = done;
        suspend(t, WAIT_MESSAGE);
        return list_empty(&n->work) ? node_leave(n) : call_conclude(n, t, CALL_WAIT, result);
    }
    got = m ? give_out(n, t, m, r->buffer, r->room, r->info_at) : NOT_USUAL;
    if (got < 0) {
        t->progress = done;
        return call_general(n, t, result);
    }
    list_take(&m->queue);
    self->queued--;
    self->queued_bytes -= message_cost(m->length, 0);
    message_drop(n, m);
    if (self->awaited)
        queue_shrunk(n, self);
    return call_done(n, t, got, result);
}

enum outcome fast_receive(struct node *n, struct thread *t, s64 *result)
{
    const u64 *a = t->args;
    struct reading r = {a[0], a[1], a[2], a[3], a[4] == DEMOS_FOREVER};

    return receive(n, t, &r, 0, result);
}

enum outcome straight_next(struct node *n, struct thread *t, s64 *result)
{
    const u64 *a = t->args;
    struct reading r = {a[5], a[3], a[2] >> 32, a[4], true};

    return receive(n, t, &r, 1, result);
}

enum outcome fast_finish(struct node *n, struct thread *t, s64 *result)
{
    const u64 *a = t->args;
    struct message *m = t->delivered;
    bool receive = t->call == DEMOS_RECEIVE; /* not CALL, nor ANSWER */
    s64 done = give_out(n, t, m, a[receive ? 1 : 3], receive ? a[2] : a[2] >> 32,
                        a[receive ? 3 : 4]);

    if (done < 0)
        return call_go_on(n, t, result);
    t->delivered = NULL;
    message_drop(n, m);
    call_over(t);
    *result = done;
    return NODE_DONE;
}
