/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bystander (I5, I8): fills its memory with a pattern of its own, looks again and again
 * whether a byte of some part changed, in the end whether any did, and whether it still gets
 * its share of time, and says so when it is asked to shut down. Last line: "Test result:
 * SUCCESS" or "FAILURE".
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

enum { FRAMES = 256, WORDS = FRAMES * 512, PARTS = 32, PERIOD_NS = 2000000 };

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

static void on_shutdown(void *arg, const char *path)
{
    char value[16];

    (void)arg;
    asked |= rt_store_read(0, path, value, sizeof(value)) > 0;
}

int rt_main(const struct rt_start *start)
{
    static struct rt_store_watch watch;
    u64 rounds = 0, wrong = 0, latest = 0;

    (void)start;
    memory = rt_frames(FRAMES);
    for (u32 i = 0; i < WORDS; i++)
        memory[i] = keyed_mix(i);
    rt_assert(!rt_store_watch(&watch, "control/shutdown", on_shutdown, NULL));
    while (!asked) {
        u64 due = rt_now_ns() + PERIOD_NS;

        while (rt_now_ns() < due)
            rt_wait_until(due);
        latest = MAX(latest, rt_now_ns() - due);
        wrong += changed(rounds++);
        rt_store_poll();
    }
    for (u64 part = 0; part < PARTS; part++)
        wrong += changed(part);
    rt_printf("%lu rounds, %lu words changed, at most %lu us late\n", rounds, wrong,
              latest / 1000);
    rt_printf("Test result: %s\n", wrong || !rounds ? "FAILURE" : "SUCCESS");
    return 0;
}
