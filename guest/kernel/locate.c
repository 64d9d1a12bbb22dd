/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Searches: where a process is when neither the link, nor a forwarding address, nor the
 * machine that made it can say, because some of them have died. Every machine known here is
 * asked, and every one that those know of; who has it says so, who has its forwarding
 * address says where it went, and the word with the most moves is followed. Messages to the
 * process wait meanwhile, in their order.
 *
 * The search ends when the process is found, or when all who live have said that they do
 * not have it: then it is dead. Until a membership authority has named all machines there
 * may be some nobody asked knows of; a few broadcasts, some time apart, are for them.
 */
#include "guest/kernel/park.h"

enum { TRIES = 3, NAMES_MOST = 4096 };
#define WAIT_NS 1000000000ull

enum asking { TO_ASK, ASKED, ANSWERED };

struct search {
    struct list all;
    struct process_id id;
    struct list held; /* messages */
    struct list waiters;
    struct list asked; /* machines, as struct owed; cost: enum asking */
    struct place best; /* the latest word about it */
    u32 followed;      /* moves of the last word that was followed */
    u32 tries;         /* broadcasts left */
    u64 deadline;      /* of the last broadcast */
};

static struct search *find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->searches)
    {
        struct search *s = list_entry(node, struct search, all);

        if (process_id_equal(&s->id, id))
            return s;
    }
    return NULL;
}

bool locate_gone(const struct node *n, const struct process_id *id)
{
    for (u32 i = 0; i < NODE_GONE; i++) {
        if (id->serial && process_id_equal(&n->gone[i], id))
            return true;
    }
    return false;
}

struct list *locate_waiters(const struct node *n, const struct process_id *id)
{
    struct search *s = list_empty(&n->searches) ? NULL : find(n, id);

    return s ? &s->waiters : NULL;
}

static struct owed *asked_find(const struct search *s, u32 machine)
{
    list_for_each(node, &s->asked)
    {
        struct owed *o = list_entry(node, struct owed, all);

        if (o->machine == machine)
            return o;
    }
    return NULL;
}

/* One more machine to ask, or one to ask again. */
static void add(struct node *n, struct search *s, u32 machine)
{
    struct owed *o = asked_find(s, machine);

    if (machine == n->config.machine || machine == NO_MACHINE || peer_gone(n, machine, 0))
        return;
    if (!o) {
        o = node_alloc(n, sizeof(*o), true);
        if (!o)
            machine_stop(n, "no memory to search for a process");
        o->machine = machine;
        list_push_back(&s->asked, &o->all);
    }
    o->cost = TO_ASK;
}

static void ask(struct node *n, struct search *s)
{
    list_for_each(node, &s->asked)
    {
        struct owed *o = list_entry(node, struct owed, all);

        if (o->cost != TO_ASK)
            continue;
        o->cost = ASKED;
        kernel_send(n, o->machine, KERNEL_MSG_LOCATE, &s->id, 0, 0, 0);
    }
}

static void broadcast(struct node *n, struct search *s)
{
    struct message *m = message_alloc(n, 40, 0, true);
    u8 head[MESSAGE_HEAD_MAX];

    s->tries--;
    s->deadline = machine_now(n) + WAIT_NS;
    if (!m)
        return; /* as if it had been lost */
    kernel_fill(n, m, NET_EVERYBODY, KERNEL_MSG_LOCATE, &s->id, 0, 0, 0);
    net_send(n->net, NET_EVERYBODY, NET_UNGUARANTEED, head, message_encode(m, head), m->body,
             m->length);
    message_free(n, m);
}

static void end(struct node *n, struct search *s)
{
    struct list *node;

    list_remove(&s->all);
    n->timed--;
    threads_wake(n, &s->waiters);
    while ((node = list_pop_front(&s->asked)) != NULL)
        node_free(n, list_entry(node, struct owed, all), sizeof(struct owed));
    node_free(n, s, sizeof(*s));
}

static void found(struct node *n, struct search *s, const struct place *at)
{
    struct forward *f = forward_find(n, &s->id);
    struct list *node;

    links_update(n, &s->id, at, ANY_MACHINE);
    if (f)
        f->at = f->latest = *at; /* the old way was broken, or there would be no search */
    list_remove(&s->all);        /* what is sent from here on goes there by itself */
    while ((node = list_pop_front(&s->held)) != NULL)
        send_on(n, at, list_entry(node, struct message, queue));
    end(n, s);
}

static void in_vain(struct node *n, struct search *s)
{
    struct list *node;

    n->gone[n->gone_next++ % NODE_GONE] = s->id;
    forward_remove(n, &s->id);
    list_remove(&s->all);
    while ((node = list_pop_front(&s->held)) != NULL)
        nobody(n, list_entry(node, struct message, queue));
    end(n, s);
}

/* The end of the search, if all that was to be heard has been heard. */
static void conclude(struct node *n, struct search *s)
{
    list_for_each(node, &s->asked)
    {
        struct owed *o = list_entry(node, struct owed, all);

        if (o->cost != ANSWERED && !peer_gone(n, o->machine, 0))
            return;
    }
    if (s->best.moves > s->followed && s->best.machine != n->config.machine &&
        !peer_gone(n, s->best.machine, s->best.epoch)) {
        s->followed = s->best.moves;
        add(n, s, s->best.machine);
        ask(n, s);
        return;
    }
    if (n->members || !s->tries)
        in_vain(n, s);
}

void locate(struct node *n, struct message *m)
{
    struct search *s = find(n, &m->target);

    if (!s && locate_gone(n, &m->target)) {
        nobody(n, m);
        return;
    }
    if (s) {
        list_push_back(&s->held, &m->queue);
        return;
    }
    s = node_alloc(n, sizeof(*s), true);
    if (!s)
        machine_stop(n, "no memory to search for a process");
    s->id = m->target;
    s->tries = TRIES;
    list_init(&s->held);
    list_init(&s->waiters);
    list_init(&s->asked);
    list_push_back(&n->searches, &s->all);
    n->timed++;
    list_push_back(&s->held, &m->queue);
    trace(n, KERNEL_T_locate, s->id.serial, s->id.machine, s->id.epoch);
    list_for_each(node, &n->peers) add(n, s, list_entry(node, struct peer, all)->machine);
    ask(n, s);
    if (!n->members)
        broadcast(n, s);
    conclude(n, s);
}

bool locate_holds(struct node *n, struct message *m)
{
    struct search *s = list_empty(&n->searches) ? NULL : find(n, &m->target);

    if (s)
        list_push_back(&s->held, &m->queue);
    return s;
}

/* HERE: id, machine (0: unknown), epoch << 32 | moves, 1 if it is here; then, where it is
 * not, numbers of machines the answerer knows. */
static void say_where(struct node *n, u32 machine, const struct process_id *id,
                      const struct place *at, bool here)
{
    u32 known = 0;
    struct message *m;

    list_for_each(node, &n->peers) known++;
    known = here ? 0 : MIN(known, (u32)NAMES_MOST);
    m = message_alloc(n, 40 + 4 * known, 0, true);
    if (!m)
        machine_stop(n, "no memory to answer a search");
    kernel_fill(n, m, machine, KERNEL_MSG_HERE, id, at->machine,
                (u64)at->epoch << 32 | at->moves, here);
    list_for_each(node, &n->peers)
    {
        const struct peer *p = list_entry(node, struct peer, all);

        if (!known)
            break;
        known--;
        be32_put(m->body + 40 + 4 * known, peer_gone(n, p->machine, 0) ? 0 : p->machine);
    }
    transmit(n, m, machine);
}

void locate_asked(struct node *n, const struct process_id *id, const struct message *m)
{
    const struct forward *f = forward_find(n, id);
    const struct task *t = node_find(n, id);
    struct place at = f ? f->latest : (struct place){0};
    bool here = t || migrate_coming(n, id);

    if (m->sender_machine == n->config.machine)
        return;
    if (!here && !f && m->target.machine == NET_EVERYBODY)
        return; /* whoever asks knows us, or does not need to */
    if (here)
        at = (struct place){n->config.machine, n->config.epoch, t ? t->moves : 0};
    say_where(n, m->sender_machine, id, &at, here);
}

void locate_answered(struct node *n, const struct process_id *id, const struct message *m)
{
    struct search *s = find(n, id);
    struct place at = {(u32)be64_get(m->body + 16), be32_get(m->body + 24),
                       be32_get(m->body + 28)};
    struct owed *o;

    if (!s || m->length < 40)
        return;
    if (be64_get(m->body + 32)) {
        found(n, s, &at);
        return;
    }
    o = asked_find(s, m->sender_machine);
    if (o)
        o->cost = ANSWERED;
    if (at.machine != NO_MACHINE && at.moves > s->best.moves)
        s->best = at;
    for (u32 i = 40; i + 4 <= m->length; i += 4) {
        u32 machine = be32_get(m->body + i);

        if (machine != NO_MACHINE && !asked_find(s, machine))
            add(n, s, machine);
    }
    ask(n, s);
    conclude(n, s);
}

void locate_timer(struct node *n)
{
    u64 now = machine_now(n);

    list_for_each_safe(node, &n->searches)
    {
        struct search *s = list_entry(node, struct search, all);

        if (s->deadline > now || n->members)
            continue;
        if (s->tries)
            broadcast(n, s);
        else
            s->deadline = ~(u64)0; /* what is not heard by now is heard from those asked */
        conclude(n, s);
    }
}

u64 locate_deadline(const struct node *n, u64 next)
{
    list_for_each(node, &n->searches)
    {
        const struct search *s = list_entry(node, struct search, all);

        next = n->members ? next : MIN(next, s->deadline);
    }
    return next;
}

void locate_dead(struct node *n)
{
    list_for_each_safe(node, &n->searches) conclude(n, list_entry(node, struct search, all));
}

void locate_arrived(struct node *n, const struct task *t)
{
    struct search *s = find(n, &t->id);
    struct list *node;

    if (!s)
        return;
    list_remove(&s->all);
    while ((node = list_pop_front(&s->held)) != NULL)
        route(n, list_entry(node, struct message, queue), n->config.machine);
    end(n, s);
}

void locate_free(struct node *n)
{
    while (!list_empty(&n->searches)) {
        struct search *s = list_entry(n->searches.next, struct search, all);

        while (!list_empty(&s->held))
            message_dead(n, list_entry(list_pop_front(&s->held), struct message, queue));
        end(n, s);
    }
}
