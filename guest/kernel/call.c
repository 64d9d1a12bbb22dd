/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: kernel calls by number, and the way back to a thread whose call had to wait.
 * A call is its number and six words kept in the thread; waiting for room or for a page
 * means doing it again from the start, so there is nothing to unwind and nothing to save.
 */
#include "guest/kernel/hot.h"

static s64 call_null(struct node *n, struct thread *t, const u64 *args)
{
    (void)n;
    (void)t;
    (void)args;
    return 0;
}

/* What is the same in all links that a process makes. */
static inline void made(const struct node *n, const struct task *t, struct link *l)
{
    l->to = t->id;
    l->check = 0;
    l->hint = n->config.machine;
    l->incarnation = t->incarnation;
    l->moves = (u16)t->moves;
    l->hops = 0;
}

static inline __attribute__((always_inline)) s64
call_createlink(struct node *n, struct thread *t, const u64 *args)
{
    u64 spec = args[0], base = args[2], len = args[3];
    u32 kind = spec & 0xff, attr = (u32)(spec >> 8) & 0xffffff, channel = (u32)(spec >> 32);
    struct task *self = t->task;
    struct link_slot *slot;
    int error;

    if (kind >= DEMOS_REPLY_LINK)
        return kind == DEMOS_REPLY_LINK ? DEMOS_E_KIND : DEMOS_E_ARGUMENT;
    if (attr & ~(u32)DEMOS_ATTR_USER || channel >= DEMOS_CHANNELS)
        return DEMOS_E_ARGUMENT;
    if (attr & DEMOS_TIMELY && kind != DEMOS_GENERAL)
        return DEMOS_E_KIND;
    if (len > DEMOS_GLOBAL_END || base > DEMOS_GLOBAL_END - len)
        return DEMOS_E_AREA;
    if (!(attr & (DEMOS_AREA_READ | DEMOS_AREA_WRITE)) && len)
        return DEMOS_E_AREA;
    slot = self->links.free ? link_take(&self->links) : link_room(n, &self->links, &error);
    if (!slot)
        return error;
    made(n, self, &slot->link);
    slot->link.code = args[1];
    slot->link.base = base;
    slot->link.len = len;
    slot->link.channel = (u16)channel;
    slot->link.attr = (u16)attr;
    slot->link.kind = (u8)kind;
    if (self->key)
        slot->link.check = link_check(&slot->link, self->key);
    trace_by(n, KERNEL_T_createlink, &self->id, (u64)slot->number, spec);
    return slot->number;
}

static s64 call_duplink(struct node *n, struct thread *t, const u64 *args)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct link l;
    s64 number;

    if (!slot)
        return DEMOS_E_LINK;
    if (!(slot->link.attr & DEMOS_DUP))
        return DEMOS_E_ALLOWED;
    l = slot->link; /* the table may move */
    number = link_insert(n, &t->task->links, &l);
    trace_by(n, KERNEL_T_duplink, &t->task->id, args[0], (u64)number);
    return number;
}

static inline __attribute__((always_inline)) s64
call_destroylink(struct node *n, struct thread *t, const u64 *args)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)args[0]);
    struct link l;

    if (!slot)
        return DEMOS_E_LINK;
    trace_by(n, KERNEL_T_destroylink, &t->task->id, args[0], 0);
    if (slot->link.kind != DEMOS_REPLY_LINK && !(slot->link.attr & DEMOS_TELLDEST)) {
        link_free(&t->task->links, slot);
        return 0;
    }
    l = slot->link;
    link_free(&t->task->links, slot);
    link_drop(n, &l);
    return 0;
}

static s64 call_yield(struct node *n, struct thread *t, const u64 *args)
{
    (void)n;
    (void)args;
    if (t->wait == WAIT_NOTHING && !t->progress) {
        t->progress = 1;
        return CALL_STEP;
    }
    return 0;
}

static s64 call_exit(struct node *n, struct thread *t, const u64 *args)
{
    task_end(n, t->task, DEMOS_END_EXIT, args[0], 0);
    return CALL_GONE;
}

/* The general way; `progress` says that the reply is on its way. */
static s64 call_answer(struct node *n, struct thread *t, const u64 *args)
{
    u64 reply[6] = {args[0], args[1], (u32)args[2], 0, DEMOS_FOREVER, 0};
    u64 receive[6] = {args[5], args[3], args[2] >> 32, args[4], DEMOS_FOREVER, 0};
    s64 said;

    if (!t->progress) {
        t->call = DEMOS_REPLY;
        said = call_send(n, t, reply);
        t->call = DEMOS_ANSWER;
        if (said)
            return said;
        t->wait = WAIT_NOTHING;
        t->wait_error = 0;
        t->progress = 1;
    }
    return call_receive(n, t, receive);
}

typedef s64 call_function(struct node *n, struct thread *t, const u64 *args);

static call_function *const calls[DEMOS_CALLS] = {
    [DEMOS_NULL] = call_null,
    [DEMOS_CREATELINK] = call_createlink,
    [DEMOS_DESTROYLINK] = call_destroylink,
    [DEMOS_DUPLINK] = call_duplink,
    [DEMOS_SEND] = call_send,
    [DEMOS_REQUEST] = call_send,
    [DEMOS_REPLY] = call_send,
    [DEMOS_RECEIVE] = call_receive,
    [DEMOS_CALL] = call_send,
    [DEMOS_MOVEDATA] = call_move,
    [DEMOS_YIELD] = call_yield,
    [DEMOS_EXIT] = call_exit,
    [DEMOS_ANSWER] = call_answer,
};

enum outcome call_conclude(struct node *n, struct thread *t, s64 said, s64 *result)
{
    if (said == CALL_AGAIN)
        said = fault_in_call(n, t);
    if (said == CALL_STEP) {
        t->pending = true;
        thread_ready(n, t);
    }
    n->current = said == CALL_GONE ? NULL : t;
    if (!list_empty(&n->work))
        kernel_work(n);
    if (said <= CALL_WAIT || !n->current) {
        if (n->current && t->slow & SLOW_MIGRATING)
            migrate_offer(n, t->task);
        return node_leave(n);
    }
    *result = said;
    call_over(t);
    if (!node_should_preempt(n, t))
        return NODE_DONE;
    t->pending = true; /* stopped, or woke who is more urgent: hears of its result later */
    t->call = DEMOS_CALLS;
    t->args[0] = (u64)said;
    thread_ready(n, t);
    if (t->slow & SLOW_MIGRATING)
        migrate_offer(n, t->task);
    return NODE_BLOCKED;
}

__attribute__((noinline)) enum outcome call_general(struct node *n, struct thread *t,
                                                    s64 *result)
{
    return call_conclude(n, t, calls[t->call](n, t, t->args), result);
}

typedef enum outcome straight_function(struct node *n, struct thread *t, s64 *result);

static enum outcome straight_null(struct node *n, struct thread *t, s64 *result)
{
    return call_done(n, t, call_null(n, t, t->args), result);
}

static enum outcome straight_createlink(struct node *n, struct thread *t, s64 *result)
{
    return call_done(n, t, call_createlink(n, t, t->args), result);
}

static enum outcome straight_destroylink(struct node *n, struct thread *t, s64 *result)
{
    return call_done(n, t, call_destroylink(n, t, t->args), result);
}

/* The general function, which may be over at once, too. */
static enum outcome straight_general(struct node *n, struct thread *t, s64 *result)
{
    s64 said = calls[t->call](n, t, t->args);

    if (said > CALL_WAIT)
        return call_done(n, t, said, result);
    return call_conclude(n, t, said, result);
}

/* What is tried first for threads whose `slow` is 0. */
static straight_function *const straight[DEMOS_CALLS] = {
    [DEMOS_NULL] = straight_null,
    [DEMOS_CREATELINK] = straight_createlink,
    [DEMOS_DESTROYLINK] = straight_destroylink,
    [DEMOS_DUPLINK] = straight_general,
    [DEMOS_SEND] = fast_send,
    [DEMOS_REQUEST] = straight_general,
    [DEMOS_REPLY] = fast_reply,
    [DEMOS_RECEIVE] = fast_receive,
    [DEMOS_CALL] = fast_call,
    [DEMOS_MOVEDATA] = straight_general,
    [DEMOS_YIELD] = straight_general,
    [DEMOS_EXIT] = straight_general,
    [DEMOS_ANSWER] = fast_answer,
};

/* Nothing is kept here for after the call: what it comes to is said where it ends. */
enum outcome node_call(struct node *n, struct thread *t, s64 *result, u64 number)
{
    n->count.entries++;
    t->task->count.entries++;
    if (number >= DEMOS_CALLS) {
        *result = DEMOS_E_CALL;
        return NODE_DONE;
    }
    t->call = (u32)number;
    return t->slow ? call_general(n, t, result) : straight[number](n, t, result);
}

static s64 go_on(struct node *n, struct thread *t)
{
    if (t->call == DEMOS_CALLS)
        return (s64)t->args[0]; /* over already, see call_conclude() */
    if (t->call == DEMOS_CALL && (t->wait == WAIT_REPLY || t->delivered))
        return finish_call(n, t);
    if (t->wait == WAIT_MOVE)
        return bulk_finish(n, t);
    return calls[t->call](n, t, t->args);
}

enum outcome call_go_on(struct node *n, struct thread *t, s64 *result)
{
    return call_conclude(n, t, go_on(n, t), result);
}

static __attribute__((noinline)) enum outcome resume(struct node *n, struct thread *t,
                                                     s64 *result)
{
    if (t->wait == WAIT_PAGE)
        fault_waited(t);
    if (!t->pending)
        return NODE_RUN;
    t->pending = false;
    return t->delivered && !t->slow ? fast_finish(n, t, result) : call_go_on(n, t, result);
}

enum outcome node_resume(struct node *n, struct thread *t, s64 *result)
{
    if (!t->pending || t->call != DEMOS_CALLS || t->slow)
        return resume(n, t, result);
    t->pending = false; /* over already, as go_on has it */
    *result = (s64)t->args[0];
    return NODE_DONE;
}
