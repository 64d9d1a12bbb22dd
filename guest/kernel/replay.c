/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes a process's life repeatable: every result that its messages do not imply is
 * an input with a number, and on record with the messages read and sent before it. A
 * replay makes the process again under its own id, feeds the inputs back, drops what it
 * had sent already, and holds new messages until it has caught up.
 */
#include "guest/kernel/core.h"

struct fed {
    struct list all;
    struct node_input input;
};

void input(struct node *n, struct task *t, s64 value)
{
    t->inputs++;
    trace_by(n, KERNEL_T_input, &t->id, t->inputs, (u64)value);
}

/* Straight paths know nothing of replays: a process takes the general ones while one lasts. */
void replay_settle(struct node *n, struct task *t)
{
    task_slow(n, t, SLOW_PUBLISH,
              t->held || !list_empty(&t->feed) || t->sequence < t->discard_until);
}

/* The input that a replay has for this very point of the process's life. */
bool input_fed(struct node *n, struct task *t, s64 *value)
{
    struct fed *f;

    if (list_empty(&t->feed))
        return false;
    f = list_entry(t->feed.next, struct fed, all);
    if (f->input.number != t->inputs + 1 || f->input.received != t->count.received ||
        f->input.sequence != t->sequence)
        return false;
    *value = f->input.value;
    input(n, t, *value);
    list_remove(&f->all);
    node_free(n, f, sizeof(*f));
    replay_settle(n, t);
    return true;
}

void input_free(struct node *n, struct task *t)
{
    struct list *node;

    while ((node = list_pop_front(&t->feed)) != NULL)
        node_free(n, list_entry(node, struct fed, all), sizeof(struct fed));
}

struct task *node_recreate(struct node *n, const struct process_id *id, const char *name,
                           const struct demos_limits *limits)
{
    return node_find(n, id) ? NULL : task_create(n, id, name, limits);
}

int node_feed(struct node *n, struct task *t, const struct node_input *input)
{
    struct fed *f = node_alloc(n, sizeof(*f), false);

    if (!f)
        return DEMOS_E_MEMORY;
    f->input = *input;
    list_push_back(&t->feed, &f->all);
    replay_settle(n, t);
    return 0;
}

void node_discard(struct node *n, struct task *t, u64 sequence)
{
    t->discard_until = sequence;
    replay_settle(n, t);
}

void node_hold(struct node *n, struct task *t, bool hold)
{
    struct thread *th = task_thread(t);

    t->held = hold;
    replay_settle(n, t);
    if (!hold && th->state == THREAD_WAITING && th->wait == WAIT_MESSAGE &&
        queue_first(t, th->wait_set))
        thread_wake(n, th);
}
