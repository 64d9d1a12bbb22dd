/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MOVEDATA with an area on another machine: two short messages agree, the network's bulk
 * transfer moves, and both ends read or write their process's memory as blocks come, in
 * any order. State of moves belongs to the kernel, not to a waiting stack.
 *
 * The asker sends MOVE along the link {transfer, direction << 63 | len, offset; the link};
 * the owner's kernel checks area and rights. Writing: it expects the bytes and answers
 * MOVE_GO, the asker sends. Reading: it answers MOVE_GO, the asker expects the bytes and
 * says MOVE_GO back, the owner sends. MOVE_FAILED ends either.
 *
 * The asker may also be a kernel that was asked to fill or read out a process (CONTROL_LOAD,
 * CONTROL_READ): then the end of the move is its answer.
 */
#include "guest/kernel/park.h"

struct move {
    struct list all;
    u64 transfer;
    struct thread *thread; /* of the asker, if that is this node; NULL: for `answer` */
    struct process_id id;  /* whose memory it is at this end */
    u64 base, len;
    struct link area;   /* at the other end, and */
    struct link answer; /* who asked for it, where this kernel is the asker */
    u32 machine;        /* at the other end, once known */
    u32 epoch;          /* of that machine's boot */
    bool asker, read;   /* read: out of the area */
    bool started, done;
    bool stalled; /* our end waits for a page */
    bool lost;    /* which will not come */
    s64 result;
};

static struct move *find(const struct node *n, u64 transfer)
{
    list_for_each(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (v->transfer == transfer)
            return v;
    }
    return NULL;
}

static void forget(struct node *n, struct move *v)
{
    n->timed -= v->lost;
    list_remove(&v->all);
    node_free(n, v, sizeof(*v));
}

/* To whoever asked this kernel for it. */
static void answer(struct node *n, struct move *v, s64 result)
{
    struct message request = {.flags = MESSAGE_HAS_REPLY, .reply = v->answer};
    u64 word = result < 0 ? (u64)result : 0;

    link_drop(n, &v->area);
    forget(n, v);
    answer_words(n, &request, &word, 1, NULL);
}

static void finished(struct node *n, struct move *v, s64 result)
{
    if (!v->asker) {
        forget(n, v);
        return;
    }
    if (!v->thread) {
        answer(n, v, result);
        return;
    }
    v->done = true;
    v->result = result;
    thread_wake(n, v->thread);
}

static void fail(struct node *n, u32 machine, u64 transfer, s64 error)
{
    struct process_id as = {0, 0, transfer};

    kernel_send(n, machine, KERNEL_MSG_MOVE_FAILED, &as, (u64)error, 0, 0);
}

static void go(struct node *n, const struct move *v)
{
    struct process_id as = {0, 0, v->transfer};

    kernel_send(n, v->machine, KERNEL_MSG_MOVE_GO, &as, n->config.machine, 0, 0);
}

/* A MOVE, to be sent along `l`; NULL: no memory. */
static struct message *ask(struct node *n, struct move *v, const struct link *l, u64 offset)
{
    struct message *m = message_alloc(n, 24, 1, false);

    if (!m)
        return NULL;
    v->transfer = (u64)n->config.machine << 32 | (u32)++n->transfer;
    v->machine = NO_MACHINE;
    v->started = false;
    message_to_link(m, l);
    message_from(n, NULL, m);
    m->class = MESSAGE_KERNEL;
    m->kind = KERNEL_MSG_MOVE;
    m->attr |= DEMOS_TOKERNEL;
    m->links[0] = *l;
    be64_put(m->body, v->transfer);
    be64_put(m->body + 8, (u64)v->read << 63 | v->len);
    be64_put(m->body + 16, offset);
    return m;
}

s64 bulk_start(struct node *n, struct thread *t, const u64 *args, const struct link *l)
{
    u64 len = args[4];
    bool read = args[1] == DEMOS_MOVE_READ;
    struct message *m;
    struct move *v;

    if (!n->net)
        return DEMOS_E_DEAD;
    if (!region_reach(n, t->task, args[3], len, read ? REGION_WRITE : REGION_READ))
        return DEMOS_E_ADDRESS;
    v = node_alloc(n, sizeof(*v), false);
    if (!v)
        return DEMOS_E_MEMORY;
    *v = (struct move){.thread = t,
                       .id = t->task->id,
                       .base = args[3],
                       .len = len,
                       .asker = true,
                       .read = read};
    m = ask(n, v, l, args[2]);
    if (!m) {
        node_free(n, v, sizeof(*v));
        return DEMOS_E_MEMORY;
    }
    list_push_back(&n->moves, &v->all);
    thread_wait(n, t, WAIT_MOVE, DEMOS_FOREVER);
    t->wait_serial = v->transfer;
    route(n, m, l->hint);
    return CALL_WAIT;
}

s64 bulk_load(struct node *n, struct task *t, struct message *request, u64 address, u64 len,
              bool read)
{
    struct message *m;
    struct move *v;

    if (!n->net)
        return DEMOS_E_DEAD;
    if (!(request->flags & MESSAGE_HAS_REPLY))
        return DEMOS_E_ARGUMENT;
    if (!region_reach(n, t, address, len, REGION_READ | REGION_WRITE | REGION_EXECUTE))
        return DEMOS_E_ADDRESS;
    v = node_alloc(n, sizeof(*v), false);
    if (!v)
        return DEMOS_E_MEMORY;
    *v = (struct move){.id = t->id,
                       .base = address,
                       .len = len,
                       .answer = request->reply,
                       .asker = true,
                       .read = read};
    m = ask(n, v, &request->links[0], 0);
    if (!m) {
        node_free(n, v, sizeof(*v));
        return DEMOS_E_MEMORY;
    }
    v->area = request_take_link(request, 0); /* kept until the move is over */
    list_push_back(&n->moves, &v->all);
    request->flags &= (u8)~MESSAGE_HAS_REPLY;
    route(n, m, v->area.hint);
    return CALL_WAIT;
}

/* Who is to answer our MOVE; if that boot is no more, nobody will. */
static void asked_at(struct node *n, struct move *v, u32 machine, u32 epoch)
{
    if (v->started || !v->asker || machine == n->config.machine)
        return;
    v->machine = machine;
    v->epoch = epoch;
    if (peer_gone(n, machine, epoch))
        finished(n, v, DEMOS_E_DEAD);
}

void bulk_leaves(struct node *n, const struct message *request, u32 machine)
{
    struct move *v = find(n, be64_get(request->body));

    if (v && request->sender_machine == n->config.machine)
        asked_at(n, v, machine, peer_boot(n, machine));
}

s64 bulk_finish(struct node *n, struct thread *t)
{
    struct move *v = find(n, t->wait_serial);
    s64 result;

    if (!v)
        return DEMOS_E_LOST;
    if (!v->done) {
        t->state = THREAD_WAITING;
        t->pending = true;
        return CALL_WAIT;
    }
    result = v->result;
    if (result >= 0)
        t->task->count.moved_bytes += v->len;
    input(n, t->task, result);
    trace_by(n, KERNEL_T_move, &t->task->id, v->len, v->read ? 0 : 1);
    forget(n, v);
    return result;
}

void bulk_refuse(struct node *n, const struct message *request, s64 error)
{
    u64 transfer = be64_get(request->body);
    struct move *v;

    if (request->sender_machine != n->config.machine) {
        fail(n, request->sender_machine, transfer, error);
        return;
    }
    v = find(n, transfer); /* it never left */
    if (v)
        finished(n, v, error);
}

/* At the owner: the area is the link's word, its rights and bounds are checked here. */
static s64 check(struct node *n, struct task *t, const struct message *m, bool read, u64 offset,
                 u64 len)
{
    const struct link *l = &m->links[0];
    s64 error = area_check(l, read ? DEMOS_MOVE_READ : DEMOS_MOVE_WRITE, offset, len);

    if (error)
        return error;
    if (t->key && l->check != link_check(l, t->key))
        return DEMOS_E_LINK;
    return region_reach(n, t, l->base + offset, len, read ? REGION_READ : REGION_WRITE)
               ? 0
               : DEMOS_E_ADDRESS;
}

/* The other end's process, or (t is NULL) a frame of this node's (page.h). */
static s64 begin(struct node *n, struct task *t, const struct message *m)
{
    u64 len = be64_get(m->body + 8) & ~((u64)1 << 63), offset = be64_get(m->body + 16);
    bool read = be64_get(m->body + 8) >> 63;
    s64 error = t ? check(n, t, m, read, offset, len)
                  : keeper_area(n, &m->links[0], read, offset, len);
    struct move *v;

    if (error)
        return error;
    v = node_alloc(n, sizeof(*v), false);
    if (!v)
        return DEMOS_E_MEMORY;
    *v = (struct move){.transfer = be64_get(m->body),
                       .id = t ? t->id : (struct process_id){.serial = m->links[0].code},
                       .base = (t ? m->links[0].base : 0) + offset,
                       .len = len,
                       .machine = m->sender_machine,
                       .epoch = peer_boot(n, m->sender_machine),
                       .read = read,
                       .started = !read};
    list_push_back(&n->moves, &v->all);
    if (!read && net_bulk_expect(n->net, v->machine, v->transfer, len) != NET_OK) {
        forget(n, v);
        return DEMOS_E_LOST;
    }
    go(n, v);
    return 0;
}

/* The process at the other end is moving: from the beginning, at its new place. */
static void start_again(struct node *n, struct move *v)
{
    struct thread *t = v->thread;
    struct message *m;

    if (!t) {
        m = ask(n, v, &v->area, 0);
        if (m)
            route(n, m, v->area.hint);
        else
            finished(n, v, DEMOS_E_MEMORY);
        return;
    }
    forget(n, v);
    t->wait = WAIT_NOTHING;
    t->progress = 0;
    thread_wake(n, t);
}

/* Our own MOVE comes back: the owner of the area has moved to this machine meanwhile. */
static void came_home(struct node *n, const struct message *m)
{
    struct move *v = find(n, be64_get(m->body));

    if (!v || !v->asker || v->started)
        return;
    if (v->thread)
        start_again(n, v);
    else
        answer(n, v, DEMOS_E_STATE);
}

/* MOVE_GO at the asker, or back at the owner of an area that is read. */
static void proceed(struct node *n, struct move *v, u32 machine)
{
    bool send = v->asker != v->read;
    enum net_result said;

    if (v->started)
        return;
    v->started = true;
    v->machine = machine;
    v->epoch = peer_boot(n, machine);
    said = send ? net_bulk_send(n->net, machine, v->transfer, v->len)
                : net_bulk_expect(n->net, machine, v->transfer, v->len);
    if (said != NET_OK) {
        fail(n, machine, v->transfer, DEMOS_E_LOST);
        finished(n, v, DEMOS_E_LOST);
    } else if (!send) {
        go(n, v);
    }
}

void bulk_kernel_message(struct node *n, struct task *t, struct message *m)
{
    struct move *v;
    s64 error;

    if (m->length < 24)
        return;
    if (m->kind == KERNEL_MSG_MOVE && m->sender_machine == n->config.machine) {
        came_home(n, m);
        m->link_count = 0;
        return;
    }
    if (m->kind == KERNEL_MSG_MOVE) {
        error = m->link_count && (t || link_to_kernel(n, &m->links[0])) ? begin(n, t, m)
                                                                        : (s64)DEMOS_E_DEAD;
        if (error)
            bulk_refuse(n, m, error);
        m->link_count = 0; /* a copy that speaks of a link, not the link */
        return;
    }
    v = find(n, be64_get(m->body + 8));
    if (!v)
        return;
    if (m->kind == KERNEL_MSG_MOVE_GO) {
        proceed(n, v, m->sender_machine);
    } else if (m->kind == KERNEL_MSG_MOVE_AT && m->length >= 32) {
        asked_at(n, v, (u32)be64_get(m->body + 16), be32_get(m->body + 24));
    } else if (m->kind == KERNEL_MSG_MOVE_FAILED) {
        if (v->started)
            net_bulk_cancel(n->net, v->transfer);
        error = (s64)be64_get(m->body + 16);
        if (error == CALL_AGAIN && v->asker)
            start_again(n, v);
        else
            finished(n, v, error);
    }
}

/* A process's end of a move goes away: so does the move. */
static void give_up(struct node *n, struct move *v, s64 error)
{
    if (n->net && v->started)
        net_bulk_cancel(n->net, v->transfer);
    if (n->net && v->machine)
        fail(n, v->machine, v->transfer, error);
    if (v->asker && !v->thread)
        answer(n, v, error == CALL_AGAIN ? (s64)DEMOS_E_STATE : error);
    else
        forget(n, v);
}

void bulk_forget(struct node *n, struct thread *t)
{
    struct move *v = t->wait == WAIT_MOVE ? find(n, t->wait_serial) : NULL;

    if (v && v->thread == t)
        give_up(n, v, DEMOS_E_DEAD);
}

void bulk_detach(struct node *n, struct thread *t)
{
    bulk_forget(n, t);
    list_for_each_safe(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (!v->thread && process_id_equal(&v->id, &t->task->id))
            give_up(n, v, CALL_AGAIN);
    }
}

void bulk_task_end(struct node *n, const struct task *t)
{
    list_for_each_safe(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (!v->thread && process_id_equal(&v->id, &t->id))
            give_up(n, v, DEMOS_E_DEAD);
    }
}

void bulk_machine_dead(struct node *n)
{
    list_for_each_safe(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (v->done || v->machine == NO_MACHINE || !peer_gone(n, v->machine, v->epoch))
            continue;
        if (v->started)
            net_bulk_cancel(n->net, v->transfer);
        finished(n, v, DEMOS_E_DEAD);
    }
}

void bulk_free(struct node *n)
{
    while (!list_empty(&n->moves))
        forget(n, list_entry(n->moves.next, struct move, all));
}

void bulk_resume(struct node *n)
{
    list_for_each_safe(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (!v->stalled)
            continue;
        v->stalled = false;
        net_bulk_resume(n->net, v->transfer);
    }
}

/* Moves whose bytes cannot be had, or put: both ends hear so, and no byte more moves. */
void bulk_lost(struct node *n)
{
    list_for_each_safe(node, &n->moves)
    {
        struct move *v = list_entry(node, struct move, all);

        if (!v->lost || v->done)
            continue;
        net_bulk_cancel(n->net, v->transfer);
        fail(n, v->machine, v->transfer, DEMOS_E_LOST);
        finished(n, v, DEMOS_E_LOST);
    }
}

static enum machine_result copy(struct node *n, const struct move *v, u64 offset, void *out,
                                const void *in, size_t len)
{
    struct task *t = node_find(n, &v->id);

    if (v->id.machine == NO_MACHINE)
        return keeper_bytes(n, v->id.serial, v->base + offset, out, in, len) ? MACHINE_OK
                                                                             : MACHINE_FAULT;
    if (!t)
        return MACHINE_FAULT;
    if (out)
        return machine_copy_in(n, t, out, v->base + offset, len);
    return v->asker && !v->thread ? machine_load(n, t, v->base + offset, in, len)
                                  : machine_copy_out(n, t, v->base + offset, in, len);
}

/* This end's bytes, from or to the process or frame. False: not now. */
static bool piece(struct node *n, struct move *v, u64 offset, void *out, const void *in,
                  size_t len)
{
    enum fault f = FAULT_DONE;
    enum machine_result done;

    if (offset > v->len || len > v->len - offset)
        return true;
    do
        done = copy(n, v, offset, out, in, len);
    while (done == MACHINE_LATER && (f = fault_in_transfer(n)) == FAULT_DONE);
    v->stalled = done == MACHINE_LATER && f == FAULT_WAITS;
    if (done == MACHINE_LATER && (f == FAULT_FAILED || f == FAULT_MEMORY) && !v->lost) {
        v->lost = true;
        n->timed++;
    }
    if (done != MACHINE_OK && done != MACHINE_LATER && out)
        memset(out, 0, len); /* unmapped under our hands: its bytes mean nothing now */
    return !v->stalled && !v->lost;
}

bool net_up_bulk_read(struct net *net, u64 transfer, u64 offset, void *buffer, size_t len)
{
    struct node *n = net_owner(net);
    struct move *v = find(n, transfer);

    return v ? piece(n, v, offset, buffer, NULL, len)
             : migrate_bulk_read(n, transfer, offset, buffer, len);
}

bool net_up_bulk_write(struct net *net, u64 transfer, u64 offset, const void *data, size_t len)
{
    struct node *n = net_owner(net);
    struct move *v = find(n, transfer);

    return v ? piece(n, v, offset, NULL, data, len)
             : migrate_bulk_write(n, transfer, offset, data, len);
}

void net_up_bulk_done(struct net *net, u64 transfer, int result)
{
    struct node *n = net_owner(net);
    struct move *v = find(n, transfer);

    if (v)
        finished(n, v, result == NET_OK ? (s64)v->len : (s64)DEMOS_E_LOST);
    else
        migrate_bulk_done(n, transfer, result == NET_OK);
    kernel_work(n);
}
