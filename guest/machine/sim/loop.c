/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop that runs threads: each in its turn until its next call is made; time moves when
 * nothing else does.
 */
#include "guest/machine/sim/inside.h"
#include <string.h>
#include "guest/machine/sim/wire.h"
#include "net/net.h"

/* One access by the program itself; when its result comes, the page is there. */
static enum outcome touch(struct sim_node *sn, struct thread *t, u64 address, u32 access,
                          s64 *result)
{
    struct exception fault = {.reason = EXCEPTION_ADDRESS, .address = address};
    struct sim_process *p = t->machine;

    if (sim_missing(sn->node, t->task, address, 1, access)) {
        sn->miss.task = NULL;
        p->again = (struct sim_call){SIM_TOUCH, {address, access}}; /* when it goes on */
        return node_fault(sn->node, t, access, &fault);
    }
    *result = 0;
    return sim_space_access(sim_space_of(t->task), address, (u8[1]){0}, 1, access & 7, false)
               ? NODE_DONE
               : node_exception(sn->node, t, &fault);
}

static enum outcome enter(struct sim_node *sn, struct thread *t, s64 *result)
{
    struct sim_process *p = t->machine;
    struct sim_call call = p->again.number
                               ? p->again
                               : sn->sim->programs[p->program % SIM_PROGRAMS](p, p->result);
    struct exception fault = {.reason = EXCEPTION_ADDRESS, .address = call.args[0]};

    p->fresh = p->parked = false;
    p->again.number = 0;
    if (call.number == SIM_FAULT)
        return node_exception(sn->node, t, &fault);
    if (call.number == SIM_TOUCH)
        return touch(sn, t, call.args[0], (u32)call.args[1], result);
    if (call.number == SIM_PREEMPT) {
        node_preempt(sn->node, t);
        return NODE_BLOCKED;
    }
    sn->sim->calls++;
    memcpy(t->args, call.args, sizeof(t->args));
    return node_call(sn->node, t, result, call.number);
}

/* Lets a thread go on in the kernel; a test may want to know that it waits again. */
static enum outcome resume(struct sim_node *sn, struct thread *t, s64 *result)
{
    enum outcome o;

    sn->running = t;
    o = node_resume(sn->node, t, result);
    if ((o != NODE_DONE && o != NODE_RUN) && sn->running == t && sn->sim->on_blocked)
        sn->sim->on_blocked(t->machine);
    return o;
}

/* Acts on what the kernel said about `t`; goes straight on where it says so. */
static void settle(struct sim_node *sn, struct thread *t, enum outcome o, s64 result)
{
    while (o != NODE_DONE && o != NODE_BLOCKED) {
        if (o != NODE_RUN) {
            sn->switches++;
            sn->handovers += o == NODE_HANDOVER;
            t = node_switch_target(sn->node);
            o = resume(sn, t, &result);
        }
        if (o == NODE_RUN)
            o = enter(sn, t, &result);
    }
    if (o == NODE_BLOCKED) {
        sn->running = NULL;
        return;
    }
    ((struct sim_process *)t->machine)->result = result;
    if (node_should_preempt(sn->node, t)) {
        node_preempt(sn->node, t);
        sn->running = NULL;
    }
}

/* Pages arrive at once: whoever waits for one may go on. */
static bool fetch(struct sim_node *sn)
{
    bool any = false;
    struct task *t;

    for (u32 row = 0; (t = node_task(sn->node, row)) != NULL; row = t->row) {
        struct thread *th = task_thread(t);

        if (th->state == THREAD_WAITING && th->wait == WAIT_PAGE) {
            node_page_ready(sn->node, th);
            any = true;
        }
    }
    return any;
}

bool sim_step(struct sim_node *sn)
{
    struct thread *t = sn->running;
    enum outcome o = NODE_RUN;
    s64 result = 0;

    if (!t) {
        t = node_next(sn->node);
        if (!t)
            return sn->sim->absent && fetch(sn);
        o = resume(sn, t, &result);
    }
    settle(sn, t, o, result);
    return true;
}

/* The time of the next thing that will happen by itself; ~0: none. */
static u64 next_event(const struct sim *s)
{
    u64 next = ~(u64)0;

    for (u32 i = 0; i < s->count; i++) {
        if (s->nodes[i].down)
            continue;
        next = MIN(next, sim_when(&s->nodes[i], node_deadline(s->nodes[i].node)));
        if (s->nodes[i].net)
            next = MIN(next, sim_when(&s->nodes[i], net_deadline(s->nodes[i].net)));
    }
    return next;
}

static bool busy(const struct sim *s)
{
    for (u32 i = 0; i < s->count; i++) {
        const struct sim_node *sn = &s->nodes[i];
        struct task *t;

        for (u32 row = 0; !sn->down && (t = node_task(sn->node, row)) != NULL; row = t->row) {
            const struct thread *th = task_thread(t);

            if (th->state == THREAD_READY || th->state == THREAD_RUNNING || th->timer)
                return true;
            if (th->state == THREAD_WAITING && th->wait != WAIT_MESSAGE)
                return true;
        }
    }
    return false;
}

static bool round_of(struct sim *s)
{
    bool any = false;

    for (u32 i = 0; i < s->count; i++) {
        struct sim_node *sn = &s->nodes[i];

        if (sn->down)
            continue;
        if (sn->net)
            net_poll(sn->net, sim_now(sn));
        node_timer(sn->node);
        any = sim_step(sn) || any;
    }
    return any;
}

bool sim_run(struct sim *s, u64 steps)
{
    u64 quiet = 0;

    for (u64 i = 0; i < steps; i++) {
        u64 next;

        if (round_of(s) || wire_busy(s)) {
            quiet = 0;
            continue;
        }
        next = next_event(s);
        if (next == ~(u64)0)
            return true;
        if (!busy(s) && ++quiet > 64)
            return true; /* only the network's own timers are left */
        s->now = MAX(next, s->now + 1);
    }
    return false;
}
