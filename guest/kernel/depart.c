/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that leaves for another machine: it is stopped, written down, offered, and sent part
 * by part as the destination asks; then what was queued goes after it and a forwarding address
 * stays (migrate.h).
 */
#include "guest/kernel/hot.h"
#include "guest/kernel/migrate.h"

/* A machine that is off answers nothing, and nobody may have declared it dead. */
#define OFFER_PATIENCE_NS 5000000000ull

/* Its bytes have moved, and nobody has told it yet: what of that is in this kernel stays here. */
static void conclude_move(struct node *n, struct thread *th)
{
    s64 moved = bulk_finish(n, th);

    call_over(th);
    th->pending = true;
    th->call = DEMOS_CALLS; /* over already: hears of its result there */
    th->args[0] = (u64)moved;
}

/* What its thread waits for elsewhere in this node it will ask for again. */
static void detach(struct node *n, struct task *t, struct thread *th)
{
    struct message *m = th->delivered;
    bool again = th->state == THREAD_WAITING && th->wait >= WAIT_ROOM && th->wait <= WAIT_PAGE;

    if (th->state == THREAD_READY && th->pending && th->wait == WAIT_MOVE)
        conclude_move(n, th);
    bulk_detach(n, th);
    timer_forget(n, th);
    if (th->wait == WAIT_PAGE)
        fault_waited(th);
    thread_unready(n, th); /* out of run queues and waiters alike */
    if (again) {
        th->state = THREAD_READY;
        th->wait = WAIT_NOTHING;
        th->progress = 0;
    }
    if (!m)
        return;
    th->delivered = NULL; /* goes along with the queue */
    th->state = THREAD_WAITING;
    list_push_front(&t->queue, &m->queue);
    t->queued++;
    t->queued_bytes += message_cost(m->length, m->link_count);
}

void departure_undone(struct node *n, struct migration *g, s64 error)
{
    struct task *t = g->task;
    u8 state = g->state;

    migration_answer(n, &g->answer, error);
    migration_end(n, g);
    migration_go_on(n, t, state);
}

/* The state and the list of what travels with it; false: no memory. */
static bool write_down(struct node *n, struct migration *g, struct task *t)
{
    size_t state = state_export(n, t, NULL, 0), list = travel_write(n, t, NULL, 0);

    g->image = node_alloc(n, state + list, false);
    if (!g->image)
        return false;
    g->lengths[RESIDENT] = STATE_RESIDENT;
    g->lengths[REST] = state + list - STATE_RESIDENT;
    state_export(n, t, g->image, state);
    travel_write(n, t, g->image + state, list);
    if (!travel_read(n, t, g->image + state, list, &g->travel))
        return false;
    g->lengths[MEMORY] = g->travel.length;
    return true;
}

static void say_offer(struct node *n, struct migration *g)
{
    struct message *m;

    g->attempt = ++n->attempts;
    g->deadline = machine_now(n) + OFFER_PATIENCE_NS;
    m = migration_step(n, g, OFFER, OFFER_BYTES);
    be16_put(m->body + 2, (u16)g->lengths[RESIDENT]);
    be32_put(m->body + 4, (u32)g->lengths[REST]);
    be32_put(m->body + 8, (u32)(g->lengths[MEMORY] / BLOCK));
    transmit(n, m, g->machine);
}

/* The thread has stopped: its state can be written down, and the process be offered. */
void migrate_offer(struct node *n, struct task *t)
{
    struct migration *g = migration_find(n, &t->id);
    bool good;

    if (!g || g->arriving || g->image || !pageout_clean(n, t))
        return;
    detach(n, t, task_thread(t));
    t->state = g->state;
    asked_leaves(n, t);
    good = write_down(n, g, t);
    t->state = DEMOS_MIGRATING;
    if (!good) {
        departure_undone(n, g, DEMOS_E_MEMORY);
        return;
    }
    say_offer(n, g);
}

s64 migrate_begin(struct node *n, struct task *t, struct message *m)
{
    static const struct link none = {.kind = DEMOS_KINDS};
    u64 machine = m->length == 12 ? be32_get(m->body + 8) : request_word(m, 1);
    struct thread *th = task_thread(t);
    struct migration *g;

    if (machine == n->config.machine)
        return 0;
    if (!n->net || !machine || machine >= NET_EVERYBODY)
        return DEMOS_E_ARGUMENT;
    if (t->state != DEMOS_READY && t->state != DEMOS_STOPPED)
        return DEMOS_E_STATE;
    if (peer_gone(n, (u32)machine, 0))
        return DEMOS_E_DEAD;
    g = node_alloc(n, sizeof(*g), false);
    if (!g)
        return DEMOS_E_MEMORY;
    *g = (struct migration){.id = t->id,
                            .task = t,
                            .machine = (u32)machine,
                            .epoch = peer_boot(n, (u32)machine),
                            .deadline = ~(u64)0,
                            .state = t->state,
                            .answer = m->flags & MESSAGE_HAS_REPLY ? m->reply : none};
    m->flags &= (u8)~MESSAGE_HAS_REPLY;
    list_push_back(&n->migrations, &g->all);
    n->timed++;
    t->state = DEMOS_MIGRATING;
    task_slow(n, t, SLOW_MIGRATING | SLOW_STOP, true);
    if (th->state != THREAD_RUNNING)
        migrate_offer(n, t);
    return 0;
}

/* The source has everything at the other end: sends on what came, and forgets. */
void departure_done(struct node *n, struct migration *g)
{
    struct task *t = g->task;
    struct place there = {g->machine, peer_boot(n, g->machine), t->moves + 1};
    struct list queue, *node;

    rejections_move(n, t, g->machine);
    migration_take_queue(t, &queue);
    while ((node = list_pop_front(&queue)) != NULL)
        transmit(n, list_entry(node, struct message, queue), g->machine);
    if (!forward_set(n, &g->id, &there))
        machine_stop(n, "no memory for a forwarding address");
    migration_say(n, g, CLEANED, there.moves);
    task_depart(n, t, g->machine);
    links_update(n, &g->id, &there, ANY_MACHINE);
    migration_answer(n, &g->answer, 0);
    migration_end(n, g);
}

/* The destination asks for a part of it. */
void departure_send(struct node *n, struct migration *g, const struct message *m)
{
    g->part = (u8)MIN(be16_get(m->body + 2), (u16)MEMORY);
    g->transfer = (u64)g->machine << 32 | be32_get(m->body + 4);
    if (net_bulk_send(n->net, g->machine, g->transfer, g->lengths[g->part]) == NET_OK)
        return;
    migration_say(n, g, REFUSE, (u32)DEMOS_E_MEMORY);
    departure_undone(n, g, DEMOS_E_MEMORY);
}

void migrate_cleaned(struct node *n, const struct object *o)
{
    list_for_each_safe(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (g->arriving || g->image || task_thread(g->task)->state == THREAD_RUNNING)
            continue;
        for (const struct region *r = g->task->regions; r; r = r->next) {
            if (r->object != o)
                continue;
            migrate_offer(n, g->task);
            break;
        }
    }
}
