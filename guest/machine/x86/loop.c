/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 machine's loop (guest/kernel/node.h draws it), cut into pieces that never
 * return: each ends in ring 3, or begins anew with an empty stack. The alarm ends time
 * slices; it is set at most once a slice, so that kernel calls cost no hypercall.
 */
#include "guest/machine/balloon.h"
#include "guest/machine/orders.h"
#include "guest/machine/x86/disk.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/rt/trap.h"

#define SLICE_NS 10000000ull

static void set_alarm(u64 at_ns)
{
    if (at_ns == x86.alarm_ns)
        return;
    x86.alarm_ns = at_ns;
    rt_alarm_set(at_ns == RT_NEVER ? RT_NEVER : at_ns + x86.started_ns);
}

/* The network's, if that is earlier. */
static __attribute__((noinline)) u64 deadline_with_net(u64 deadline)
{
    u64 net = net_deadline(x86.net);

    if (net == RT_NEVER)
        return deadline;
    return MIN(deadline, net > x86.started_ns ? net - x86.started_ns : 0);
}

/* The earliest time that the node or its network wants to be called at. */
static inline u64 deadline_of_all(void)
{
    u64 deadline = node_deadline(x86.node);

    return x86.net ? deadline_with_net(deadline) : deadline;
}

static __attribute__((noinline)) void begin_slice(u64 deadline)
{
    set_alarm(MIN(deadline, machine_now(x86.node) + SLICE_NS));
}

/* Before ring 3: a running slice or an earlier deadline has the alarm set. */
static inline __attribute__((always_inline)) void guard_slice(void)
{
    u64 deadline = deadline_of_all();

    if (x86.alarm_ns == RT_NEVER)
        begin_slice(deadline);
    else if (deadline < x86.alarm_ns)
        set_alarm(deadline);
}

static inline __attribute__((always_inline)) NORETURN void to_user(struct thread *t)
{
    struct context *c = t->machine;

    if (x86.net)
        wire_flush(&x86.wire);
    guard_slice();
    cpu_float_load(c);
    x86_enter(c);
}

/* Runs a chosen thread, or those it hands over to; does not return. */
static inline __attribute__((always_inline)) NORETURN void run(struct thread *t)
{
    for (;;) {
        s64 result;
        enum outcome o;

        cpu_space_load(&x86_task(t->task)->cpu);
        o = node_resume(x86.node, t, &result);
        if (o == NODE_DONE)
            ((struct context *)t->machine)->r[R_RAX] = (u64)result;
        if (o == NODE_DONE || o == NODE_RUN)
            to_user(t);
        if (o == NODE_BLOCKED)
            x86_restart();
        t = node_switch_target(x86.node);
    }
}

static NORETURN void halt(void)
{
    if (x86.status != 0)
        rt_printf("node: ended with status %ld\n", x86.status);
    rt_shutdown(RT_POWEROFF);
}

/* What the other ends of store, network and disks have for us. */
static void take_in(void)
{
    if (x86.net)
        wire_poll(&x86.wire);
    else
        rt_store_poll();
    if (x86.disks)
        x86_disks_poll();
    node_timer(x86.node);
}

static void idle(void)
{
    u64 deadline = ~0ull, all;
    bool quiet;

    if (frames_idle(&x86.frames))
        return;
    quiet = !x86.disks || x86_disks_rest(&deadline);
    /* Questions to the store may have brought changes along: whose wake-up is over. */
    if ((x86.net ? wire_rest(&x86.wire) : !rt_store_poll()) && quiet) {
        all = deadline_of_all();
        deadline = MIN(deadline, all);
        if (deadline == RT_NEVER || deadline > machine_now(x86.node)) {
            set_alarm(deadline);
            rt_wait();
        }
    }
    take_in();
}

static void rest(void)
{
    idle();
    orders_obey(x86.node);
    balloon_follow(x86.node);
    x86_suspend_obey();
}

void x86_schedule(void)
{
    for (;;) {
        struct thread *t;

        if (x86.halted)
            halt();
        if (node_counters(x86.node)->processes == 0)
            rt_panic("the last process has ended without halting the node");
        t = node_next(x86.node);
        if (t)
            run(t);
        else
            rest();
    }
}

void x86_follow(struct thread *t, enum outcome o, s64 result)
{
    switch (o) {
    case NODE_DONE: ((struct context *)t->machine)->r[R_RAX] = (u64)result; to_user(t);
    case NODE_RUN: to_user(t);
    case NODE_SWITCH:
    case NODE_HANDOVER: run(node_switch_target(x86.node));
    default: x86_restart();
    }
}

/* The slice of who called goes on: its alarm is set, and no deadline has come before it. */
static inline NORETURN void hand_over(struct thread *t)
{
    struct context *c = t->machine;

    cpu_space_load(&x86_task(t->task)->cpu);
    c->r[R_RAX] = (u64)node_handed(t);
    cpu_float_load(c);
    x86_enter(c);
}

void x86_after_call(enum outcome o)
{
    if (o == NODE_HANDOVER)
        hand_over(node_switch_target(x86.node));
    if (o == NODE_RUN)
        x86_current->r[R_RAX] = 0;
    x86_follow(x86_current->thread, o, 0);
}

void x86_foreign(void)
{
    struct thread *t = x86_current->thread;
    struct exception e = {.reason = EXCEPTION_FOREIGN,
                          .code = (u32)x86_current->r[R_RAX],
                          .at = x86_current->r[R_RIP]};

    x86_follow(t, node_exception(x86.node, t, &e), 0);
}

/* Inside an interrupt or rt_wait: only notes it; x86_before_user acts. */
static void on_alarm(void *arg)
{
    (void)arg;
    x86.alarm_ns = RT_NEVER;
    x86.slice_over = true;
}

/* On the way back to ring 3 after an interrupt. */
static void before_user(struct rt_frame *f)
{
    struct thread *t = x86_current->thread;

    if (!x86.slice_over && !(x86.net && wire_wants(&x86.wire)) &&
        !(x86.disks && x86_disks_want()))
        return;
    if (x86.slice_over)
        t->task->cpu_ns += SLICE_NS; /* sampled: whom the tick finds has had the slice */
    x86.slice_over = false;
    take_in();
    if (x86.net)
        wire_attend(&x86.wire); /* whoever computes does not rest */
    x86_save_frame(f);
    node_preempt(x86.node, t);
    orders_obey(x86.node);
    balloon_follow(x86.node);
    x86_suspend_obey();
    x86_restart();
}

void x86_loop_init(void)
{
    x86.alarm_ns = RT_NEVER;
    rt_alarm_handler(on_alarm, NULL);
    rt_trap_before_user(before_user);
}
