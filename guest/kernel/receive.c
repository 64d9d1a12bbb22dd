/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RECEIVE, and the second half of CALL. A waiting thread is only woken; the message is
 * copied out when the thread runs again, in its own address space.
 */
#include "guest/kernel/core.h"

/* The message's links become the receiver's; their numbers go to `info`. */
static void take_links(struct node *n, struct task *t, struct message *m,
                       struct demos_info *info)
{
    if (m->flags & MESSAGE_HAS_REPLY)
        info->reply = link_insert(n, &t->links, &m->reply);
    info->count = m->link_count;
    for (u32 i = 0; i < m->link_count; i++) {
        info->links[i] = link_insert(n, &t->links, &m->links[i]);
        trace_by(n, KERNEL_T_linkin, &t->id, (u64)info->links[i], m->links[i].to.serial);
    }
}

static void untake(struct task *t, s64 number)
{
    struct link_slot *slot = link_find(&t->links, number);

    if (slot)
        link_remove(&t->links, slot);
}

static void untake_links(struct task *t, const struct demos_info *info)
{
    untake(t, info->reply);
    for (u32 i = 0; i < info->count; i++)
        untake(t, info->links[i]);
}

static u32 links_of(const struct message *m)
{
    return m->link_count + (m->flags & MESSAGE_HAS_REPLY ? 1u : 0u);
}

/* Copies everything out or nothing. Links are the receiver's afterwards. */
static s64 hand_over(struct node *n, struct thread *t, struct message *m, u64 buffer, u64 room,
                     u64 info_at)
{
    u32 len = (u32)MIN((u64)m->length, room);
    struct demos_info info = {
        .code = m->channel == LINK_CHANNEL_CALL ? 0 : m->code,
        .channel = m->channel == LINK_CHANNEL_CALL ? 0 : m->channel,
        .kind = m->kind,
        .notice = m->notice,
        .length = m->whole,
        .flags = (u8)((m->whole > len ? DEMOS_TRUNCATED : 0) |
                      (m->flags & MESSAGE_LINKS_LOST ? DEMOS_LINKS_LOST : 0)),
    };
    enum machine_result put = MACHINE_OK;
    u32 links = links_of(m);

    if (links && link_reserve(n, &t->task->links, links))
        return DEMOS_E_LINKS;
    if (len)
        put = machine_copy_out(n, t->task, buffer, m->body, len);
    if (put != MACHINE_OK)
        return access_error(put);
    if (links)
        take_links(n, t->task, m, &info);
    if (info_at)
        put = machine_copy_out(n, t->task, info_at, &info, sizeof(info));
    if (put != MACHINE_OK) {
        untake_links(t->task, &info);
        return access_error(put);
    }
    t->task->count.received++;
    t->task->count.received_bytes += len;
    t->task->count.notices += m->kind == DEMOS_MSG_NOTICE;
    trace_by(n, KERNEL_T_receive, &t->task->id,
             (u64)m->sender.machine << 32 | (u32)m->sender.serial, m->sequence);
    return (s64)len;
}

/* A message given straight to the thread goes where it would have been without that. */
static void undeliver(struct thread *t)
{
    struct message *m = t->delivered;

    t->delivered = NULL;
    list_push_back(&t->task->queue, &m->queue);
    t->task->queued++;
    t->task->queued_bytes += message_cost(m->length, m->link_count);
}

static s64 try_delivered(struct node *n, struct thread *t, const u64 *args)
{
    struct message *m = t->delivered;
    s64 done = hand_over(n, t, m, args[1], args[2], args[3]);

    if (done < 0) {
        undeliver(t);
        return done;
    }
    t->delivered = NULL;
    message_free(n, m);
    return done;
}

static s64 try_receive(struct node *n, struct thread *t, const u64 *args, struct message *m)
{
    s64 done = hand_over(n, t, m, args[1], args[2], args[3]);

    if (done >= 0) {
        queue_take(t->task, m);
        message_free(n, m);
        queue_shrunk(n, t->task);
    }
    return done;
}

s64 call_receive(struct node *n, struct thread *t, const u64 *args)
{
    struct task *task = t->task;
    struct message *m;

    s64 fed;

    if (input_fed(n, task, &fed))
        return fed;
    if (t->delivered)
        return try_delivered(n, t, args);
    m = may_use(n, task) ? queue_first(task, args[0]) : NULL;
    if (m)
        return try_receive(n, t, args, m);
    if (t->wait == WAIT_MESSAGE && t->wait_error) {
        input(n, task, t->wait_error);
        return t->wait_error;
    }
    if (args[4] == DEMOS_NOW) {
        input(n, task, DEMOS_E_TIMEOUT);
        return DEMOS_E_TIMEOUT;
    }
    if (args[4] != DEMOS_FOREVER && timer_room(n))
        return DEMOS_E_MEMORY;
    trace_by(n, KERNEL_T_receivecall, &task->id, args[0], args[4]);
    t->wait_set = args[0];
    thread_wait(n, t, WAIT_MESSAGE, args[4]);
    return CALL_WAIT;
}

/* An answer too rich for the table still answers: its links are destroyed, and it says so. */
static s64 without_links(struct node *n, struct thread *t, struct message *m)
{
    message_drop_links(n, m);
    m->link_count = 0;
    m->flags = (u8)((m->flags & ~MESSAGE_HAS_REPLY) | MESSAGE_LINKS_LOST);
    return hand_over(n, t, m, t->args[3], t->args[2] >> 32, t->args[4]);
}

s64 finish_call(struct node *n, struct thread *t)
{
    struct message *m = t->delivered;
    s64 done = t->wait_error;

    if (input_fed(n, t->task, &done)) {
        if (m)
            message_drop_links(n, m);
        t->delivered = NULL;
        if (m)
            message_free(n, m);
        return done;
    }
    if (!m) {
        if (done)
            input(n, t->task, done);
        return done ? done : CALL_WAIT;
    }
    if (m->kind == DEMOS_MSG_NOTICE) {
        done = m->notice == DEMOS_NOTICE_DEAD ? DEMOS_E_DEAD : DEMOS_E_DROPPED;
        t->task->count.notices++;
        input(n, t->task, done);
    } else {
        done = hand_over(n, t, m, t->args[3], t->args[2] >> 32, t->args[4]);
        if (done == DEMOS_E_LINKS)
            done = without_links(n, t, m);
        if (done == CALL_AGAIN)
            return done;
        if (done < 0)
            message_drop_links(n, m);
    }
    t->delivered = NULL;
    message_free(n, m);
    return done;
}
