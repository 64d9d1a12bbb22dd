/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that comes from another machine: room is made for it, its parts are pulled, what is
 * sent to it meanwhile waits, and when the source is done it goes on here (migrate.h).
 */
#include "guest/kernel/migrate.h"

/* The destination: room for it, under its own id; 0 or why not. */
static s64 accept(struct node *n, struct migration *g)
{
    u64 size = migration_image(g);

    if (size > STATE_MAX || node_find(n, &g->id))
        return DEMOS_E_REFUSED;
    if (g->lengths[MEMORY] > n->config.limits.memory_bytes)
        return DEMOS_E_MEMORY;
    g->image = node_alloc(n, size, false);
    g->task = g->image ? task_make(n, &g->id, "", NULL) : NULL;
    if (!g->task)
        return DEMOS_E_MEMORY;
    g->task->memory_limit = ~(u64)0; /* its own limit comes with its state */
    return 0;
}

/* It will not come: who wrote to it here too early finds it where it is. */
static void discard(struct node *n, struct migration *g)
{
    struct list pending, *node;

    list_init(&pending);
    while ((node = list_pop_front(&g->pending)) != NULL)
        list_push_back(&pending, node);
    if (g->task)
        task_discard(n, g->task);
    if (!g->image)
        g->lengths[RESIDENT] = g->lengths[REST] = 0;
    migration_end(n, g);
    while ((node = list_pop_front(&pending)) != NULL)
        route(n, list_entry(node, struct message, queue), NO_MACHINE);
}

static void say_pull(struct node *n, const struct migration *g)
{
    struct message *m = migration_step(n, g, PULL, PULL_BYTES);

    be16_put(m->body + 2, g->part);
    be32_put(m->body + 4, (u32)g->transfer);
    transmit(n, m, g->machine);
}

static void refuse(struct node *n, struct migration *g, s64 why)
{
    migration_say(n, g, REFUSE, (u32)why);
    discard(n, g);
}

static void pull(struct node *n, struct migration *g)
{
    g->transfer = (u64)n->config.machine << 32 | (u32)++n->transfer;
    if (net_bulk_expect(n->net, g->machine, g->transfer, g->lengths[g->part]) == NET_OK)
        say_pull(n, g);
    else
        refuse(n, g, DEMOS_E_MEMORY);
}

void arrival_offered(struct node *n, const struct message *m)
{
    struct migration *g = node_alloc(n, sizeof(*g), false);
    struct migration none = {.id = m->target, .machine = m->sender_machine, .attempt = m->code};
    s64 why;

    if (!g) {
        migration_say(n, &none, REFUSE, (u32)DEMOS_E_MEMORY);
        return;
    }
    *g = (struct migration){.id = m->target,
                            .machine = m->sender_machine,
                            .epoch = peer_boot(n, m->sender_machine),
                            .arriving = true,
                            .attempt = m->code,
                            .deadline = ~(u64)0,
                            .lengths = {be16_get(m->body + 2), be32_get(m->body + 4),
                                        (u64)be32_get(m->body + 8) * BLOCK},
                            .answer = {.kind = DEMOS_KINDS}};
    list_init(&g->pending);
    list_push_back(&n->migrations, &g->all);
    n->timed++;
    why = accept(n, g);
    if (why) {
        refuse(n, g, why);
        return;
    }
    migration_say(n, g, ACCEPT, 0);
    pull(n, g);
}

/* The creating machine always knows; whoever holds a reply link of this process's, or has
 * its own held by it, learns where that is now. */
static void tell_of_move(struct node *n, struct task *t, u32 source)
{
    struct place at = {n->config.machine, n->config.epoch, t->moves};
    u32 home = t->id.machine;

    if (home != n->config.machine && home != source && !peer_gone(n, home, t->id.epoch))
        kernel_place(n, home, KERNEL_MSG_UPDATE, &t->id, &at, 0);
    replies_arrived(n, t, source);
    locate_arrived(n, t);
}

/* It is here for good. */
void arrival_settled(struct node *n, struct migration *g)
{
    u32 source = g->machine;
    bool alive = !peer_gone(n, source, g->epoch);
    struct task *t = g->task;
    struct list pending;

    forward_remove(n, &g->id);
    trail_moved(n, t, alive ? source : NO_MACHINE);
    t->moves++;
    if (node_enter(n, t))
        machine_stop(n, "no memory to enter a process that has arrived");
    trace_create(n, t);
    list_init(&pending);
    while (!list_empty(&g->pending)) {
        struct list *node = list_pop_front(&g->pending);

        list_push_back(&pending, node);
    }
    t->state = DEMOS_MIGRATING;
    migration_deliver(n, t, &pending); /* into the queue; go_on sorts it */
    migration_go_on(n, t, g->state);
    arrived(n, t);
    tell_of_move(n, t, source);
    n->count.moved_in++;
    migration_end(n, g);
}

/* The process as its image says, without its memory, if that is what was offered; 0 or why not. */
static s64 read_back(struct node *n, struct migration *g)
{
    u64 len = migration_image(g), list = travel_bytes(g->image, len);

    if (!list || state_import(n, g->task, g->image, len - list))
        return DEMOS_E_REFUSED;
    if (travel_room(g->task) > n->config.limits.memory_bytes)
        return DEMOS_E_MEMORY;
    return travel_read(n, g->task, g->image + len - list, list, &g->travel) &&
                   g->travel.length == g->lengths[MEMORY]
               ? 0
               : (s64)DEMOS_E_REFUSED;
}

void arrival_pulled(struct node *n, struct migration *g, bool good)
{
    s64 why = g->lost ? g->lost : good ? 0 : (s64)DEMOS_E_REFUSED;

    if (!why && g->part == REST)
        why = read_back(n, g);
    if (why) {
        refuse(n, g, why);
        return;
    }
    g->part++;
    if (g->part < MEMORY || (g->part == MEMORY && g->lengths[MEMORY])) {
        pull(n, g);
        return;
    }
    g->state = g->task->state;
    g->established = true;
    migration_say(n, g, ESTABLISHED, g->task->moves);
}

/* What had come of it so far is thrown away. */
void arrival_given_up(struct node *n, struct migration *g)
{
    if (n->net)
        net_bulk_cancel(n->net, g->transfer);
    discard(n, g);
}

void migrate_rejecting(struct node *n, const struct process_id *id, u32 machine)
{
    struct migration *g = migration_find(n, id);

    if (g && g->arriving)
        rejection_add(n, g->task, machine);
}

bool migrate_coming(const struct node *n, const struct process_id *id)
{
    const struct migration *g = list_empty(&n->migrations) ? NULL : migration_find(n, id);

    return g && g->arriving && g->established;
}

/* A message for a process that is on its way here: kept until the source is done. */
bool migrate_keep(struct node *n, struct message *m)
{
    struct migration *g = list_empty(&n->migrations) ? NULL : migration_find(n, &m->target);

    if (!g || !g->arriving)
        return false;
    list_push_back(&g->pending, &m->queue);
    return true;
}
