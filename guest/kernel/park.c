/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Order in the two cases where the network's own is not enough.
 *
 * No room: the receiver's kernel sends the message back (BUSY) and, from then on, all that
 * machine sends to that process, until a FENCE from there. The sender's kernel parks them
 * and what follows, sends one FENCE, and gets FENCED when there is room. The network keeps
 * the order of bounces and answer, so that by then everything is back.
 *
 * Moved: after a link update the sender's kernel parks new messages and sends a FENCE the
 * old way, behind what went there before; the process's new kernel answers it.
 */
#include "guest/kernel/park.h"

struct park *park_find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->parks)
    {
        struct park *p = list_entry(node, struct park, all);

        if (process_id_equal(&p->id, id))
            return p;
    }
    return NULL;
}

/* FENCE travels like a message to the process, but for its kernel and past the park. */
static void fence_by(struct node *n, const struct park *p, u32 machine, u32 cost)
{
    struct message *m = message_alloc(n, 40, 0, true);

    if (!m)
        machine_stop(n, "no memory for a fence");
    kernel_fill(n, m, machine, KERNEL_MSG_FENCE, &p->id, cost, p->serial, 0);
    m->target = p->id;
    m->attr = DEMOS_TOKERNEL;
    trace(n, KERNEL_T_fence, p->id.serial, p->moved, machine);
    if (machine == n->config.machine || machine == NO_MACHINE)
        route(n, m, machine);
    else
        transmit(n, m, machine);
}

static void send_fence(struct node *n, const struct park *p, u32 machine, u32 cost)
{
    fence_by(n, p, node_find(n, &p->id) ? n->config.machine : machine, cost);
}

/* Room for what came back first is what a FENCE asks for; without, it is about order. */
static u32 fence_cost(const struct park *p)
{
    const struct message *m;

    if (p->moved || list_empty(&p->bounced))
        return 0;
    m = list_entry(p->bounced.next, struct message, queue);
    return message_cost(m->length, m->link_count);
}

static struct park *park_add(struct node *n, const struct process_id *id, u32 machine,
                             bool moved)
{
    struct park *p = node_alloc(n, sizeof(*p), true);

    if (!p)
        machine_stop(n, "no memory to park messages");
    p->id = *id;
    p->hint = p->by = machine;
    p->serial = ++n->fences;
    p->moved = moved;
    list_init(&p->bounced);
    list_init(&p->held);
    list_init(&p->waiters);
    list_push_back(&n->parks, &p->all);
    return p;
}

static struct owed *owed_find(const struct list *l, u32 machine)
{
    list_for_each(node, l)
    {
        struct owed *o = list_entry(node, struct owed, all);

        if (o->machine == machine)
            return o;
    }
    return NULL;
}

static void owed_add(struct node *n, struct list *l, u32 machine, u32 cost, u32 serial)
{
    struct owed *o = owed_find(l, machine);

    if (o) {
        o->serial = serial;
        return;
    }
    o = node_alloc(n, sizeof(*o), true);
    if (!o)
        machine_stop(n, "no memory to remember who waits for room");
    o->machine = machine;
    o->cost = cost;
    o->serial = serial;
    list_push_back(l, &o->all);
}

static void owed_remove(struct node *n, struct owed *o)
{
    list_remove(&o->all);
    node_free(n, o, sizeof(*o));
}

bool must_bounce(struct node *n, const struct task *t, const struct message *m)
{
    return owed_find(&t->rejected, m->sender_machine) ||
           !queue_has_room(t, message_cost(m->length, m->link_count)) ||
           n->heap->in_use + n->reserve > n->heap->total;
}

void bounce(struct node *n, struct task *t, struct message *m)
{
    n->count.bounced++;
    trace(n, KERNEL_T_bounce, t->id.serial, m->sender_machine, m->sequence);
    owed_add(n, &t->rejected, m->sender_machine, 0, 0);
    if (m->sender_machine == n->config.machine) {
        came_back(n, m, n->config.machine);
        return;
    }
    m->flags |= MESSAGE_BOUNCED;
    transmit_back(n, m, m->sender_machine);
}

void came_back(struct node *n, struct message *m, u32 from)
{
    struct park *p = park_find(n, &m->target);
    bool fresh = !p;

    m->flags &= (u8) ~(MESSAGE_BOUNCED | MESSAGE_FORWARDED);
    m->via = NO_MACHINE;
    if (!p)
        p = park_add(n, &m->target, from, false);
    list_push_back(&p->bounced, &m->queue);
    if (fresh)
        send_fence(n, p, from, message_cost(m->length, m->link_count));
}

static void park_end(struct node *n, struct park *p, u32 machine, bool dead)
{
    struct list *lists[] = {&p->bounced, &p->held};
    struct task *t = node_find(n, &p->id);

    list_remove(&p->all);
    if (t && t->arriving) {
        t->arriving = false;
        task_slow(n, t, SLOW_GATE, false);
    }
    for (u32 i = 0; i < ARRAY_SIZE(lists); i++) {
        while (!list_empty(lists[i])) {
            struct message *m = list_entry(lists[i]->next, struct message, queue);

            list_remove(&m->queue);
            if (dead)
                nobody(n, m);
            else
                route(n, m, machine);
        }
    }
    threads_wake(n, &p->waiters);
    node_free(n, p, sizeof(*p));
}

static struct place here(const struct node *n, const struct task *t)
{
    return (struct place){n->config.machine, n->config.epoch, t->moves};
}

static void answer_fence(struct node *n, const struct task *t, u32 machine, u32 serial)
{
    struct place at = here(n, t);
    struct park *p;

    if (machine != n->config.machine) {
        kernel_place(n, machine, KERNEL_MSG_FENCED, &t->id, &at, serial);
        return;
    }
    p = park_find(n, &t->id);
    if (p && p->serial == serial)
        park_end(n, p, machine, false);
}

void fence_gone(struct node *n, u32 machine, const struct process_id *id, u32 serial)
{
    struct park *p;

    if (machine != n->config.machine) {
        kernel_send(n, machine, KERNEL_MSG_GONE, id, 0, 0, serial);
        return;
    }
    p = park_find(n, id);
    if (p && p->serial == serial)
        park_end(n, p, NO_MACHINE, true);
}

static struct owed *served(const struct task *t)
{
    list_for_each(node, &t->fences)
    {
        struct owed *o = list_entry(node, struct owed, all);

        if (!o->cost || queue_has_room(t, o->cost))
            return o;
    }
    return NULL;
}

/* Those who asked for as much room as there is now may go on. */
void fences_answer(struct node *n, struct task *t)
{
    struct owed *o;

    while ((o = served(t)) != NULL) {
        u32 machine = o->machine, serial = o->serial;

        owed_remove(n, o);
        answer_fence(n, t, machine, serial);
    }
}

/* Room is what a fence with a cost asks for; one without is about order alone. */
static void fence(struct node *n, struct task *t, struct message *m)
{
    struct owed *o = owed_find(&t->rejected, m->sender_machine);

    if (o)
        owed_remove(n, o);
    owed_add(n, &t->fences, m->sender_machine, (u32)be64_get(m->body + 16),
             (u32)be64_get(m->body + 24));
    t->awaited = true;
    fences_answer(n, t);
}

/* The machine it said before, if this word is news to it. */
static u32 link_update(struct link *l, const struct place *at, u32 wrong)
{
    u32 before = l->hint;

    if (before == at->machine) {
        l->moves = (u16)at->moves;
        return NO_MACHINE;
    }
    if (wrong != ANY_MACHINE && wrong != before && !count_after((u16)at->moves, l->moves))
        return NO_MACHINE;
    l->hint = at->machine;
    l->moves = (u16)at->moves;
    return before;
}

u32 links_update(struct node *n, const struct process_id *id, const struct place *at, u32 wrong)
{
    u32 before = NO_MACHINE, changed = 0;

    for (u32 row = 0; row < n->row_count; row++) {
        struct link_table *table = n->rows[row] ? &n->rows[row]->links : NULL;

        for (u32 i = 0; table && i < table->fresh; i++) {
            struct link_slot *slot = &table->slots[i];
            u32 was = NO_MACHINE;

            if (slot->number && process_id_equal(&slot->link.to, id))
                was = link_update(&slot->link, at, wrong);
            before = before == NO_MACHINE ? was : before;
            changed += was != NO_MACHINE;
        }
    }
    keeper_update(n, id, at->machine);
    changed += switchboard_update(n, id, at->machine);
    n->count.updates++;
    trace(n, KERNEL_T_update, id->serial, at->machine, changed);
    return before;
}

/* Our own messages went by machine `by` so far: they arrive before any that go straight. */
static void follow(struct node *n, const struct process_id *id, u32 hint, u32 by)
{
    struct park *p;

    if (by == NO_MACHINE || by == n->config.machine || peer_gone(n, by, 0))
        return;
    p = park_add(n, id, hint, true);
    p->by = by;
    fence_by(n, p, by, 0);
}

static void update(struct node *n, const struct process_id *id, const struct place *at,
                   u32 from)
{
    struct forward *f = forward_find(n, id);
    struct park *p = park_find(n, id);
    u32 by;

    if (node_find(n, id) || migrate_coming(n, id))
        return; /* it has come here since */
    if (f)
        forward_newer(f, at);
    else if (id->machine == n->config.machine && boot_is_ours(n, id->epoch))
        return; /* we made it, and it has ended since */
    by = links_update(n, id, at, from);
    if (p && by != NO_MACHINE) {
        p->hint = at->machine;
        p->moved = true;
    } else if (!p) {
        follow(n, id, at->machine, by);
    }
}

void park_transit(struct node *n, const struct forward *f)
{
    struct park *p = park_add(n, &f->id, f->latest.machine, true);

    p->by = f->at.machine;
    p->transit = true;
    fence_by(n, p, p->by, 0);
}

/* Everything that went the old way is there: from now on by the new one. */
static void fenced(struct node *n, struct park *p, const struct place *at)
{
    struct forward *f = forward_find(n, &p->id);

    if (f && at->moves >= f->at.moves) {
        f->at = *at;
        forward_newer(f, at);
    }
    links_update(n, &p->id, at, ANY_MACHINE);
    park_end(n, p, at->machine, false);
}

enum { ABOUT = 40 }; /* bytes of a message about a process */

/* Asked for, or because we come from the past. */
static void here_heard(struct node *n, const struct process_id *id, const struct place *at,
                       const struct message *m)
{
    if (!be64_get(m->body + 32) || !past_doubled(n, id, at))
        locate_answered(n, id, m);
}

static void about_process(struct node *n, struct task *t, struct message *m)
{
    struct process_id about = {be32_get(m->body), be32_get(m->body + 4), be64_get(m->body + 8)};
    struct place at = {(u32)be64_get(m->body + 16), be32_get(m->body + 24),
                       be32_get(m->body + 28)};
    u32 serial = (u32)be64_get(m->body + 32);
    struct park *p = park_find(n, &about);

    p = p && p->serial == serial ? p : NULL;
    if (m->kind == KERNEL_MSG_FENCE && t)
        fence(n, t, m);
    else if (m->kind == KERNEL_MSG_UPDATE)
        update(n, &about, &at, m->sender_machine);
    else if (p && m->kind == KERNEL_MSG_FENCED)
        fenced(n, p, &at);
    else if (p && m->kind == KERNEL_MSG_GONE)
        park_end(n, p, NO_MACHINE, true);
    else if (m->kind == KERNEL_MSG_LOCATE)
        locate_asked(n, &about, m);
    else if (m->kind == KERNEL_MSG_HERE)
        here_heard(n, &about, &at, m);
    else if (m->kind == KERNEL_MSG_REJECTING)
        migrate_rejecting(n, &about, (u32)be64_get(m->body + 16));
    else if (m->kind == KERNEL_MSG_ENDED)
        forward_remove(n, &about);
    else if (m->kind == KERNEL_MSG_PAST)
        past_heard(n, m->sender_machine, (u32)be64_get(m->body + 16));
}

void kernel_message(struct node *n, struct task *t, struct message *m)
{
    if (m->kind >= KERNEL_MSG_MOVE && m->kind < KERNEL_MSG_MIGRATION)
        bulk_kernel_message(n, t, m);
    else if (m->kind == KERNEL_MSG_MIGRATION)
        migrate_message(n, m);
    else if (m->kind == KERNEL_MSG_HELD && t && m->length >= 32)
        asked_held_message(n, t, m);
    else if (m->kind != KERNEL_MSG_HELD && m->length >= ABOUT)
        about_process(n, t, m);
}

bool hold_back(struct node *n, struct message *m)
{
    struct park *p = park_find(n, &m->target);
    bool own = m->sender_machine == n->config.machine;

    if (!p || (own ? m->class != MESSAGE_USER || m->flags & MESSAGE_FORWARDED : !p->transit))
        return false;
    list_push_back(&p->held, &m->queue);
    return true;
}

void arrived(struct node *n, struct task *t)
{
    struct park *p = park_find(n, &t->id);
    struct place at = here(n, t);
    u32 by = links_update(n, &t->id, &at, ANY_MACHINE);

    if (p)
        p->moved = true; /* its FENCE is on its way round */
    else
        follow(n, &t->id, n->config.machine, by);
    if (!park_find(n, &t->id))
        return;
    t->arriving = true;
    task_slow(n, t, SLOW_GATE, true);
}

/* Those who wait for room here go on, to the new place. */
void remote_task_depart(struct node *n, struct task *t, u32 machine)
{
    struct place at = {machine, peer_boot(n, machine), t->moves + 1};

    while (!list_empty(&t->fences)) {
        struct owed *o = list_entry(t->fences.next, struct owed, all);
        u32 asker = o->machine, serial = o->serial;
        struct park *p = park_find(n, &t->id);

        owed_remove(n, o);
        if (asker != n->config.machine)
            kernel_place(n, asker, KERNEL_MSG_FENCED, &t->id, &at, serial);
        else if (p && p->serial == serial)
            park_end(n, p, machine, false);
    }
}

/* Whose messages bounce until their FENCE is the new kernel's to know. */
void rejections_move(struct node *n, struct task *t, u32 machine)
{
    while (!list_empty(&t->rejected)) {
        struct owed *o = list_entry(t->rejected.next, struct owed, all);

        kernel_send(n, machine, KERNEL_MSG_REJECTING, &t->id, o->machine, 0, 0);
        owed_remove(n, o);
    }
}

void rejection_add(struct node *n, struct task *t, u32 machine)
{
    owed_add(n, &t->rejected, machine, 0, 0);
}

void remote_task_end(struct node *n, struct task *t)
{
    while (!list_empty(&t->rejected))
        owed_remove(n, list_entry(t->rejected.next, struct owed, all));
    while (!list_empty(&t->fences)) {
        struct owed *o = list_entry(t->fences.next, struct owed, all);
        u32 machine = o->machine, serial = o->serial;

        owed_remove(n, o);
        if (n->net)
            fence_gone(n, machine, &t->id, serial);
    }
    trail_end(n, t);
    bulk_task_end(n, t);
}

/* A machine on the way of a FENCE may have died with it: a second one follows the first.
 * Where the way itself is gone, so is what there was to wait for. */
void parks_dead(struct node *n, u32 machine)
{
    list_for_each_safe(node, &n->parks)
    {
        struct park *p = list_entry(node, struct park, all);

        if (!peer_gone(n, p->by, 0) && (p->by != n->config.machine || node_find(n, &p->id)))
            fence_by(n, p, p->by, fence_cost(p));
        else
            park_end(n, p, p->hint == machine ? NO_MACHINE : p->hint, false);
    }
}

void parks_free(struct node *n)
{
    while (!list_empty(&n->parks))
        park_end(n, list_entry(n->parks.next, struct park, all), NO_MACHINE, true);
}
