/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is waited for. A process that has asked waits for whoever holds its reply link, and
 * that link may go on from machine to machine: each kernel that sends one away tells the
 * asker's kernel where to. So when a machine is declared dead, everybody whose answer went
 * down with it is told, and nobody else. Links that tell their maker when they are destroyed
 * (TELLDEST) and of which there is but one copy (no DUP) are followed alike, once they have
 * left their maker's machine.
 *
 * Such links count their hops, since such words may overtake each other. Those with
 * one code and channel are told apart by who held the link before.
 */
#include "guest/kernel/park.h"

struct asked *asked_add(struct node *n, struct task *t, const struct link *reply)
{
    struct asked *a = node_alloc(n, sizeof(*a), true);

    if (!a)
        return NULL;
    a->code = reply->code;
    a->channel = reply->channel;
    a->reserved = reply->base;
    a->machine = n->config.machine;
    a->epoch = n->config.epoch;
    a->hops = reply->hops;
    list_push_back(&t->asked, &a->all);
    return a;
}

/* One that was held by `machine`, else any with this code; NULL: it has been answered. */
static struct asked *find_asked(const struct task *t, u64 code, u32 channel, u32 machine,
                                bool tells)
{
    struct asked *any = NULL;

    list_for_each(node, &t->asked)
    {
        struct asked *a = list_entry(node, struct asked, all);

        if (a->code != code || a->channel != channel || a->tells != tells)
            continue;
        if (a->machine == machine)
            return a;
        any = any ? any : a;
    }
    return any;
}

void asked_answered(struct node *n, struct task *t, const struct message *m)
{
    bool tells = m->kind == DEMOS_MSG_NOTICE && m->notice == DEMOS_NOTICE_DESTROYED;
    struct asked *a = find_asked(t, m->code, m->channel, m->sender_machine, tells);

    if (!a)
        return;
    list_remove(&a->all);
    node_free(n, a, sizeof(*a));
}

void asked_free(struct node *n, struct task *t)
{
    struct list *node;

    while ((node = list_pop_front(&t->asked)) != NULL)
        node_free(n, list_entry(node, struct asked, all), sizeof(struct asked));
}

/* The answer for one whose holder is no more; its arrival takes `a` away. */
static void answer_dead(struct node *n, struct task *t, struct asked *a)
{
    struct link reply = {.to = t->id,
                         .code = a->code,
                         .base = a->reserved,
                         .hint = n->config.machine,
                         .incarnation = t->incarnation,
                         .channel = (u16)a->channel,
                         .kind = a->tells ? DEMOS_GENERAL : DEMOS_REPLY_LINK};

    a->machine = n->config.machine; /* so that this one is found, not one like it */
    a->epoch = n->config.epoch;
    notice(n, &reply, a->tells ? DEMOS_NOTICE_DESTROYED : DEMOS_NOTICE_DEAD, NULL, 0);
}

static bool lost(const struct node *n, u32 machine, u32 epoch)
{
    return machine != NO_MACHINE && machine != n->config.machine &&
           peer_gone(n, machine, epoch);
}

static struct asked *first_lost(const struct node *n, const struct task *t)
{
    list_for_each(node, &t->asked)
    {
        struct asked *a = list_entry(node, struct asked, all);

        if (lost(n, a->machine, a->epoch))
            return a;
    }
    return NULL;
}

void asked_check(struct node *n, struct task *t)
{
    struct thread *th = task_thread(t);
    struct asked *a;

    if (t->state == DEMOS_MIGRATING)
        return; /* whoever has it next looks again */
    while ((a = first_lost(n, t)) != NULL)
        answer_dead(n, t, a);
    if (th && th->state == THREAD_WAITING && th->wait == WAIT_REPLY && !th->delivered &&
        lost(n, th->wait_machine, th->wait_epoch))
        thread_wake_error(n, th, DEMOS_E_DEAD);
}

void asked_check_all(struct node *n)
{
    for (u32 row = 0; row < n->row_count; row++) {
        if (n->rows[row])
            asked_check(n, n->rows[row]);
    }
}

/* Links whose holder matters: those of requests, and those that tell. */
static bool followed(const struct link *l)
{
    return l->kind == DEMOS_REPLY_LINK ||
           (l->attr & (DEMOS_TELLDEST | DEMOS_DUP)) == DEMOS_TELLDEST;
}

/* One that has made fewer hops than the link, held by `before` or by whoever. */
static struct asked *find_behind(const struct task *t, const struct link *reply, u32 before)
{
    bool tells = reply->kind != DEMOS_REPLY_LINK;
    struct asked *any = NULL;

    list_for_each(node, &t->asked)
    {
        struct asked *a = list_entry(node, struct asked, all);

        if (a->code != reply->code || a->channel != reply->channel || a->tells != tells ||
            (s8)(reply->hops - a->hops) <= 0)
            continue;
        if (a->machine == before)
            return a;
        any = any ? any : a;
    }
    return any;
}

static struct asked *tells_add(struct node *n, struct task *t, const struct link *l)
{
    struct asked *a = asked_add(n, t, l);

    if (!a)
        return NULL;
    a->tells = true;
    a->reserved = 0;
    return a;
}

void asked_leaves(struct node *n, struct task *t)
{
    for (u32 row = 0; row < n->row_count; row++) {
        const struct task *holder = n->rows[row];

        for (u32 i = 0; holder && holder != t && i < holder->links.fresh; i++) {
            const struct link_slot *slot = &holder->links.slots[i];
            const struct link *l = &slot->link;

            if (slot->number && l->kind != DEMOS_REPLY_LINK && followed(l) &&
                process_id_equal(&l->to, &t->id) &&
                !find_asked(t, l->code, l->channel, n->config.machine, true))
                tells_add(n, t, l);
        }
    }
}

void asked_held(struct node *n, struct task *t, const struct link *reply, u32 before,
                const struct place *now)
{
    struct thread *th = task_thread(t);
    struct asked *a;

    if (reply->channel == LINK_CHANNEL_CALL) {
        if (!th || th->wait != WAIT_REPLY || th->wait_serial != reply->code ||
            (s8)(reply->hops - th->wait_hops) <= 0)
            return;
        th->wait_machine = now->machine;
        th->wait_epoch = now->epoch;
        th->wait_hops = reply->hops;
    } else {
        a = find_behind(t, reply, before);
        if (!a && reply->kind != DEMOS_REPLY_LINK && before == n->config.machine)
            a = tells_add(n, t, reply); /* its first way from here */
        if (!a)
            return;
        a->machine = now->machine;
        a->epoch = now->epoch;
        a->hops = reply->hops;
    }
    if (lost(n, now->machine, now->epoch))
        asked_check(n, t);
}

/* HELD: code, channel << 32 | hops, machine << 32 | epoch, kind << 32 | machine before. */
static void say_held(struct node *n, const struct link *reply, u32 before,
                     const struct place *now)
{
    struct message *m = message_alloc(n, 32, 0, true);

    if (!m)
        machine_stop(n, "no memory to say who has a reply link");
    message_to_link(m, reply);
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = KERNEL_MSG_HELD;
    m->channel = 0;
    m->flags = 0;
    m->reserved = 0;
    m->attr = DEMOS_TOKERNEL;
    be64_put(m->body, reply->code);
    be64_put(m->body + 8, (u64)reply->channel << 32 | reply->hops);
    be64_put(m->body + 16, (u64)now->machine << 32 | now->epoch);
    be64_put(m->body + 24, (u64)reply->kind << 32 | before);
    route(n, m, reply->hint);
}

void asked_held_message(struct node *n, struct task *t, const struct message *m)
{
    struct link reply = {.code = be64_get(m->body),
                         .channel = (u16)be32_get(m->body + 8),
                         .kind = m->body[27],
                         .hops = m->body[15]};
    struct place now = {be32_get(m->body + 16), be32_get(m->body + 20), 0};

    asked_held(n, t, &reply, be32_get(m->body + 28), &now);
}

/* A link that is followed goes from one machine to another. */
static void reply_moves(struct node *n, struct link *reply, u32 before, u32 machine)
{
    struct task *t = node_find(n, &reply->to);
    struct place now = {machine, peer_boot(n, machine), 0};

    if (!reply->to.serial)
        return; /* a kernel's own: those of frames have their pagers watched (keeper.c) */
    reply->hops++;
    if (t)
        asked_held(n, t, reply, before, &now);
    else
        say_held(n, reply, before, &now);
}

void replies_leave(struct node *n, struct message *m, u32 machine)
{
    if (m->class == MESSAGE_KERNEL) {
        bulk_leaves(n, m, machine); /* its link is only spoken of */
        return;
    }
    if (m->flags & MESSAGE_HAS_REPLY)
        reply_moves(n, &m->reply, n->config.machine, machine);
    for (u32 i = 0; i < m->link_count; i++) {
        if (followed(&m->links[i]))
            reply_moves(n, &m->links[i], n->config.machine, machine);
    }
}

void replies_arrived(struct node *n, struct task *t, u32 source)
{
    if (t->watch.kind != DEMOS_KINDS && followed(&t->watch))
        reply_moves(n, &t->watch, source, n->config.machine);
    for (u32 i = 0; i < t->links.fresh; i++) {
        struct link_slot *slot = &t->links.slots[i];

        if (slot->number && followed(&slot->link))
            reply_moves(n, &slot->link, source, n->config.machine);
    }
}
