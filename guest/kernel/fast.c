/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SEND, CALL, REPLY and RECEIVE between processes of a node, on straight lines: what the
 * general paths (send.c, receive.c) would do when nothing is out of the ordinary. Each
 * first asks all its questions, and only then changes anything; at any answer that is not
 * the usual one it leaves to the general path. The tests run every program both ways and
 * compare.
 *
 * Usual: the caller's `slow` word and its partner's are 0, the target is a process of this
 * node, a pooled message is at hand, no links travel but a reply link.
 */
#include "guest/kernel/hot.h"

/* The message on its way over `l`, its body copied; NULL when something is unusual. */
static inline __attribute__((always_inline)) struct message *
compose(struct node *n, struct task *self, const struct link *l, u64 body, u32 len)
{
    struct message *m = message_take(n, len);

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
    m->class = MESSAGE_USER;
    m->notice = 0;
    m->link_count = 0;
    m->attr = l->attr;
    m->reserved = 0;
    m->links = NULL;
    return m;
}

/* It is sent: counted and numbered. */
static inline void sent(struct node *n, struct task *self, struct message *m)
{
    m->sequence = ++self->sequence;
    m->previous = previous(self, &m->target, m->sequence);
    self->count.sent++;
    self->count.sent_bytes += m->length;
    self->count.fast++;
    n->count.messages++;
    n->count.bytes += m->length;
    n->count.fast++;
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

static inline void suspend(struct thread *t, enum wait why, const u64 *args)
{
    args_keep(t, args);
    t->state = THREAD_WAITING;
    t->wait = (u8)why;
    t->pending = true;
}

/* Links are passed along, as far as one can see. */
static bool passes_links(struct node *n, struct task *t, u64 info_at)
{
    u8 count = 0;

    return info_at &&
           (machine_copy_in(n, t, &count, info_at + offsetof(struct demos_info, count), 1) !=
                MACHINE_OK ||
            count);
}

enum outcome fast_send(struct node *n, struct thread *t, const u64 *args, s64 *result)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct thread *receiver;
    struct message *m;
    struct task *to;
    u32 cost;

    if (!slot || slot->link.kind == DEMOS_REQUEST_LINK || slot->link.kind == DEMOS_REPLY_LINK ||
        args[3] || args[2] > DEMOS_BODY_MAX ||
        slot->link.attr & (DEMOS_TOKERNEL | DEMOS_ONCE | DEMOS_SWITCHBOARD | DEMOS_TIMELY))
        return call_general(n, t, args, result);
    receiver = partner(n, &slot->link);
    if (!receiver || t->task->sequence < t->task->discard_until)
        return call_general(n, t, args, result);
    to = receiver->task;
    cost = message_cost((u32)args[2], 0);
    if (!queue_has_room(to, cost))
        return call_general(n, t, args, result);
    m = compose(n, t->task, &slot->link, args[1], (u32)args[2]);
    if (!m)
        return call_general(n, t, args, result);
    m->kind = DEMOS_MSG_GENERAL;
    m->flags = 0;
    sent(n, t->task, m);
    list_push_back(&to->queue, &m->queue);
    to->queued++;
    to->queued_bytes += cost;
    to->count.queue_high = MAX(to->count.queue_high, to->queued_bytes);
    n->count.queued++;
    if (waits_for(receiver, m->channel))
        thread_wake(n, receiver);
    return call_done(n, t, 0, result);
}

enum outcome fast_call(struct node *n, struct thread *t, const u64 *args, s64 *result)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct task *self = t->task;
    struct thread *server;
    struct message *m;

    if (!slot || args[5] != DEMOS_FOREVER || (u32)args[2] > DEMOS_BODY_MAX ||
        (slot->link.kind != DEMOS_REQUEST_LINK && slot->link.kind != DEMOS_RESOURCE) ||
        slot->link.attr & (DEMOS_TOKERNEL | DEMOS_ONCE | DEMOS_SWITCHBOARD))
        return call_general(n, t, args, result);
    server = partner(n, &slot->link);
    if (!server || !waits_for(server, slot->link.channel) || server->timer || self->key ||
        self->sequence < self->discard_until ||
        n->ready_mask & ((1u << server->priority) - 1) || passes_links(n, self, args[4]))
        return call_general(n, t, args, result);
    m = compose(n, self, &slot->link, args[1], (u32)args[2]);
    if (!m)
        return call_general(n, t, args, result);
    m->kind = DEMOS_MSG_REQUEST;
    m->flags = MESSAGE_HAS_REPLY | MESSAGE_IN_CALL;
    sent(n, self, m);
    self->count.sent_in_call++;
    m->reply.to = self->id;
    m->reply.code = ++self->calls;
    m->reply.check = 0;
    m->reply.base = 0;
    m->reply.len = MIN(args[2] >> 32, (u64)DEMOS_BODY_MAX);
    m->reply.hint = n->config.machine;
    m->reply.incarnation = self->incarnation;
    m->reply.channel = LINK_CHANNEL_CALL;
    m->reply.moves = (u16)self->moves;
    m->reply.attr = DEMOS_GIVE | DEMOS_ONCE;
    m->reply.kind = DEMOS_REPLY_LINK;
    m->reply.hops = 0;
    suspend(t, WAIT_REPLY, args);
    t->wait_serial = self->calls;
    t->wait_machine = NO_MACHINE;
    t->wait_hops = 0;
    server->delivered = m;
    server->state = THREAD_RUNNING;
    n->handoff = NULL;
    n->chosen = server;
    return NODE_SWITCH;
}

enum outcome fast_reply(struct node *n, struct thread *t, const u64 *args, s64 *result)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct thread *client;
    struct message *m;

    if (!slot || slot->link.channel != LINK_CHANNEL_CALL || args[3] ||
        args[2] > DEMOS_BODY_MAX || slot->link.attr & DEMOS_TOKERNEL)
        return call_general(n, t, args, result);
    client = partner(n, &slot->link);
    if (!client || client->state != THREAD_WAITING || client->wait != WAIT_REPLY ||
        client->timer || client->wait_serial != slot->link.code ||
        t->task->sequence < t->task->discard_until)
        return call_general(n, t, args, result);
    m = compose(n, t->task, &slot->link, args[1], (u32)MIN(args[2], slot->link.len));
    if (!m)
        return call_general(n, t, args, result);
    m->kind = DEMOS_MSG_REPLY;
    m->flags = MESSAGE_IN_CALL;
    m->whole = (u32)args[2];
    sent(n, t->task, m);
    t->task->count.sent_in_call++;
    link_free(&t->task->links, slot);
    client->delivered = m;
    ready(n, client);
    n->handoff = client;
    return call_done(n, t, 0, result);
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

enum { NOT_USUAL = -1 };

/* Copies a message with at most a reply link to its reader; NOT_USUAL: nothing is changed. */
static inline __attribute__((always_inline)) s64
give_out(struct node *n, struct thread *t, struct message *m, u64 buffer, u64 room, u64 info_at)
{
    struct link_table *links = &t->task->links;
    u32 len = (u32)MIN((u64)m->length, room);
    bool reply = m->flags & MESSAGE_HAS_REPLY;
    s64 number = 0;

    if (m->link_count || m->kind == DEMOS_MSG_NOTICE || m->flags & MESSAGE_LINKS_LOST)
        return NOT_USUAL;
    if (reply && !links->free)
        return NOT_USUAL;
    if (len && machine_copy_out(n, t->task, buffer, m->body, len) != MACHINE_OK)
        return NOT_USUAL;
    if (reply)
        number = link_put(links, &m->reply);
    if (info_at && !tell(n, t->task, m, len, number, info_at)) {
        if (reply)
            link_remove(links, link_find(links, number));
        return NOT_USUAL;
    }
    t->task->count.received++;
    t->task->count.received_bytes += len;
    return (s64)len;
}

enum outcome fast_receive(struct node *n, struct thread *t, const u64 *args, s64 *result)
{
    struct task *self = t->task;
    struct message *m;
    s64 done;

    if (!may_use(n, self))
        return call_general(n, t, args, result);
    m = queue_first(self, args[0]);
    if (!m) {
        if (args[4] != DEMOS_FOREVER)
            return call_general(n, t, args, result);
        t->wait_set = args[0];
        suspend(t, WAIT_MESSAGE, args);
        return list_empty(&n->work) ? node_leave(n) : call_conclude(n, t, CALL_WAIT, result);
    }
    done = give_out(n, t, m, args[1], args[2], args[3]);
    if (done < 0)
        return call_general(n, t, args, result);
    list_remove(&m->queue);
    self->queued--;
    self->queued_bytes -= message_cost(m->length, 0);
    n->count.queued--;
    message_drop(n, m);
    if (!list_empty(&self->senders) || !list_empty(&self->fences))
        queue_shrunk(n, self);
    return call_done(n, t, done, result);
}

enum outcome fast_finish(struct node *n, struct thread *t, s64 *result)
{
    const u64 *a = t->args;
    struct message *m = t->delivered;
    bool call = t->call == DEMOS_CALL;
    s64 done = give_out(n, t, m, a[call ? 3 : 1], call ? a[2] >> 32 : a[2], a[call ? 4 : 3]);

    if (done < 0)
        return call_go_on(n, t, result);
    t->delivered = NULL;
    message_drop(n, m);
    call_over(t);
    *result = done;
    return NODE_DONE;
}
