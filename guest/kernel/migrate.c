/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a process to another machine: the moves under way on this node, the messages between
 * source and destination (migrate.h) and whose turn they are; and a process's going on in the
 * state it was found in, at either end.
 */
#include "guest/kernel/migrate.h"

struct migration *migration_find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (process_id_equal(&g->id, id))
            return g;
    }
    return NULL;
}

u64 migration_image(const struct migration *g)
{
    return g->lengths[RESIDENT] + g->lengths[REST];
}

void migration_end(struct node *n, struct migration *g)
{
    list_remove(&g->all);
    n->timed--;
    travel_free(n, &g->travel);
    node_free(n, g->image, migration_image(g));
    node_free(n, g, sizeof(*g));
}

struct message *migration_step(struct node *n, const struct migration *g, enum step step,
                               u32 length)
{
    struct message *m = message_alloc(n, length, 0, true);

    if (!m)
        machine_stop(n, "no memory for a migration's message");
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = KERNEL_MSG_MIGRATION;
    m->target = g->id;
    m->target_incarnation = 0;
    m->code = g->attempt;
    m->check = 0;
    m->channel = 0;
    be16_put(m->body, (u16)step);
    trace(n, KERNEL_T_migrate, g->id.serial, step, (u64)length << 32 | g->machine);
    return m;
}

void migration_say(struct node *n, const struct migration *g, enum step step, u32 word)
{
    struct message *m = migration_step(n, g, step, OTHER_BYTES);

    be32_put(m->body + 2, word);
    transmit(n, m, g->machine);
}

void migration_answer(struct node *n, const struct link *to, s64 result)
{
    struct message *m;

    if (to->kind == DEMOS_KINDS)
        return;
    m = message_alloc(n, 8, 0, true);
    if (!m)
        machine_stop(n, "no memory for an answer");
    message_to_link(m, to);
    message_from(n, NULL, m);
    m->kind = DEMOS_MSG_REPLY;
    be64_put(m->body, (u64)result);
    m->length = (u32)MIN(to->len, (u64)8);
    route(n, m, to->hint);
}

/* Messages that were only kept, in their order, now really arrive. */
void migration_deliver(struct node *n, struct task *t, struct list *messages)
{
    struct list *node;

    while ((node = list_pop_front(messages)) != NULL)
        deliver(n, t, list_entry(node, struct message, queue));
}

void migration_take_queue(struct task *t, struct list *to)
{
    list_init(to);
    while (!list_empty(&t->queue)) {
        struct message *m = list_entry(t->queue.next, struct message, queue);

        queue_take(t, m);
        list_push_back(to, &m->queue);
    }
}

/* The process goes on where it is, in the state it was found in. */
void migration_go_on(struct node *n, struct task *t, u8 state)
{
    struct thread *th = task_thread(t);
    struct list queue;

    t->state = state;
    task_slow(n, t, SLOW_MIGRATING, false);
    task_slow(n, t, SLOW_STOP, state == DEMOS_STOPPED);
    migration_take_queue(t, &queue);
    if (th->state == THREAD_READY || th->state == THREAD_RUNNING) {
        thread_ready(n, th);
    } else if (th->state == THREAD_WAITING && th->deadline != ~(u64)0 && !timer_room(n)) {
        thread_wait_again(n, th);
    }
    migration_deliver(n, t, &queue);
    if (th->state == THREAD_WAITING && th->wait == WAIT_MESSAGE && queue_first(t, th->wait_set))
        thread_wake(n, th); /* it came before the move */
    asked_check(n, t);
}

void migrate_message(struct node *n, struct message *m)
{
    static const u8 lengths[] = {
        [OFFER] = OFFER_BYTES, [ACCEPT] = OTHER_BYTES,      [REFUSE] = OTHER_BYTES,
        [PULL] = PULL_BYTES,   [ESTABLISHED] = OTHER_BYTES, [CLEANED] = OTHER_BYTES};
    struct migration *g = migration_find(n, &m->target);
    u32 step = m->length >= OTHER_BYTES ? be16_get(m->body) : 0;

    if (!step || step >= ARRAY_SIZE(lengths) || m->length != lengths[step])
        return;
    if (step == OFFER && !g) {
        arrival_offered(n, m);
        return;
    }
    if (!g || g->machine != m->sender_machine || g->attempt != m->code)
        return; /* of an attempt that has been given up */
    g->deadline = ~(u64)0;
    if (step == REFUSE && !g->arriving)
        departure_undone(n, g, (s32)be32_get(m->body + 2));
    else if (step == REFUSE)
        arrival_given_up(n, g);
    else if (step == PULL && !g->arriving && g->image)
        departure_send(n, g, m);
    else if (step == ESTABLISHED && !g->arriving)
        departure_done(n, g);
    else if (step == CLEANED && g->established)
        arrival_settled(n, g);
}

/* What is given up at this end; the other one hears of it behind all that was said before. */
static void give_up(struct node *n, struct migration *g, s64 error)
{
    if (g->transfer)
        net_bulk_cancel(n->net, g->transfer);
    migration_say(n, g, REFUSE, (u32)error);
    if (g->arriving)
        arrival_given_up(n, g);
    else
        departure_undone(n, g, error);
}

void migrate_timer(struct node *n)
{
    u64 now = machine_now(n);

    list_for_each_safe(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (g->lost)
            give_up(n, g, g->lost);
        else if (g->deadline <= now)
            give_up(n, g, DEMOS_E_TIMEOUT);
    }
}

u64 migrate_deadline(const struct node *n, u64 next)
{
    list_for_each(node, &n->migrations)
    {
        const struct migration *g = list_entry(node, struct migration, all);

        next = MIN(next, g->lost ? 0 : g->deadline);
    }
    return next;
}

/* The other end of a migration has been declared dead. */
void migrate_machine_dead(struct node *n)
{
    list_for_each_safe(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (!peer_gone(n, g->machine, g->epoch))
            continue;
        if (!g->arriving) {
            departure_undone(n, g, DEMOS_E_DEAD);
        } else if (g->established) {
            arrival_settled(n, g); /* only we may run it now */
        } else {
            arrival_given_up(n, g);
        }
    }
}

/* A process that was leaving ended here instead. */
void migrate_forget(struct node *n, struct task *t)
{
    struct migration *g = list_empty(&n->migrations) ? NULL : migration_find(n, &t->id);

    if (!g)
        return;
    if (n->net && g->image)
        migration_say(n, g, REFUSE, 0);
    link_drop(n, &g->answer);
    migration_end(n, g);
}

void migrate_free(struct node *n)
{
    while (!list_empty(&n->migrations)) {
        struct migration *g = list_entry(n->migrations.next, struct migration, all);

        if (g->arriving)
            arrival_given_up(n, g);
        else
            migration_end(n, g);
    }
}
