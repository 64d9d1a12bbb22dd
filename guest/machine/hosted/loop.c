/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosted machine's loop (guest/kernel/node.h draws it): runs one child at a time until
 * it calls, faults, or the host's interval timer ends its slice. While nothing is ready
 * the timer is off and the process sleeps.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include "guest/machine/hosted/hosted.h"

enum { SLICE_US = 10000 };
enum next { AGAIN, LEAVE, SWITCH };

static volatile sig_atomic_t ticked;

static void on_tick(int signal_number)
{
    (void)signal_number;
    ticked = 1;
}

static void ticks(bool on)
{
    static bool running;
    struct itimerval t = {{0, on ? SLICE_US : 0}, {0, on ? SLICE_US : 0}};

    if (on != running)
        setitimer(ITIMER_REAL, &t, NULL);
    running = on;
}

static enum next follow(struct thread *t, enum outcome o, s64 result)
{
    struct child *c;

    switch (o) {
    case NODE_DONE:
        c = &hosted_task(t->task)->child;
        c->regs.rax = (u64)result;
        c->registers_changed = true;
        return AGAIN;
    case NODE_RUN: return AGAIN;
    case NODE_SWITCH:
    case NODE_HANDOVER: return SWITCH;
    default: return LEAVE;
    }
}

static enum next exception(struct hosted *h, struct thread *t, u32 reason, u32 code,
                           u64 address)
{
    struct child *c = &hosted_task(t->task)->child;
    struct exception e = {reason, code, address, c->regs.rip};

    return follow(t, node_exception(h->node, t, &e), 0);
}

/*
 * The host does not say what kind of access failed. A page that is not there was read, or
 * executed if the instruction pointer is in it; one that is there and could be read was
 * written or, where code lies, executed.
 */
static u32 access_of(struct hosted_task *m, u64 address)
{
    const struct child *c = &m->child;
    u64 *e = space_entry(&m->space, address);
    bool code = address >> FRAME_SHIFT == c->regs.rip >> FRAME_SHIFT;

    if (code && !(e && (*e & ENTRY_PRESENT) && !(*e & ENTRY_NO_EXECUTE)))
        return REGION_EXECUTE;
    return e && (*e & ENTRY_PRESENT) ? REGION_WRITE : REGION_READ;
}

static enum next page_fault(struct hosted *h, struct thread *t)
{
    struct hosted_task *m = hosted_task(t->task);
    u64 address = m->child.address, *entry;
    enum machine_result r = MACHINE_FAULT;
    u32 access = access_of(m, address);
    u32 reason = EXCEPTION_ADDRESS;

    if (address < DEMOS_GLOBAL_END) {
        r = space_touch(&m->space, t->task, address, access, &entry);
        reason = task_region(t->task, address) ? EXCEPTION_PROTECTION : EXCEPTION_ADDRESS;
    }
    if (r == MACHINE_OK && !m->broken)
        return AGAIN;
    if (r == MACHINE_LATER || r == MACHINE_MEMORY)
        return follow(t,
                      node_fault(h->node, t, access,
                                 &(struct exception){reason, 14, address, m->child.regs.rip}),
                      0);
    return exception(h, t, reason, 14, address);
}

static enum next trap(struct hosted *h, struct thread *t)
{
    static const u8 reasons[32] = {
        [0] = EXCEPTION_ARITHMETIC,  [1] = EXCEPTION_BREAKPOINT,  [3] = EXCEPTION_BREAKPOINT,
        [6] = EXCEPTION_INSTRUCTION, [12] = EXCEPTION_ADDRESS,    [13] = EXCEPTION_PROTECTION,
        [16] = EXCEPTION_ARITHMETIC, [17] = EXCEPTION_PROTECTION, [19] = EXCEPTION_ARITHMETIC,
    };
    u32 vector = hosted_task(t->task)->child.vector;

    if (vector == 14)
        return page_fault(h, t);
    return exception(h, t, reasons[vector % 32], vector, 0);
}

static enum next kernel_call(struct hosted *h, struct thread *t)
{
    const struct user_regs_struct *r = &hosted_task(t->task)->child.regs;
    const u64 args[6] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    s64 result = 0;
    enum outcome o;

    if (r->rip != HOSTED_ENTRY_RETURN)
        return exception(h, t, EXCEPTION_FOREIGN, (u32)r->orig_rax, 0);
    memcpy(t->args, args, sizeof args);
    o = node_call(h->node, t, &result, (u32)r->orig_rax);
    return follow(t, o, result);
}

/* After a clock tick: fires timers, and says whether the thread has had its share. */
static bool slice_over(struct hosted *h, struct thread *t)
{
    if (!ticked)
        return false;
    ticked = 0;
    node_timer(h->node);
    node_preempt(h->node, t);
    return true;
}

static enum next user_mode(struct hosted *h, struct thread *t)
{
    struct hosted_task *m = hosted_task(t->task);
    u64 before = hosted_clock_ns();
    enum child_stop stop = m->broken ? CHILD_GONE : child_run(&m->child);

    t->task->cpu_ns += hosted_clock_ns() - before;
    switch (stop) {
    case CHILD_SYSCALL: return kernel_call(h, t);
    case CHILD_EXCEPTION: return trap(h, t);
    case CHILD_INTERRUPT: return AGAIN;
    default: node_kill(h->node, t->task); return LEAVE;
    }
}

/* Runs a chosen thread, and those it hands over to, until another is to be chosen. */
static void run(struct hosted *h, struct thread *t)
{
    for (;;) {
        s64 result = 0;
        enum outcome o = node_resume(h->node, t, &result);
        enum next next = follow(t, o, result);

        while (next == AGAIN) {
            if (h->halted || slice_over(h, t))
                return;
            next = user_mode(h, t);
        }
        if (next == LEAVE)
            return;
        t = node_switch_target(h->node);
    }
}

/* Sleeps until the node or its network has something to do. */
static void sleep_idle(struct hosted *h)
{
    u64 deadline = node_deadline(h->node), now = machine_now(h->node), net = ~0ull, ns;
    struct pollfd fds[1 + HOSTED_PACKETS * PACKET_FDS];
    nfds_t count = 0;
    struct timespec t;

    if (h->net)
        net = net_deadline(h->net);
    if (h->ether.socket >= 0)
        fds[count++] = (struct pollfd){.fd = h->ether.socket, .events = POLLIN};
    for (u32 i = 0; i < h->packets; i++, count += PACKET_FDS)
        packet_wait_for(&h->packet[i], &fds[count]);
    if (net != ~0ull)
        deadline = MIN(deadline, net > h->started_ns ? net - h->started_ns : 0);
    ns = deadline > now ? deadline - now : 0;
    t = (struct timespec){(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    ticks(false);
    ppoll(fds, count, deadline == ~0ull ? NULL : &t, NULL);
    node_timer(h->node);
}

int hosted_loop(struct hosted *h)
{
    struct sigaction tick = {.sa_handler = on_tick};

    sigaction(SIGALRM, &tick, NULL);
    while (!h->halted) {
        struct thread *t;

        if (h->net)
            net_poll(h->net, hosted_clock_ns());
        hosted_disks_run(h->node);
        t = node_next(h->node);

        if (t) {
            ticks(true);
            run(h, t);
        } else if (node_counters(h->node)->processes == 0) {
            return 1;
        } else {
            sleep_idle(h);
        }
    }
    ticks(false);
    return (int)h->status;
}
