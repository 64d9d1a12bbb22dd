/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bystander (I5, I8): fills its memory with a pattern of its own, looks again and again
 * whether a byte of some part changed, in the end whether any did, and says so when it is asked
 * to shut down. With share=N it looks without a pause for a while and wants N thousandths of
 * that time on a CPU at least, by the hypervisor's own account; where a busy host has given the
 * CPUs unlike time, in another such while before it is asked to shut down. With print=KIB it is
 * the one who is hostile, and prints so much first. Last line: "Test result: SUCCESS" or "FAILURE".
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

enum { FRAMES = 256, WORDS = FRAMES * 512, PARTS = 32, PERIOD_NS = 2000000 };
/* Others are at work by then, and for longer. */
enum { WINDOW_AFTER_NS = 500000000, WINDOW_NS = 1000000000 };

static bool asked;
static u64 *memory;

/* How many words of part `n` are not what they were. */
static u64 changed(u64 n)
{
    u64 first = n % PARTS * (WORDS / PARTS), wrong = 0;

    for (u64 i = first; i < first + WORDS / PARTS; i++)
        wrong += memory[i] != keyed_mix(i);
    return wrong;
}

static struct vcpu_runstate_info account(void)
{
    struct vcpu_runstate_info r;

    rt_assert(!hypercall_vcpu_op(VCPUOP_get_runstate_info, 0, &r));
    return r;
}

static void sleep_until(u64 due)
{
    while (rt_now_ns() < due)
        rt_wait_until(due);
}

/* Of 1000 parts of the time in which it wanted a CPU, how many it had one. */
static u64 look_without_pause(u64 *rounds, u64 *wrong)
{
    struct vcpu_runstate_info before, after;
    u64 end, ran, waited;

    sleep_until(rt_now_ns() + WINDOW_AFTER_NS);
    before = account();
    end = rt_now_ns() + WINDOW_NS;
    while (rt_now_ns() < end)
        *wrong += changed((*rounds)++);
    after = account();
    ran = after.time[RUNSTATE_running] - before.time[RUNSTATE_running];
    waited = after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable];
    return ran * 1000 / (ran + waited);
}

static void on_shutdown(void *arg, const char *path)
{
    char value[16];

    (void)arg;
    asked |= rt_store_read(0, path, value, sizeof(value)) > 0;
}

int rt_main(const struct rt_start *start)
{
    static struct rt_store_watch watch;
    u64 rounds = 0, wrong = 0, latest = 0, share = rt_option_number("share", 0), had = 0;

    (void)start;
    for (u64 lines = rt_option_number("print", 0) * 16; lines; lines--)
        rt_printf("%063lu\n", lines);
    memory = rt_frames(FRAMES);
    for (u32 i = 0; i < WORDS; i++)
        memory[i] = keyed_mix(i);
    rt_assert(!rt_store_watch(&watch, "control/shutdown", on_shutdown, NULL));
    for (bool again = false; had < share && !asked; again = true) {
        u64 now = look_without_pause(&rounds, &wrong);

        rt_store_poll();
        if (!again || !asked) /* else nobody else was at work at its end */
            had = MAX(had, now);
    }
    while (!asked) {
        u64 due = rt_now_ns() + PERIOD_NS;

        sleep_until(due);
        latest = MAX(latest, rt_now_ns() - due);
        wrong += changed(rounds++);
        rt_store_poll();
    }
    for (u64 part = 0; part < PARTS; part++)
        wrong += changed(part);
    rt_printf("%lu rounds, %lu words changed, at most %lu us late\n", rounds, wrong,
              latest / 1000);
    if (share)
        rt_printf("had %lu thousandths of the time it wanted\n", had);
    rt_printf("Test result: %s\n", wrong || !rounds || had < share ? "FAILURE" : "SUCCESS");
    return 0;
}
