/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwarding addresses: what is left of a process on each machine it moved away from. Each
 * word about where a process is carries how often it had moved by then, so that older words
 * never replace newer ones. The creating machine is told of every move, and is asked when a
 * way is broken. A process knows which machines keep an address of it; they are told when
 * it ends, and forget.
 */
#include "guest/kernel/park.h"

struct forward *forward_find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->forwards)
    {
        struct forward *f = list_entry(node, struct forward, all);

        if (process_id_equal(&f->id, id))
            return f;
    }
    return NULL;
}

bool forward_set(struct node *n, const struct process_id *id, const struct place *at)
{
    struct forward *f = forward_find(n, id);

    if (!f) {
        f = node_alloc(n, sizeof(*f), true);
        if (!f)
            return false;
        f->id = *id;
        list_push_front(&n->forwards, &f->all);
    }
    f->at = f->latest = *at;
    return true;
}

static void forget(struct node *n, struct forward *f)
{
    list_remove(&f->all);
    node_free(n, f, sizeof(*f));
}

void forward_remove(struct node *n, const struct process_id *id)
{
    struct forward *f = forward_find(n, id);

    if (f)
        forget(n, f);
}

void forward_newer(struct forward *f, const struct place *now)
{
    if (now->moves > f->latest.moves)
        f->latest = *now;
}

const struct place *forward_way(const struct node *n, struct forward *f)
{
    if (!peer_gone(n, f->at.machine, f->at.epoch))
        return &f->at;
    if (f->latest.moves == f->at.moves || peer_gone(n, f->latest.machine, f->latest.epoch))
        return NULL;
    f->at = f->latest; /* what went the old way is lost or has arrived */
    return &f->at;
}

/* Where a machine that died was the last to have it, only the creating machine need know
 * that there was such a process: it decides whether to search. */
void forwards_dead(struct node *n)
{
    list_for_each_safe(node, &n->forwards)
    {
        struct forward *f = list_entry(node, struct forward, all);

        if (!forward_way(n, f) &&
            (f->id.machine != n->config.machine || !boot_is_ours(n, f->id.epoch)))
            forget(n, f);
    }
}

void forwards_free(struct node *n)
{
    while (!list_empty(&n->forwards))
        forget(n, list_entry(n->forwards.next, struct forward, all));
}

static void trail_resize(struct node *n, struct task *t, u32 count)
{
    u32 *fresh = count ? node_alloc(n, count * sizeof(u32), true) : NULL;

    if (count && !fresh)
        return; /* an address more is kept than need be, or one until its machine ends */
    if (count && t->trail_count)
        memcpy(fresh, t->trail, MIN(count, t->trail_count) * sizeof(u32));
    node_free(n, t->trail, t->trail_count * sizeof(u32));
    t->trail = fresh;
    t->trail_count = count;
}

static u32 trail_index(const struct task *t, u32 machine)
{
    u32 i = 0;

    while (i < t->trail_count && t->trail[i] != machine)
        i++;
    return i;
}

void trail_moved(struct node *n, struct task *t, u32 from)
{
    u32 here = trail_index(t, n->config.machine), count = t->trail_count;

    if (here < count) { /* it came back: there is no address of it here any more */
        t->trail[here] = t->trail[count - 1];
        trail_resize(n, t, count - 1);
    }
    count = t->trail_count;
    if (from == NO_MACHINE || trail_index(t, from) < count)
        return;
    trail_resize(n, t, count + 1);
    if (t->trail_count > count)
        t->trail[count] = from;
}

void trail_end(struct node *n, const struct task *t)
{
    bool home = t->id.machine == n->config.machine;

    if (!n->net)
        return;
    for (u32 i = 0; i < t->trail_count; i++) {
        home = home || t->trail[i] == t->id.machine;
        if (t->trail[i] != n->config.machine)
            kernel_send(n, t->trail[i], KERNEL_MSG_ENDED, &t->id, 0, 0, 0);
    }
    if (!home)
        kernel_send(n, t->id.machine, KERNEL_MSG_ENDED, &t->id, 0, 0, 0);
}

void trail_free(struct node *n, struct task *t)
{
    node_free(n, t->trail, t->trail_count * sizeof(u32));
    t->trail = NULL;
    t->trail_count = 0;
}
