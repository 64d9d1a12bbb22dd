/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node that is suspended and goes on, in its domain or in another one. Between two turns of the loop
 * all of its state is memory; what other domains have of it they give back first.
 */
#include "base/memory.h"
#include "guest/machine/trace.h"
#include "guest/machine/x86/disk.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

#define LEAVE_NS 2000000000ull /* who has not let go by then is dead, or stands still */

static bool alone(void)
{
    return (!x86.net || wire_alone(&x86.wire)) && x86_disks_alone();
}

static void let_go(void)
{
    u64 end = rt_now_ns() + LEAVE_NS;

    if (x86.net)
        wire_leave(&x86.wire);
    x86_disks_leave();
    while (!alone() && rt_now_ns() < end)
        if (!rt_store_poll())
            rt_wait_until(end);
    if (x86.net)
        wire_suspend(&x86.wire);
    x86_disks_suspend();
}

/* Our machine has lived on from here before: what we were in the middle of is over (past.c). */
static void come_from_past(void)
{
    struct net *old = x86.net;
    u32 boot = node_config(x86.node)->epoch + 1;

    boot = MAX(boot, x86_boot_now());
    if (old) {
        x86.net = x86_net_create(boot);
        if (!x86.net)
            rt_panic("not enough memory for a new boot");
        wire_begin_again(&x86.wire, x86.net);
    }
    node_from_past(x86.node, boot, x86.net);
    if (old)
        net_destroy(old);
    rt_printf("node: comes from the past\n");
}

static void begin_again(void)
{
    char restored[8];

    cpu_float_begin_again();
    if (x86.trace)
        trace_begin_again(x86.trace);
    if (rt_store_read(0, "data/restored", restored, sizeof(restored)) > 0 &&
        strcmp(restored, "past") == 0)
        come_from_past();
}

void x86_suspend_obey(void)
{
    bool elsewhere;

    if (!rt_suspend_asked())
        return;
    let_go();
    cpu_float_put_away();
    elsewhere = rt_suspend();
    if (elsewhere)
        begin_again();
    x86.alarm_ns = RT_NEVER;
    rt_alarm_set(RT_NEVER);
    if (x86.net)
        wire_resume(&x86.wire);
    x86_disks_resume();
    rt_printf("node: goes on%s\n", elsewhere ? " in another domain" : "");
}
