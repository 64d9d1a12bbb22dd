/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a thread does that is not a DEMOS call stops it and becomes a request over its
 * task's exception link; the answer says how it goes on. Without such a link the process ends.
 */
#include "base/bytes.h"
#include "guest/kernel/core.h"

enum { WORDS = 4 };

static struct message *report(struct node *n, struct thread *t, const struct exception *e)
{
    size_t registers = machine_thread_export(n, t, NULL, 0);
    struct message *m;

    if (registers > DEMOS_BODY_MAX - 8 * WORDS)
        return NULL;
    m = message_alloc(n, 8 * WORDS + (u32)registers, 0, true);
    if (!m)
        return NULL;
    be64_put(m->body, e->reason);
    be64_put(m->body + 8, e->code);
    be64_put(m->body + 16, e->address);
    be64_put(m->body + 24, e->at);
    machine_thread_export(n, t, m->body + 8 * WORDS, registers);
    return m;
}

enum outcome node_exception(struct node *n, struct thread *t, const struct exception *e)
{
    struct task *task = t->task;
    struct message *m = NULL;

    trace_by(n, KERNEL_T_fault, &task->id, (u64)e->reason << 32 | e->code, e->address);
    if (task->exception.kind != DEMOS_KINDS)
        m = report(n, t, e);
    if (!m) {
        task_end(n, task, DEMOS_END_EXCEPTION, e->reason, e->address);
        kernel_work(n);
        return node_leave(n);
    }
    message_to_link(m, &task->exception);
    message_from(n, task, m);
    m->kind = DEMOS_MSG_REQUEST;
    m->flags |= MESSAGE_HAS_REPLY | MESSAGE_IN_CALL;
    control_link(task, n->config.machine, &m->reply);
    m->reply.kind = DEMOS_REPLY_LINK;
    m->reply.attr = DEMOS_TOKERNEL | DEMOS_GIVE | DEMOS_ONCE;
    m->reply.code = ++task->calls;
    m->reply.len = DEMOS_BODY_MAX;
    m->reply.check = link_check(&m->reply, task->key);
    t->state = THREAD_STOPPED;
    t->wait = WAIT_FAULT;
    t->wait_serial = task->calls;
    route(n, m, task->exception.hint);
    kernel_work(n);
    return node_leave(n);
}

void exception_answered(struct node *n, struct task *t, struct message *m)
{
    struct thread *th = task_thread(t);
    u64 answer = m->kind == DEMOS_MSG_REPLY ? request_word(m, 0) : (u64)EXCEPTION_KILL;

    if (!th || th->state != THREAD_STOPPED || th->wait_serial != m->code)
        return;
    if (answer == EXCEPTION_CHANGE &&
        (m->length < 8 || !machine_thread_import(n, th, m->body + 8, m->length - 8)))
        answer = EXCEPTION_KILL;
    if (answer >= EXCEPTION_KILL) {
        task_end(n, t, DEMOS_END_KILLED, 0, 0);
        return;
    }
    th->wait = WAIT_NOTHING;
    thread_ready(n, th);
}
