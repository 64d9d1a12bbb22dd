/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Suspending, as Xen's PVH guests do it (xen/sched.h, SHUTDOWN_suspend): the call returns 1 where
 * nothing was lost, and 0 in another domain that has our memory and registers. There all that the
 * hypervisor kept for us is to be asked for anew; rings of console and store are empty.
 */
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

static const char node[] = "control/shutdown";
static bool heeded, asked;

void rt_suspend_heed(void)
{
    if (!rt_store_present())
        return;
    heeded = true;
    rt_store_write(0, "control/feature-suspend", "1");
}

bool rt_suspend_ask(void)
{
    asked = heeded;
    return heeded;
}

bool rt_suspend_asked(void)
{
    return asked;
}

bool rt_suspend(void)
{
    struct sched_shutdown shutdown = {.reason = SHUTDOWN_suspend};

    asked = false;
    rt_store_write(0, node, "");
    if (hypercall_sched_op(SCHEDOP_shutdown, &shutdown))
        return false;
    rt_begin_again();
    rt_event_begin_again();
    rt_console_begin_again();
    rt_time_begin_again();
    rt_grant_begin_again();
    rt_store_begin_again();
    rt_shutdown_tell();
    rt_store_write(0, "control/feature-suspend", "1");
    return true;
}
