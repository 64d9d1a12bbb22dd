/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CALL and REPLY between two processes of a node, on a straight line: when nothing is out
 * of the ordinary, what call_send and the scheduler would have done, without asking. The
 * tests run every program both ways and compare.
 *
 * CALL: the server waits in RECEIVE on the link's channel, no links travel. REPLY: the
 * client waits for it.
 */
#include "guest/kernel/core.h"

/* As message_from, for what the straight path needs. */
static void stamp(struct node *n, struct task *t, struct message *m, const struct link *l)
{
    m->target = l->to;
    m->target_incarnation = l->incarnation;
    m->code = l->code;
    m->check = l->check;
    m->channel = l->channel;
    m->attr = l->attr;
    message_from(n, t, m);
    t->count.sent_in_call++;
    t->count.fast++;
    n->count.fast++;
}

static void wait_for_reply(struct thread *t, const u64 args[6], u64 serial)
{
    t->call = DEMOS_CALL;
    for (u32 i = 0; i < 6; i++)
        t->args[i] = args[i];
    t->progress = 0;
    t->deadline = ~(u64)0;
    t->state = THREAD_WAITING;
    t->wait = WAIT_REPLY;
    t->wait_serial = serial;
    t->wait_machine = 0;
    t->wait_error = 0;
    t->pending = true;
}

/* The partner's wait is over: it holds the message, and is next. */
static void hand_to(struct node *n, struct thread *partner, struct message *m)
{
    partner->delivered = m;
    list_push_back(&n->ready[partner->priority], &partner->run);
    n->ready_mask |= 1u << partner->priority;
    partner->state = THREAD_READY;
    n->handoff = partner;
}

static struct message *copy_body(struct node *n, struct task *t, u64 from, u32 len)
{
    struct message *m = message_alloc(n, len, 0, false);

    if (m && len && machine_copy_in(n, t, m->body, from, len) != MACHINE_OK) {
        message_free(n, m);
        return NULL; /* the general path finds out why */
    }
    return m;
}

/* Links travel with it, as far as one can see. */
static bool passes_links(struct node *n, struct task *t, u64 info_at)
{
    u8 count = 0;

    if (!info_at)
        return false;
    return machine_copy_in(n, t, &count, info_at + offsetof(struct demos_info, count), 1) !=
               MACHINE_OK ||
           count;
}

s64 fast_call(struct node *n, struct thread *t, const u64 args[6])
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    u32 len = (u32)args[2];
    struct task *target;
    struct thread *server;
    struct message *m;

    if (t->slow || !slot || args[5] != DEMOS_FOREVER || len > DEMOS_BODY_MAX)
        return CALL_GENERAL;
    if ((slot->link.kind != DEMOS_REQUEST_LINK && slot->link.kind != DEMOS_RESOURCE) ||
        slot->link.attr & (DEMOS_TOKERNEL | DEMOS_ONCE | DEMOS_SWITCHBOARD))
        return CALL_GENERAL;
    target = node_find(n, &slot->link.to);
    server = target ? task_thread(target) : NULL;
    if (!server || server->slow || server->state != THREAD_WAITING ||
        server->wait != WAIT_MESSAGE || server->timer ||
        !(server->wait_set & DEMOS_CHANNEL(slot->link.channel)))
        return CALL_GENERAL;
    if (t->task->sequence < t->task->discard_until || target->held ||
        n->ready_mask & ((1u << server->priority) - 1) || passes_links(n, t->task, args[4]))
        return CALL_GENERAL;
    m = copy_body(n, t->task, args[1], len);
    if (!m)
        return CALL_GENERAL;
    m->kind = DEMOS_MSG_REQUEST;
    m->flags = MESSAGE_HAS_REPLY | MESSAGE_IN_CALL;
    stamp(n, t->task, m, &slot->link);
    m->reply = (struct link){
        .to = t->task->id,
        .code = ++t->task->calls,
        .len = MIN(args[2] >> 32, (u64)DEMOS_BODY_MAX),
        .hint = n->config.machine,
        .incarnation = t->task->incarnation,
        .channel = LINK_CHANNEL_CALL,
        .attr = DEMOS_GIVE | DEMOS_ONCE,
        .kind = DEMOS_REPLY_LINK,
    };
    if (t->task->key)
        m->reply.check = link_check(&m->reply, t->task->key);
    wait_for_reply(t, args, m->reply.code);
    hand_to(n, server, m);
    return CALL_WAIT;
}

s64 fast_reply(struct node *n, struct thread *t, const u64 args[6])
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct task *target;
    struct thread *client;
    struct message *m;

    if (t->slow || !slot || slot->link.channel != LINK_CHANNEL_CALL || args[3] ||
        args[2] > DEMOS_BODY_MAX)
        return CALL_GENERAL;
    target = node_find(n, &slot->link.to);
    client = target ? task_thread(target) : NULL;
    if (!client || client->slow || client->state != THREAD_WAITING || client->timer ||
        client->wait != WAIT_REPLY || client->wait_serial != slot->link.code)
        return CALL_GENERAL;
    if (t->task->sequence < t->task->discard_until)
        return CALL_GENERAL;
    m = copy_body(n, t->task, args[1], (u32)MIN(args[2], slot->link.len));
    if (!m)
        return CALL_GENERAL;
    m->kind = DEMOS_MSG_REPLY;
    m->whole = (u32)args[2];
    m->flags = MESSAGE_IN_CALL;
    stamp(n, t->task, m, &slot->link);
    link_remove(&t->task->links, slot);
    hand_to(n, client, m);
    return 0;
}
