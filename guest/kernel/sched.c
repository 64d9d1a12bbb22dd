/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which thread runs: run queues by priority, first in first out, and the heap of time
 * limits. A CALL or REPLY that wakes its partner hands the processor straight to it,
 * unless a thread of higher priority is ready.
 */
#include "guest/kernel/core.h"

void thread_ready(struct node *n, struct thread *t)
{
    t->state = THREAD_READY;
    if (t->slow & SLOW_STOP)
        return; /* runs when it is resumed */
    list_push_back(&n->ready[t->priority], &t->run);
    n->ready_mask |= 1u << t->priority;
}

void thread_unready(struct node *n, struct thread *t)
{
    list_remove(&t->run);
    if (list_empty(&n->ready[t->priority]))
        n->ready_mask &= ~(1u << t->priority);
    if (n->handoff == t)
        n->handoff = NULL;
}

static void timer_place(struct node *n, u32 at, struct thread *t)
{
    n->timers[at] = t;
    t->timer = at + 1;
}

static void timer_sift(struct node *n, u32 at)
{
    struct thread *t = n->timers[at];

    while (at && n->timers[(at - 1) / 2]->deadline > t->deadline) {
        timer_place(n, at, n->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (u32 child; (child = 2 * at + 1) < n->timer_count; at = child) {
        if (child + 1 < n->timer_count &&
            n->timers[child + 1]->deadline < n->timers[child]->deadline)
            child++;
        if (n->timers[child]->deadline >= t->deadline)
            break;
        timer_place(n, at, n->timers[child]);
    }
    timer_place(n, at, t);
}

static void timer_remove(struct node *n, struct thread *t)
{
    u32 at = t->timer - 1;
    struct thread *last = n->timers[--n->timer_count];

    t->timer = 0;
    if (last != t) {
        timer_place(n, at, last);
        timer_sift(n, at);
    }
}

void timer_forget(struct node *n, struct thread *t)
{
    if (t->timer)
        timer_remove(n, t);
}

int timer_room(struct node *n)
{
    u32 room = n->timer_room ? 2 * n->timer_room : 16;
    struct thread **timers;

    if (n->timer_count < n->timer_room)
        return 0;
    timers = node_alloc(n, room * sizeof(struct thread *), true);
    if (!timers)
        return DEMOS_E_MEMORY;
    if (n->timers)
        memcpy(timers, n->timers, n->timer_count * sizeof(struct thread *));
    node_free(n, n->timers, n->timer_room * sizeof(struct thread *));
    n->timers = timers;
    n->timer_room = room;
    return 0;
}

void thread_wait(struct node *n, struct thread *t, enum wait why, u64 timeout)
{
    t->state = THREAD_WAITING;
    t->wait = (u8)why;
    t->pending = true;
    t->wait_error = 0;
    if (timeout == DEMOS_FOREVER || t->timer)
        return;
    if (t->deadline == ~(u64)0) {
        u64 now = machine_now(n);

        t->deadline = timeout < ~now ? now + timeout : ~(u64)1;
    }
    n->timers[n->timer_count++] = t; /* timer_room was asked before */
    timer_sift(n, n->timer_count - 1);
}

void thread_wait_again(struct node *n, struct thread *t)
{
    n->timers[n->timer_count++] = t;
    timer_sift(n, n->timer_count - 1);
}

void thread_wake(struct node *n, struct thread *t)
{
    if (t->state != THREAD_WAITING)
        return;
    list_remove(&t->run);
    if (t->timer)
        timer_remove(n, t);
    thread_ready(n, t);
}

void thread_wake_error(struct node *n, struct thread *t, s32 error)
{
    if (t->state != THREAD_WAITING)
        return;
    t->wait_error = error;
    thread_wake(n, t);
}

void threads_wake(struct node *n, struct list *waiters)
{
    while (!list_empty(waiters))
        thread_wake(n, list_entry(waiters->next, struct thread, run));
}

struct thread *node_next(struct node *n)
{
    struct thread *t;

    if (!n->ready_mask)
        return NULL;
    t = list_entry(n->ready[__builtin_ctz(n->ready_mask)].next, struct thread, run);
    thread_unready(n, t);
    t->state = THREAD_RUNNING;
    return t;
}

void node_preempt(struct node *n, struct thread *t)
{
    if (t->state == THREAD_RUNNING)
        thread_ready(n, t);
    if (t->slow & SLOW_MIGRATING)
        migrate_offer(n, t->task);
}

bool node_should_preempt(const struct node *n, const struct thread *t)
{
    if (t->slow & SLOW_STOP)
        return true;
    return n->ready_mask && (u32)__builtin_ctz(n->ready_mask) < t->priority;
}

void node_timer(struct node *n)
{
    u64 now = n->timer_count ? machine_now(n) : 0;

    while (n->timer_count && n->timers[0]->deadline <= now)
        thread_wake_error(n, n->timers[0], DEMOS_E_TIMEOUT);
    if (n->timed) {
        locate_timer(n);
        migrate_timer(n);
        bulk_lost(n);
    }
    kernel_work(n);
}

static __attribute__((noinline)) u64 earliest(const struct node *n)
{
    u64 next = n->timer_count ? n->timers[0]->deadline : ~(u64)0;

    return n->timed ? migrate_deadline(n, locate_deadline(n, next)) : next;
}

u64 node_deadline(const struct node *n)
{
    if (!n->timer_count && list_empty(&n->searches))
        return ~(u64)0; /* as nearly always when a call returns */
    return earliest(n);
}

/* The caller's thread has stopped running: straight to the one it woke, if that may be. */
enum outcome node_leave(struct node *n)
{
    struct thread *t = n->handoff;

    if (!t || t->state != THREAD_READY || (n->ready_mask & ((1u << t->priority) - 1))) {
        n->handoff = NULL;
        return NODE_BLOCKED;
    }
    thread_unready(n, t);
    t->state = THREAD_RUNNING;
    n->chosen = t;
    return NODE_SWITCH;
}

struct thread *node_switch_target(struct node *n)
{
    return n->chosen;
}

void node_page_ready(struct node *n, struct thread *t)
{
    if (t->wait == WAIT_PAGE)
        thread_wake(n, t);
}
