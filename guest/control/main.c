/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain's start and its loop. Events only leave marks; all work is done here,
 * in one order, which is why runs replay.
 */
#include "guest/control/control.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

struct control control;

static void on_death(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    control.deaths = true;
}

static void on_alarm(void *arg)
{
    (void)arg;
}

/* One round; the next deadline. */
static u64 serve(void)
{
    while (rings_serve())
        ;
    if (control.deaths) {
        control.deaths = false;
        guests_reap();
    }
    port_serve();
    return plan_due();
}

int rt_main(const struct rt_start *start)
{
    if (start->host != RT_OSMOSIS)
        rt_panic("the control domain runs on Osmosis only");
    control.echo = rt_option_number("echo", 0);
    list_init(&control.guests);
    list_init(&control.ready);
    list_init(&control.waiting);
    if (!rt_event_use_fifo())
        rt_panic("no FIFO event channels");
    if (rt_event_bind_virq(VIRQ_DOM_EXC, 0, on_death, NULL) < 0)
        rt_panic("no VIRQ_DOM_EXC");
    rt_alarm_handler(on_alarm, NULL);
    modules_init();
    if (!self_init())
        rt_panic("the store has no memory");
    hypercall_osmosis(OSM_OP_ready, NULL);
    plan_load();
    port_init();
    for (;;) {
        u64 deadline = serve(), trace = trace_due(), late = rings_due();

        deadline = MIN(MIN(deadline, trace), late);
        if (!list_empty(&control.ready) || control.deaths || control.port_struck)
            rt_event_dispatch();
        else if (deadline == RT_NEVER)
            rt_wait();
        else
            rt_wait_until(deadline);
    }
}
