/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting and ending.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/native.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"

/* The window between the test and HLT is closed by STI's shadow: an upcall that comes in
 * between is delivered after HLT began, and ends it. */
void rt_wait(void)
{
    if (rt_host() != RT_NATIVE && rt_event_dispatch())
        return;
    asm volatile("sti; hlt; cli" : : : "memory");
}

void rt_wait_until(u64 deadline_ns)
{
    if (deadline_ns != RT_NEVER && rt_now_ns() >= deadline_ns) {
        if (rt_host() != RT_NATIVE)
            rt_event_dispatch();
        return;
    }
    rt_alarm_set(deadline_ns);
    rt_wait();
}

void rt_shutdown(enum rt_end how)
{
    static const u8 reason[] = {[RT_POWEROFF] = SHUTDOWN_poweroff,
                                [RT_REBOOT] = SHUTDOWN_reboot,
                                [RT_CRASH] = SHUTDOWN_crash};
    struct sched_shutdown shutdown = {.reason = reason[how]};

    if (rt_host() == RT_NATIVE)
        native_end(how);
    for (;;)
        hypercall_sched_op(SCHEDOP_shutdown, &shutdown);
}

void rt_panic(const char *fmt, ...)
{
    static bool again;
    char text[400];
    va_list args;

    asm volatile("cli");
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    if (!again) {
        again = true;
        rt_printf("PANIC: %s\n", text);
    }
    rt_shutdown(RT_CRASH);
}
