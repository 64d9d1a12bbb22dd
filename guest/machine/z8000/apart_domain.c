/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user processor on the domain's second vCPU, if it has one. That vCPU runs with interrupts off
 * and does nothing else. Each side sleeps until its port is pending: the user's, masked, in
 * SCHEDOP_poll, which needs no upcall; the kernel's in rt_wait like for everything else, or, when
 * it waits in the middle of its work, where no handler may run, in SCHEDOP_poll too.
 */
#include "guest/machine/z8000/apart.h"
#include "guest/machine/z8000/turn.h"
#include "guest/rt/event.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/vcpu.h"

static u32 ports[2]; /* what wakes the kernel's side, and the user's */

void turn_wake(struct turn *t, bool user)
{
    (void)t;
    rt_event_send(ports[user]);
}

/* What was pending is taken first, so that what comes after the caller's look is not lost: it has
 * looked in vain, and looks again after a sleep that was none. */
void turn_sleep(struct turn *t, bool user)
{
    evtchn_port_t port = ports[user];
    struct sched_poll poll = {.nr_ports = 1};

    (void)t;
    set_xen_guest_handle(poll.ports, &port);
    hypercall_sched_op(SCHEDOP_poll, &poll);
    rt_event_clear(port);
}

static void on_turn(void *arg, u32 port)
{
    (void)arg, (void)port; /* rt_wait returns, and the turn is looked at */
}

static void user_processor(void *board)
{
    for (;;)
        board_serve(board);
}

static bool port_to(u32 vcpu)
{
    long port = rt_event_bind_ipi(vcpu, on_turn, NULL);

    if (port > 0)
        ports[vcpu] = (u32)port;
    return port > 0;
}

bool apart_start(struct board *b)
{
    if (rt_host() == RT_NATIVE || !port_to(1))
        return false;
    rt_event_mask(ports[1]);
    if (!port_to(0))
        rt_panic("no port for the turn of the two processors");
    board_apart(b, NULL);
    if (rt_vcpu_start(1, user_processor, b))
        rt_panic("the second vCPU does not start");
    return true;
}
