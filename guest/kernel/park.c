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
    struct message *m = message_alloc(n, 24, 0, true);

    if (!m)
        machine_stop(n, "no memory for a fence");
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = KERNEL_MSG_FENCE;
    m->target = p->id;
    m->target_incarnation = 0;
    m->code = m->check = 0;
    m->channel = 0;
    m->attr = DEMOS_TOKERNEL;
    kernel_words(m, &p->id, cost);
    trace(n, KERNEL_T_fence, p->id.serial, p->moved, machine);
    if (machine == n->config.machine)
        route(n, m, machine);
    else
        transmit(n, m, machine);
}

static void send_fence(struct node *n, const struct park *p, u32 machine, u32 cost)
{
    fence_by(n, p, node_find(n, &p->id) ? n->config.machine : machine, cost);
}

static struct park *park_add(struct node *n, const struct process_id *id, u32 machine,
                             bool moved)
{
    struct park *p = node_alloc(n, sizeof(*p), true);

    if (!p)
        machine_stop(n, "no memory to park messages");
    p->id = *id;
    p->hint = machine;
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

static void owed_add(struct node *n, struct list *l, u32 machine, u32 cost)
{
    struct owed *o;

    if (owed_find(l, machine))
        return;
    o = node_alloc(n, sizeof(*o), true);
    if (!o)
        machine_stop(n, "no memory to remember who waits for room");
    o->machine = machine;
    o->cost = cost;
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
    owed_add(n, &t->rejected, m->sender_machine, 0);
    if (m->sender_machine == n->config.machine) {
        came_back(n, m, n->config.machine);
        return;
    }
    m->flags |= MESSAGE_BOUNCED;
    transmit(n, m, m->sender_machine);
}

void came_back(struct node *n, struct message *m, u32 from)
{
    struct park *p = park_find(n, &m->target);
    bool fresh = !p;

    m->flags &= (u8) ~(MESSAGE_BOUNCED | MESSAGE_FORWARDED);
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
                message_dead(n, m);
            else
                route(n, m, machine);
        }
    }
    threads_wake(n, &p->waiters);
    node_free(n, p, sizeof(*p));
}

static void answer_fence(struct node *n, const struct task *t, u32 machine)
{
    if (machine != n->config.machine) {
        kernel_send(n, machine, KERNEL_MSG_FENCED, &t->id, n->config.machine);
    } else {
        struct park *p = park_find(n, &t->id);

        if (p)
            park_end(n, p, machine, false);
    }
}

void fence_gone(struct node *n, u32 machine, const struct process_id *id)
{
    struct park *p;

    if (machine != n->config.machine) {
        kernel_send(n, machine, KERNEL_MSG_GONE, id, 0);
        return;
    }
    p = park_find(n, id);
    if (p)
        park_end(n, p, 0, true);
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
        u32 machine = o->machine;

        owed_remove(n, o);
        answer_fence(n, t, machine);
    }
}

/* Room is what a fence with a cost asks for; one without is about order alone. */
static void fence(struct node *n, struct task *t, struct message *m)
{
    struct owed *o = owed_find(&t->rejected, m->sender_machine);

    if (o)
        owed_remove(n, o);
    owed_add(n, &t->fences, m->sender_machine, (u32)be64_get(m->body + 16));
    fences_answer(n, t);
}

u32 links_update(struct node *n, const struct process_id *id, u32 machine)
{
    u32 changed = 0;

    for (u32 row = 0; row < n->row_count; row++) {
        struct link_table *table = n->rows[row] ? &n->rows[row]->links : NULL;

        for (u32 i = 0; table && i < table->fresh; i++) {
            struct link_slot *slot = &table->slots[i];

            if (!slot->number || !process_id_equal(&slot->link.to, id))
                continue;
            changed += slot->link.hint != machine;
            slot->link.hint = machine;
        }
    }
    names_update(n, id, machine);
    keeper_update(n, id, machine);
    changed += switchboard_update(n, id, machine);
    n->count.updates++;
    trace(n, KERNEL_T_update, id->serial, machine, changed);
    return changed;
}

static void update(struct node *n, const struct process_id *id, u32 machine, u32 from)
{
    struct park *p = park_find(n, id);
    u32 changed = links_update(n, id, machine);

    if (p) {
        p->hint = machine;
        p->moved = true;
    } else if (changed && !node_find(n, id)) {
        send_fence(n, park_add(n, id, machine, true), from, 0);
    }
}

void kernel_message(struct node *n, struct task *t, struct message *m)
{
    struct process_id about;
    struct park *p;
    u64 word;

    if (m->kind >= KERNEL_MSG_MOVE && m->kind < KERNEL_MSG_MIGRATION) {
        bulk_kernel_message(n, t, m);
        return;
    }
    if (m->length < 24)
        return;
    word = be64_get(m->body);
    about = (struct process_id){(u32)(word >> 32), (u32)word, be64_get(m->body + 8)};
    word = be64_get(m->body + 16);
    if (m->kind == KERNEL_MSG_MIGRATION || m->kind == KERNEL_MSG_REJECTING) {
        migrate_message(n, &about, m);
        return;
    }
    p = park_find(n, &about);
    if (m->kind == KERNEL_MSG_FENCE && t)
        fence(n, t, m);
    else if (m->kind == KERNEL_MSG_UPDATE)
        update(n, &about, (u32)word, m->sender_machine);
    else if (p && m->kind == KERNEL_MSG_FENCED) {
        links_update(n, &about, (u32)word);
        park_end(n, p, (u32)word, false);
    } else if (p && m->kind == KERNEL_MSG_GONE)
        park_end(n, p, 0, true);
}

bool hold_back(struct node *n, struct message *m)
{
    struct park *p = park_find(n, &m->target);

    if (!p || m->class != MESSAGE_USER || m->sender_machine != n->config.machine)
        return false;
    list_push_back(&p->held, &m->queue);
    return true;
}

void arrived(struct node *n, struct task *t, u32 from)
{
    struct park *p = park_find(n, &t->id);
    u32 changed = links_update(n, &t->id, n->config.machine);

    if (!p && (!changed || from == NO_MACHINE))
        return;
    t->arriving = true;
    task_slow(n, t, SLOW_GATE, true);
    if (p)
        p->moved = true; /* its FENCE is on its way round */
    else
        fence_by(n, park_add(n, &t->id, n->config.machine, true), from, 0);
}

/* Those who wait for room here go on, to the new place. */
void remote_task_depart(struct node *n, struct task *t, u32 machine)
{
    while (!list_empty(&t->fences)) {
        struct owed *o = list_entry(t->fences.next, struct owed, all);
        u32 asker = o->machine;

        owed_remove(n, o);
        if (asker != n->config.machine)
            kernel_send(n, asker, KERNEL_MSG_FENCED, &t->id, machine);
        else if (park_find(n, &t->id))
            park_end(n, park_find(n, &t->id), machine, false);
    }
}

/* Whose messages bounce until their FENCE is the new kernel's to know. */
void rejections_move(struct node *n, struct task *t, u32 machine)
{
    while (!list_empty(&t->rejected)) {
        struct owed *o = list_entry(t->rejected.next, struct owed, all);

        kernel_send(n, machine, KERNEL_MSG_REJECTING, &t->id, o->machine);
        owed_remove(n, o);
    }
}

void rejection_add(struct node *n, struct task *t, u32 machine)
{
    owed_add(n, &t->rejected, machine, 0);
}

void remote_task_end(struct node *n, struct task *t)
{
    while (!list_empty(&t->rejected))
        owed_remove(n, list_entry(t->rejected.next, struct owed, all));
    while (!list_empty(&t->fences)) {
        struct owed *o = list_entry(t->fences.next, struct owed, all);
        u32 machine = o->machine;

        owed_remove(n, o);
        if (n->net)
            fence_gone(n, machine, &t->id);
    }
    bulk_task_end(n, t);
}

void parks_dead(struct node *n, u32 machine)
{
    list_for_each_safe(node, &n->parks)
    {
        struct park *p = list_entry(node, struct park, all);

        if (p->hint == machine)
            park_end(n, p, 0, true);
    }
}

void parks_free(struct node *n)
{
    while (!list_empty(&n->parks))
        park_end(n, list_entry(n->parks.next, struct park, all), 0, true);
}
