/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CALL and ANSWER where the partner waits for just that and runs next: what is said goes
 * from one process's memory straight into the other's, and no message is made of it. To both
 * it is as if one had been sent, received, and read before anything else happened. Anything
 * unusual (see fast.c; also memory that is not all there, or that both show) is left to the
 * general path, which does it all again: until the first count below nothing has changed but
 * a buffer that is the kernel's to write.
 */
#include "guest/kernel/hot.h"

/* Where a waiting thread wants what it waits for. */
struct wanted {
    u64 buffer, room, info_at;
};

static inline struct wanted wanted_by(const struct thread *t)
{
    const u64 *a = t->args;

    if (t->call == DEMOS_RECEIVE)
        return (struct wanted){a[1], a[2], a[3]};
    return (struct wanted){a[3], a[2] >> 32, a[4]}; /* CALL, ANSWER */
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

/* The body where it is wanted, and *info where what is known of it is to be written (NULL:
 * nowhere). False: not in one go. */
static inline bool put(struct node *n, struct task *from, u64 body, struct task *to,
                       const struct wanted *w, u32 len, struct demos_info **info)
{
    *info = NULL;
    if (w->info_at) {
        *info = machine_reach(n, to, w->info_at, sizeof(**info));
        if (!*info)
            return false;
    }
    return !len || machine_hand(n, to, w->buffer, from, body, len);
}

/* One more message between the two, in each's books. */
static inline void passed(struct task *from, const struct link *l, struct task *to, u32 sent,
                          u32 read)
{
    from->sequence++;
    previous(from, &l->to, from->sequence);
    from->count.sent++;
    from->count.sent_in_call++;
    from->count.sent_bytes += sent;
    from->count.fast++;
    to->count.received++;
    to->count.received_bytes += read;
}

static inline void tell(struct demos_info *info, const struct link *l, u8 kind, u32 whole,
                        u32 read, s64 reply)
{
    bool request = kind == DEMOS_MSG_REQUEST;

    info->code = request ? l->code : 0;
    info->channel = request ? l->channel : 0;
    info->kind = kind;
    info->flags = whole > read ? DEMOS_TRUNCATED : 0;
    info->notice = 0;
    info->count = 0;
    info->length = whole;
    info->spare = 0;
    info->reply = reply;
    for (u32 i = 0; i < DEMOS_LINKS_MAX; i++)
        info->links[i] = 0;
}

/* The reply link of a CALL, in the table of who is to answer. */
static inline s64 put_reply(struct node *n, struct task *self, struct task *to, u64 room)
{
    struct link_slot *slot = link_take(&to->links);
    struct link *l = &slot->link;

    l->to = self->id;
    l->code = ++self->calls;
    l->check = 0;
    l->base = 0;
    l->len = MIN(room, (u64)DEMOS_BODY_MAX);
    l->hint = n->config.machine;
    l->incarnation = self->incarnation;
    l->channel = LINK_CHANNEL_CALL;
    l->moves = (u16)self->moves;
    l->attr = DEMOS_GIVE | DEMOS_ONCE;
    l->kind = DEMOS_REPLY_LINK;
    l->hops = 0;
    return slot->number;
}

/* Ends what `t` waits in, and the caller's turn: `t` goes on at once. */
static inline enum outcome run_next(struct node *n, struct thread *t, s64 said)
{
    call_over(t);
    t->pending = true;
    t->call = DEMOS_CALLS; /* over already, as call_conclude has it */
    t->args[0] = (u64)said;
    t->state = THREAD_RUNNING;
    n->handoff = NULL;
    n->chosen = t;
    return NODE_HANDOVER;
}

static inline bool outranked(const struct node *n, const struct thread *t)
{
    return n->ready_mask && n->ready_mask & ((1u << t->priority) - 1);
}

enum outcome fast_call(struct node *n, struct thread *t, s64 *result)
{
    const u64 *args = t->args;
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct task *self = t->task, *to;
    u32 len = (u32)args[2], read;
    struct thread *server;
    struct demos_info *info;
    struct wanted w;
    s64 reply;

    if (!slot || args[5] != DEMOS_FOREVER || len > DEMOS_BODY_MAX ||
        (slot->link.kind != DEMOS_REQUEST_LINK && slot->link.kind != DEMOS_RESOURCE) ||
        slot->link.attr & (DEMOS_TOKERNEL | DEMOS_ONCE | DEMOS_SWITCHBOARD))
        return call_general(n, t, result);
    server = partner(n, &slot->link);
    if (!server || !waits_for(server, slot->link.channel) || server->timer || self->key ||
        outranked(n, server) || !server->task->links.free || passes_links(n, self, args[4]))
        return call_general(n, t, result);
    to = server->task;
    w = wanted_by(server);
    read = (u32)MIN((u64)len, w.room);
    if (!put(n, self, args[1], to, &w, read, &info))
        return call_general(n, t, result);
    passed(self, &slot->link, to, len, read);
    reply = put_reply(n, self, to, args[2] >> 32);
    if (info)
        tell(info, &slot->link, DEMOS_MSG_REQUEST, len, read, reply);
    suspend(t, WAIT_REPLY);
    t->wait_serial = self->calls;
    t->wait_machine = NO_MACHINE;
    t->wait_hops = 0;
    return run_next(n, server, read);
}

/* The client is not to run next, or it is not as simple: a message, then what comes next. */
static enum outcome answer_apart(struct node *n, struct thread *t, s64 *result)
{
    const u64 *a = t->args;

    if (!straight_reply(n, t, (s64)a[0], a[1], (u32)a[2]))
        return call_general(n, t, result);
    return straight_next(n, t, result);
}

enum outcome fast_answer(struct node *n, struct thread *t, s64 *result)
{
    const u64 *args = t->args;
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct thread *client = slot ? caller(n, slot, (u32)args[2]) : NULL;
    struct task *self = t->task;
    struct demos_info *info;
    u32 whole = (u32)args[2], len;
    struct wanted w;

    if (!client || !list_empty(&self->queue) || !may_use(n, self) || outranked(n, client))
        return answer_apart(n, t, result);
    w = wanted_by(client);
    len = (u32)MIN((u64)whole, slot->link.len);
    if (!put(n, self, args[1], client->task, &w, len, &info))
        return answer_apart(n, t, result);
    passed(self, &slot->link, client->task, len, len);
    if (info)
        tell(info, &slot->link, DEMOS_MSG_REPLY, whole, len, 0);
    link_free(&self->links, slot);
    suspend(t, WAIT_MESSAGE);
    t->wait_set = args[5];
    t->progress = 1;
    return run_next(n, client, len);
}
