/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node that comes from the past: its memory is that of an earlier moment, and its machine has
 * lived on from there once before. That life is over, as a boot is that was followed by another.
 * What it was in the middle of with other machines has no answer: whoever waits here is told so as
 * if they had died, and they are told that the old boot has. Messages of theirs that wait here were
 * delivered in that life, and are not again.
 *
 * Its processes keep their names. One that another machine has, too, because it moved there in the
 * other life, is that machine's.
 */
#include "guest/kernel/park.h"

/* For the length of node_from_past: nothing reaches them, and nothing comes. */
static void all_gone(struct node *n)
{
    list_for_each(node, &n->peers)
    {
        struct peer *p = list_entry(node, struct peer, all);

        p->dead_before = p->dead_epoch;
        p->dead_epoch = ~0u;
    }
}

static void all_back(struct node *n)
{
    list_for_each(node, &n->peers)
    {
        struct peer *p = list_entry(node, struct peer, all);

        p->dead_epoch = p->dead_before;
        p->untold = true;
    }
}

/* Telling one may change the peers' order. */
static const struct peer *next_untold(struct node *n)
{
    list_for_each(node, &n->peers)
    {
        struct peer *p = list_entry(node, struct peer, all);

        if (!p->untold)
            continue;
        p->untold = false;
        if (!peer_gone(n, p->machine, 0))
            return p;
    }
    return NULL;
}

/* Answers are to what is asked here, and the asker has not read them. */
static bool stays(const struct node *n, const struct message *m)
{
    return m->sender_machine == n->config.machine || m->kind == DEMOS_MSG_REPLY ||
           m->kind == DEMOS_MSG_NOTICE;
}

static void drop_delivered(struct node *n, struct task *t)
{
    list_for_each_safe(node, &t->queue)
    {
        struct message *m = list_entry(node, struct message, queue);

        if (stays(n, m))
            continue;
        queue_take(t, m);
        message_dead(n, m);
    }
    queue_shrunk(n, t);
}

static void end_all_waits(struct node *n)
{
    remote_forget(n);
    list_for_each(node, &n->peers)
    {
        u32 machine = list_entry(node, struct peer, all)->machine;

        switchboard_machine_dead(n, machine);
        keeper_machine_dead(n, machine);
    }
    for (u32 row = 0; row < n->row_count; row++)
        if (n->rows[row])
            drop_delivered(n, n->rows[row]);
    asked_check_all(n);
}

/* PAST: the first boot that counts. */
static void tell(struct node *n)
{
    static const struct process_id none;
    const struct peer *p;

    while ((p = next_untold(n)) != NULL)
        kernel_send(n, p->machine, KERNEL_MSG_PAST, &none, n->config.epoch, 0, 0);
}

/* In this boot they are here, whatever became of them in the other life. */
static void record_all(struct node *n)
{
    for (u32 row = 0; row < n->row_count; row++) {
        const struct task *t = n->rows[row];

        if (t)
            trace_create(n, t);
    }
}

void node_from_past(struct node *n, u32 epoch, struct net *net)
{
    if (n->net) {
        all_gone(n);
        end_all_waits(n);
        kernel_work(n);
        all_back(n);
    }
    if (!n->born)
        n->born = n->config.epoch;
    n->config.epoch = epoch;
    n->net = net;
    record_all(n);
    if (!net)
        return;
    net_set_owner(net, n);
    net_set_trace(net, n->config.flags & NODE_TRACE);
    switchboard_again(n);
    tell(n);
}

/* Processes that have moved may be where they were before, too. */
static void tell_moved(struct node *n, u32 machine)
{
    for (u32 row = 0; row < n->row_count; row++) {
        const struct task *t = n->rows[row];
        struct place at = {n->config.machine, n->config.epoch, t ? t->moves : 0};

        if (t && t->moves)
            kernel_place(n, machine, KERNEL_MSG_HERE, &t->id, &at, 1);
    }
}

void past_heard(struct node *n, u32 machine, u32 epoch)
{
    if (!epoch || machine == n->config.machine)
        return;
    node_declare_dead(n, machine, epoch - 1);
    tell_moved(n, machine);
}

bool past_doubled(struct node *n, const struct process_id *id, const struct place *at)
{
    struct task *t = n->born ? node_find(n, id) : NULL;

    if (!t || at->moves <= t->moves)
        return false;
    if (t->state != DEMOS_MIGRATING && forward_set(n, id, at)) {
        trace_by(n, KERNEL_T_end, id, DEMOS_END_NODE, 0);
        task_depart(n, t, at->machine);
    }
    return true;
}
