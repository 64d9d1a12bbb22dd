/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving a process to another machine, in the eight steps of Powell and Miller and nine
 * messages of 6 to 12 bytes (MIGRATE and its answer may be longer, as control messages are):
 *
 *   1 MIGRATE to the process's control link      6 PULL its memory
 *   2 OFFER, source to destination               7 ESTABLISHED
 *   3 ACCEPT (or REFUSE)                         (the source sends on what was queued)
 *   4 PULL the resident part of its state        8 CLEANED
 *   5 PULL the rest of it                        9 the answer to MIGRATE
 *
 * Their header's target is the process; the body begins with the step, 16 bits:
 *   OFFER   resident bytes u16, bytes of the rest u32, of memory / 256 u32
 *   ACCEPT, ESTABLISHED, CLEANED  moves so far u32; REFUSE: demos_error s32
 *   PULL    part u16, the destination's number for the transfer u32
 *
 * Until ESTABLISHED the source has the process and takes it back when anything fails;
 * from then on only the destination may run it. What is sent to it meanwhile is queued at
 * the source, control messages too, and sent on before CLEANED. Senders on the
 * destination's own machine, whose messages may still be on their way round by the source,
 * are held behind a FENCE that goes that way too (park.c).
 */
#include "base/bytes.h"
#include "guest/kernel/park.h"
#include "guest/kernel/travel.h"

enum step { OFFER = 1, ACCEPT, REFUSE, PULL, ESTABLISHED, CLEANED };
enum part { RESIDENT, REST, MEMORY, PARTS };

struct migration {
    struct list all;
    struct process_id id;
    struct task *task; /* leaving, or arriving and not yet known here */
    u32 machine;       /* at the other end */
    u32 epoch;         /* of its boot */
    bool arriving, established;
    bool stalled; /* waits for a page of its memory */
    u8 state;     /* the process's, to be restored */
    u8 part;      /* being pulled */
    u64 transfer; /* of that part */
    u64 lengths[PARTS];
    u8 *image;            /* RESIDENT and REST */
    struct travel travel; /* MEMORY */
    struct link answer;   /* MIGRATE's reply link; kind DEMOS_KINDS: none */
    struct list pending;  /* arriving: messages sent on by the source */
};

static struct migration *find(const struct node *n, const struct process_id *id)
{
    list_for_each(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (process_id_equal(&g->id, id))
            return g;
    }
    return NULL;
}

static struct migration *find_transfer(const struct node *n, u64 transfer)
{
    list_for_each(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (g->transfer == transfer)
            return g;
    }
    return NULL;
}

static u64 image_length(const struct migration *g)
{
    return g->lengths[RESIDENT] + g->lengths[REST];
}

static void forget(struct node *n, struct migration *g)
{
    list_remove(&g->all);
    travel_free(n, &g->travel);
    node_free(n, g->image, image_length(g));
    node_free(n, g, sizeof(*g));
}

enum { BLOCK = 256, OFFER_BYTES = 12, PULL_BYTES = 8, OTHER_BYTES = 6 };

static struct message *begin_step(struct node *n, const struct migration *g, enum step step,
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
    m->code = m->check = 0;
    m->channel = 0;
    be16_put(m->body, (u16)step);
    trace(n, KERNEL_T_migrate, g->id.serial, step, (u64)length << 32 | g->machine);
    return m;
}

static void say(struct node *n, const struct migration *g, enum step step, u32 word)
{
    struct message *m = begin_step(n, g, step, OTHER_BYTES);

    be32_put(m->body + 2, word);
    transmit(n, m, g->machine);
}

static void say_offer(struct node *n, const struct migration *g)
{
    struct message *m = begin_step(n, g, OFFER, OFFER_BYTES);

    be16_put(m->body + 2, (u16)g->lengths[RESIDENT]);
    be32_put(m->body + 4, (u32)g->lengths[REST]);
    be32_put(m->body + 8, (u32)(g->lengths[MEMORY] / BLOCK));
    transmit(n, m, g->machine);
}

static void say_pull(struct node *n, const struct migration *g)
{
    struct message *m = begin_step(n, g, PULL, PULL_BYTES);

    be16_put(m->body + 2, g->part);
    be32_put(m->body + 4, (u32)g->transfer);
    transmit(n, m, g->machine);
}

static void answer(struct node *n, const struct link *to, s64 result)
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

/* What its thread waits for elsewhere in this node it will ask for again. */
static void detach(struct node *n, struct task *t, struct thread *th)
{
    struct message *m = th->delivered;
    bool again = th->state == THREAD_WAITING && th->wait >= WAIT_ROOM && th->wait <= WAIT_PAGE;

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
    n->count.queued++;
}

/* Messages that were only kept, in their order, now really arrive. */
static void deliver_all(struct node *n, struct task *t, struct list *messages)
{
    struct list *node;

    while ((node = list_pop_front(messages)) != NULL)
        deliver(n, t, list_entry(node, struct message, queue));
}

static void take_queue(struct node *n, struct task *t, struct list *to)
{
    list_init(to);
    while (!list_empty(&t->queue)) {
        struct message *m = list_entry(t->queue.next, struct message, queue);

        queue_take(n, t, m);
        list_push_back(to, &m->queue);
    }
}

/* The process goes on where it is, in the state it was found in. */
static void go_on(struct node *n, struct task *t, u8 state)
{
    struct thread *th = task_thread(t);
    struct list queue;

    t->state = state;
    task_slow(n, t, SLOW_MIGRATING, false);
    task_slow(n, t, SLOW_STOP, state == DEMOS_STOPPED);
    take_queue(n, t, &queue);
    if (th->state == THREAD_READY || th->state == THREAD_RUNNING) {
        thread_ready(n, th);
    } else if (th->state == THREAD_WAITING && th->deadline != ~(u64)0 && !timer_room(n)) {
        thread_wait_again(n, th);
    }
    deliver_all(n, t, &queue);
    if (th->state == THREAD_WAITING && th->wait == WAIT_MESSAGE && queue_first(t, th->wait_set))
        thread_wake(n, th); /* it came before the move */
    asked_check(n, t);
}

static void take_back(struct node *n, struct migration *g, s64 error)
{
    struct task *t = g->task;
    u8 state = g->state;

    answer(n, &g->answer, error);
    forget(n, g);
    go_on(n, t, state);
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

/* The thread has stopped: its state can be written down, and the process be offered. */
void migrate_offer(struct node *n, struct task *t)
{
    struct migration *g = find(n, &t->id);
    bool good;

    if (!g || g->arriving || g->image || !pageout_clean(n, t))
        return;
    detach(n, t, task_thread(t));
    t->state = g->state;
    good = write_down(n, g, t);
    t->state = DEMOS_MIGRATING;
    if (!good) {
        take_back(n, g, DEMOS_E_MEMORY);
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
                            .state = t->state,
                            .answer = m->flags & MESSAGE_HAS_REPLY ? m->reply : none};
    m->flags &= (u8)~MESSAGE_HAS_REPLY;
    list_push_back(&n->migrations, &g->all);
    t->state = DEMOS_MIGRATING;
    task_slow(n, t, SLOW_MIGRATING | SLOW_STOP, true);
    if (th->state != THREAD_RUNNING)
        migrate_offer(n, t);
    return 0;
}

/* The destination: room for it, under its own id. */
static bool accept(struct node *n, struct migration *g)
{
    u64 size = image_length(g);

    if (size > STATE_MAX || g->lengths[MEMORY] > n->config.limits.memory_bytes ||
        node_find(n, &g->id))
        return false;
    g->image = node_alloc(n, size, false);
    g->task = g->image ? task_make(n, &g->id, "", NULL) : NULL;
    if (g->task)
        g->task->memory_limit = ~(u64)0; /* its own limit comes with its state */
    return g->task != NULL;
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
    forget(n, g);
    while ((node = list_pop_front(&pending)) != NULL)
        route(n, list_entry(node, struct message, queue), NO_MACHINE);
}

static void refuse(struct node *n, struct migration *g)
{
    say(n, g, REFUSE, (u32)DEMOS_E_REFUSED);
    discard(n, g);
}

static void pull(struct node *n, struct migration *g)
{
    g->transfer = (u64)n->config.machine << 32 | (u32)++n->transfer;
    if (net_bulk_expect(n->net, g->machine, g->transfer, g->lengths[g->part]) == NET_OK)
        say_pull(n, g);
    else
        refuse(n, g);
}

static void offered(struct node *n, const struct message *m)
{
    struct migration *g = node_alloc(n, sizeof(*g), false);
    struct migration none = {.id = m->target, .machine = m->sender_machine};

    if (!g) {
        say(n, &none, REFUSE, (u32)DEMOS_E_MEMORY);
        return;
    }
    *g = (struct migration){.id = m->target,
                            .machine = m->sender_machine,
                            .epoch = peer_boot(n, m->sender_machine),
                            .arriving = true,
                            .lengths = {be16_get(m->body + 2), be32_get(m->body + 4),
                                        (u64)be32_get(m->body + 8) * BLOCK},
                            .answer = {.kind = DEMOS_KINDS}};
    list_init(&g->pending);
    list_push_back(&n->migrations, &g->all);
    if (accept(n, g)) {
        say(n, g, ACCEPT, 0);
        pull(n, g);
    } else {
        refuse(n, g);
    }
}

/* The source has everything at the other end: sends on what came, and forgets. */
static void hand_off(struct node *n, struct migration *g)
{
    struct task *t = g->task;
    struct place there = {g->machine, peer_boot(n, g->machine), t->moves + 1};
    struct list queue, *node;

    rejections_move(n, t, g->machine);
    take_queue(n, t, &queue);
    while ((node = list_pop_front(&queue)) != NULL)
        transmit(n, list_entry(node, struct message, queue), g->machine);
    if (!forward_set(n, &g->id, &there))
        machine_stop(n, "no memory for a forwarding address");
    say(n, g, CLEANED, there.moves);
    task_depart(n, t, g->machine);
    links_update(n, &g->id, &there, ANY_MACHINE);
    answer(n, &g->answer, 0);
    forget(n, g);
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
static void settle(struct node *n, struct migration *g)
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
    trace(n, KERNEL_T_create, t->id.serial, 0, (u64)t->id.machine << 32 | t->id.epoch);
    list_init(&pending);
    while (!list_empty(&g->pending)) {
        struct list *node = list_pop_front(&g->pending);

        list_push_back(&pending, node);
    }
    t->state = DEMOS_MIGRATING;
    deliver_all(n, t, &pending); /* into the queue; go_on sorts it */
    go_on(n, t, g->state);
    arrived(n, t);
    tell_of_move(n, t, source);
    n->count.moved_in++;
    forget(n, g);
}

/* The process as its image says, without its memory, if that is what was offered. */
static bool read_back(struct node *n, struct migration *g)
{
    u64 len = image_length(g), list = travel_bytes(g->image, len);

    return list && !state_import(n, g->task, g->image, len - list) &&
           travel_room(g->task) <= n->config.limits.memory_bytes &&
           travel_read(n, g->task, g->image + len - list, list, &g->travel) &&
           g->travel.length == g->lengths[MEMORY];
}

static void pulled(struct node *n, struct migration *g, bool good)
{
    if (good && g->part == REST)
        good = read_back(n, g);
    if (!good) {
        refuse(n, g);
        return;
    }
    g->part++;
    if (g->part < MEMORY || (g->part == MEMORY && g->lengths[MEMORY])) {
        pull(n, g);
        return;
    }
    g->state = g->task->state;
    g->established = true;
    say(n, g, ESTABLISHED, g->task->moves);
}

/* What had come of it so far is thrown away. */
static void give_up(struct node *n, struct migration *g)
{
    if (n->net)
        net_bulk_cancel(n->net, g->transfer);
    discard(n, g);
}

/* The destination asks for a part of it. */
static void send_part(struct node *n, struct migration *g, const struct message *m)
{
    g->part = (u8)MIN(be16_get(m->body + 2), (u16)MEMORY);
    g->transfer = (u64)g->machine << 32 | be32_get(m->body + 4);
    if (net_bulk_send(n->net, g->machine, g->transfer, g->lengths[g->part]) == NET_OK)
        return;
    say(n, g, REFUSE, (u32)DEMOS_E_MEMORY);
    take_back(n, g, DEMOS_E_MEMORY);
}

void migrate_rejecting(struct node *n, const struct process_id *id, u32 machine)
{
    struct migration *g = find(n, id);

    if (g && g->arriving)
        rejection_add(n, g->task, machine);
}

bool migrate_coming(const struct node *n, const struct process_id *id)
{
    const struct migration *g = list_empty(&n->migrations) ? NULL : find(n, id);

    return g && g->arriving && g->established;
}

void migrate_message(struct node *n, struct message *m)
{
    static const u8 lengths[] = {
        [OFFER] = OFFER_BYTES, [ACCEPT] = OTHER_BYTES,      [REFUSE] = OTHER_BYTES,
        [PULL] = PULL_BYTES,   [ESTABLISHED] = OTHER_BYTES, [CLEANED] = OTHER_BYTES};
    struct migration *g = find(n, &m->target);
    u32 step = m->length >= OTHER_BYTES ? be16_get(m->body) : 0;

    if (!step || step >= ARRAY_SIZE(lengths) || m->length != lengths[step])
        return;
    if (step == OFFER && !g) {
        offered(n, m);
        return;
    }
    if (!g || g->machine != m->sender_machine)
        return;
    if (step == REFUSE && !g->arriving)
        take_back(n, g, (s32)be32_get(m->body + 2));
    else if (step == REFUSE)
        give_up(n, g);
    else if (step == PULL && !g->arriving && g->image)
        send_part(n, g, m);
    else if (step == ESTABLISHED && !g->arriving)
        hand_off(n, g);
    else if (step == CLEANED && g->established)
        settle(n, g);
}

/* A message for a process that is on its way here: kept until the source is done. */
bool migrate_keep(struct node *n, struct message *m)
{
    struct migration *g = list_empty(&n->migrations) ? NULL : find(n, &m->target);

    if (!g || !g->arriving)
        return false;
    list_push_back(&g->pending, &m->queue);
    return true;
}

/* Bytes of the part that is being pulled: one span of the memory behind the other. */
static enum machine_result memory_piece(struct node *n, struct migration *g, u64 offset,
                                        void *to, const void *from, size_t len)
{
    for (size_t done = 0; done < len;) {
        u64 address, left = travel_find(&g->travel, offset + done, &address);
        size_t piece = (size_t)MIN((u64)(len - done), left);
        enum machine_result got = !piece ? MACHINE_FAULT
                                  : to   ? machine_copy_in(n, g->task, (u8 *)to + done, address,
                                                           piece)
                                         : machine_load(n, g->task, address,
                                                        (const u8 *)from + done, piece);

        if (got != MACHINE_OK)
            return got;
        done += piece;
    }
    return MACHINE_OK;
}

/* False: the network is to ask again, when the page that was missing has come. */
static bool memory_now(struct node *n, struct migration *g, u64 offset, void *to,
                       const void *from, size_t len)
{
    enum fault f = FAULT_DONE;
    enum machine_result done;

    do
        done = memory_piece(n, g, offset, to, from, len);
    while (done == MACHINE_LATER && (f = fault_in_transfer(n)) == FAULT_DONE);
    g->stalled = done == MACHINE_LATER && f == FAULT_WAITS;
    return !g->stalled;
}

void migrate_resume(struct node *n)
{
    list_for_each_safe(node, &n->migrations)
    {
        struct migration *g = list_entry(node, struct migration, all);

        if (!g->stalled)
            continue;
        g->stalled = false;
        net_bulk_resume(n->net, g->transfer);
    }
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

bool migrate_bulk_read(struct node *n, u64 transfer, u64 offset, void *buffer, size_t len)
{
    struct migration *g = find_transfer(n, transfer);

    if (!g || offset > g->lengths[g->part] || len > g->lengths[g->part] - offset) {
        memset(buffer, 0, len);
        return true;
    }
    if (g->part == MEMORY)
        return memory_now(n, g, offset, buffer, NULL, len);
    memcpy(buffer, g->image + (g->part == REST ? g->lengths[RESIDENT] : 0) + offset, len);
    return true;
}

bool migrate_bulk_write(struct node *n, u64 transfer, u64 offset, const void *data, size_t len)
{
    struct migration *g = find_transfer(n, transfer);

    if (!g || offset > g->lengths[g->part] || len > g->lengths[g->part] - offset)
        return true;
    if (g->part == MEMORY)
        return memory_now(n, g, offset, NULL, data, len);
    memcpy(g->image + (g->part == REST ? g->lengths[RESIDENT] : 0) + offset, data, len);
    return true;
}

void migrate_bulk_done(struct node *n, u64 transfer, bool good)
{
    struct migration *g = find_transfer(n, transfer);

    if (g && g->arriving)
        pulled(n, g, good);
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
            take_back(n, g, DEMOS_E_DEAD);
        } else if (g->established) {
            settle(n, g); /* only we may run it now */
        } else {
            give_up(n, g);
        }
    }
}

/* A process that was leaving ended here instead. */
void migrate_forget(struct node *n, struct task *t)
{
    struct migration *g = list_empty(&n->migrations) ? NULL : find(n, &t->id);

    if (!g)
        return;
    if (n->net && g->image)
        say(n, g, REFUSE, 0);
    link_drop(n, &g->answer);
    forget(n, g);
}

void migrate_free(struct node *n)
{
    while (!list_empty(&n->migrations)) {
        struct migration *g = list_entry(n->migrations.next, struct migration, all);

        if (g->arriving)
            give_up(n, g);
        else
            forget(n, g);
    }
}
