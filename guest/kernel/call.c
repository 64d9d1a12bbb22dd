/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: kernel calls by number, and the way back to a thread whose call had to wait.
 * A call is its number and six words kept in the thread; waiting for room or for a page
 * means doing it again from the start, so there is nothing to unwind and nothing to save.
 */
#include "guest/kernel/core.h"

static s64 call_null(struct node *n, struct thread *t)
{
    (void)n;
    (void)t;
    return 0;
}

static s64 call_createlink(struct node *n, struct thread *t)
{
    u64 spec = t->args[0], base = t->args[2], len = t->args[3];
    u32 kind = spec & 0xff, attr = (u32)(spec >> 8) & 0xffffff, channel = (u32)(spec >> 32);
    struct task *self = t->task;
    struct link l;
    s64 number;

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
    l = (struct link){
        .to = self->id,
        .code = t->args[1],
        .base = base,
        .len = len,
        .hint = n->config.machine,
        .incarnation = self->incarnation,
        .channel = channel,
        .attr = (u16)attr,
        .kind = (u8)kind,
    };
    if (self->key)
        l.check = link_check(&l, self->key);
    number = link_insert(n, &self->links, &l);
    trace(n, KERNEL_T_createlink, self->id.serial, (u64)number, spec);
    return number;
}

static s64 call_duplink(struct node *n, struct thread *t)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)t->args[0]);
    struct link l;
    s64 number;

    if (!slot)
        return DEMOS_E_LINK;
    if (!(slot->link.attr & DEMOS_DUP))
        return DEMOS_E_ALLOWED;
    l = slot->link; /* the table may move */
    number = link_insert(n, &t->task->links, &l);
    trace(n, KERNEL_T_duplink, t->task->id.serial, t->args[0], (u64)number);
    return number;
}

static s64 call_destroylink(struct node *n, struct thread *t)
{
    struct link_slot *slot = link_find(&t->task->links, (s64)t->args[0]);
    struct link l;

    if (!slot)
        return DEMOS_E_LINK;
    trace(n, KERNEL_T_destroylink, t->task->id.serial, t->args[0], 0);
    if (slot->link.kind != DEMOS_REPLY_LINK && !(slot->link.attr & DEMOS_TELLDEST)) {
        link_remove(&t->task->links, slot);
        return 0;
    }
    l = slot->link;
    link_remove(&t->task->links, slot);
    link_drop(n, &l);
    return 0;
}

static s64 call_yield(struct node *n, struct thread *t)
{
    (void)n;
    if (t->wait == WAIT_NOTHING && !t->progress) {
        t->progress = 1;
        return CALL_STEP;
    }
    return 0;
}

static s64 call_exit(struct node *n, struct thread *t)
{
    task_end(n, t->task, DEMOS_END_EXIT, t->args[0], 0);
    return CALL_GONE;
}

static s64 (*const calls[DEMOS_CALLS])(struct node *n, struct thread *t) = {
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
};

/* Turns what a call function said into what the machine is to do. */
static enum outcome conclude(struct node *n, struct thread *t, s64 said, s64 *result)
{
    if (said == CALL_AGAIN)
        thread_wait(n, t, WAIT_PAGE, DEMOS_FOREVER);
    n->current = t;
    if (!list_empty(&n->work))
        kernel_work(n);
    if (said > CALL_WAIT && n->current) {
        *result = said;
        t->pending = false;
        t->wait = WAIT_NOTHING;
        if (!(t->slow & SLOW_STOP))
            return NODE_DONE;
        t->pending = true; /* was stopped meanwhile: hears of its result when resumed */
        t->call = DEMOS_CALLS;
        t->args[0] = (u64)said;
        thread_ready(n, t);
        return NODE_BLOCKED;
    }
    return node_leave(n);
}

static enum outcome finish(struct node *n, struct thread *t, s64 said, s64 *result)
{
    if (said == CALL_STEP) {
        t->pending = true;
        thread_ready(n, t);
    }
    return conclude(n, t, said, result);
}

enum outcome node_call(struct node *n, struct thread *t, u32 number, const u64 args[6],
                       s64 *result)
{
    s64 said = CALL_GENERAL;

    n->count.entries++;
    t->task->count.entries++;
    if (number >= DEMOS_CALLS) {
        *result = DEMOS_E_CALL;
        return NODE_DONE;
    }
    if (number == DEMOS_CALL)
        said = fast_call(n, t, args);
    else if (number == DEMOS_REPLY)
        said = fast_reply(n, t, args);
    if (said != CALL_GENERAL) {
        *result = said;
        return said == CALL_WAIT ? NODE_SWITCH : NODE_DONE;
    }
    t->call = number;
    memcpy(t->args, args, sizeof(t->args));
    t->progress = 0;
    t->deadline = ~(u64)0;
    t->wait = WAIT_NOTHING;
    t->wait_error = 0;
    return finish(n, t, calls[number](n, t), result);
}

static s64 go_on(struct node *n, struct thread *t)
{
    if (t->call == DEMOS_CALLS)
        return (s64)t->args[0]; /* over already, see conclude() */
    if (t->call == DEMOS_CALL && (t->wait == WAIT_REPLY || t->delivered))
        return finish_call(n, t);
    if (t->wait == WAIT_MOVE)
        return bulk_finish(n, t);
    return calls[t->call](n, t);
}

enum outcome node_resume(struct node *n, struct thread *t, s64 *result)
{
    if (!t->pending)
        return NODE_RUN;
    t->pending = false;
    return finish(n, t, go_on(n, t), result);
}
