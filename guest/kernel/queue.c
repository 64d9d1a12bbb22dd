/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of a process: what waits for it, oldest first, bounded by bytes. Room set
 * aside for expected replies counts as used, so a reply never finds the queue full.
 */
#include "guest/kernel/core.h"

static u32 cost_of(const struct message *m)
{
    return message_cost(m->length, m->link_count);
}

/* Room at `t` may have grown: those whose messages fit now try again, the first in line
 * first. Whoever then does not use what it was woken for calls this again. */
void queue_shrunk(struct node *n, struct task *t)
{
    u64 used = t->queued_bytes + t->reserved_bytes;
    u64 room = used < t->queue_limit ? t->queue_limit - used : 0;
    bool empty = !t->queued; /* then any one message fits */

    list_for_each_safe(node, &t->senders)
    {
        struct thread *th = list_entry(node, struct thread, run);

        if (th->wait_cost > room && !empty)
            continue;
        room -= MIN(room, (u64)th->wait_cost);
        empty = false;
        thread_wake(n, th);
    }
    if (!list_empty(&t->fences))
        fences_answer(n, t);
    t->awaited = !list_empty(&t->senders) || !list_empty(&t->fences);
}

/* A reply to a CALL goes to the thread that waits for it, or nowhere. */
static void deliver_reply(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);

    if (th && th->wait == WAIT_REPLY && th->wait_serial == m->code && !th->delivered) {
        th->delivered = m;
        if (th->state == THREAD_WAITING) {
            thread_wake(n, th);
            n->handoff = th;
        }
        return;
    }
    message_drop_links(n, m); /* the caller gave up waiting */
    message_free(n, m);
}

static void wake_receiver(struct node *n, struct task *t, const struct message *m, bool partner)
{
    struct thread *th = task_thread(t);

    if (!th || th->state != THREAD_WAITING || th->wait != WAIT_MESSAGE)
        return;
    if (!(th->wait_set & DEMOS_CHANNEL(m->channel)) || !may_use(n, t))
        return;
    thread_wake(n, th);
    if (partner)
        n->handoff = th;
}

void deliver(struct node *n, struct task *t, struct message *m)
{
    bool reply = m->flags & MESSAGE_RESERVED;

    trace_by(n, KERNEL_T_deliver, &t->id, (u64)m->sender.machine << 32 | (u32)m->sender.serial,
             m->sequence);
    if (t->state != DEMOS_MIGRATING) {
        if (m->attr & DEMOS_TOKERNEL) {
            list_push_back(&n->work, &m->queue);
            return;
        }
        if (m->channel == LINK_CHANNEL_CALL) {
            deliver_reply(n, t, m);
            return;
        }
        if ((reply || m->reserved) && !list_empty(&t->asked))
            asked_answered(n, t, m);
        if (reply)
            t->reserved_bytes -= MIN(m->reserved, t->reserved_bytes);
        m->reserved = 0;
        m->flags &= (u8)~MESSAGE_RESERVED; /* once, wherever it goes with its process */
    }
    list_push_back(&t->queue, &m->queue);
    t->queued++;
    t->queued_bytes += cost_of(m);
    t->count.queue_high = MAX(t->count.queue_high, t->queued_bytes);
    wake_receiver(n, t, m, reply || m->flags & MESSAGE_IN_CALL);
    if (reply)
        queue_shrunk(n, t); /* it may need less than was set aside */
}

void queue_take(struct task *t, struct message *m)
{
    list_remove(&m->queue);
    t->queued--;
    t->queued_bytes -= cost_of(m);
}
