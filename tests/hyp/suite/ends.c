/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kernel does instead of its checks, where the command line's last word says so: the
 * ways in which a domain may end other than by powering off, and the survey.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

static void shut_down(u32 reason)
{
    struct sched_shutdown s = {.reason = reason};

    print("shutting down with reason %u\n", reason);
    CALL2(sched_op, SCHEDOP_shutdown, &s);
}

static void reboot(void)
{
    shut_down(SHUTDOWN_reboot);
}

static void crash(void)
{
    shut_down(SHUTDOWN_crash);
}

/* Nothing can come any more, so nobody waits for it. */
static void halt(void)
{
    print("halting with interrupts off\n");
    for (;;)
        __asm__ volatile("cli; hlt");
}

/* The watchdog is set and never again. */
static void be_silent(void)
{
    struct sched_watchdog w = {.id = 0, .timeout = 1};

    print("silent from now on\n");
    CALL2(sched_op, SCHEDOP_watchdog, &w);
    for (;;)
        CALL2(sched_op, SCHEDOP_yield, 0);
}

/* No table of interrupts, so that the second fault is a third one. */
static void fault(void)
{
    struct PACKED {
        u16 limit;
        word base;
    } none = {0, 0};

    print("faulting three times\n");
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
}

static const struct {
    const char *word;
    void (*end)(void);
} ends[] = {{"reboot", reboot},    {"crash", crash}, {"halt", halt},
            {"silent", be_silent}, {"fault", fault}, {"survey", survey}};

void end_by(const char *how)
{
    for (u32 i = 0; i < ARRAY_SIZE(ends); i++)
        if (!strcmp(how, ends[i].word))
            ends[i].end();
}
