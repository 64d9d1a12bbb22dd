/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node that is suspended and goes on, in its domain or in another one. Between two turns of the loop
 * all of its state is memory; what other domains have of it they give back first.
 */
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

static void begin_again(void)
{
    cpu_float_begin_again();
    if (x86.trace)
        trace_begin_again(x86.trace);
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
