/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bystander (I5, I8): fills its memory with a pattern of its own, looks again and again
 * whether a byte changed and whether it still gets its share of time, and says so when it
 * is asked to shut down. Last line: "Test result: SUCCESS" or "FAILURE".
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"

enum { FRAMES = 256, WORDS = FRAMES * 512, PERIOD_NS = 2000000 };

static bool asked;

static void on_shutdown(void *arg, const char *path)
{
    char value[16];

    (void)arg;
    asked |= rt_store_read(0, path, value, sizeof(value)) > 0;
}

int rt_main(const struct rt_start *start)
{
    static struct rt_store_watch watch;
    u64 *memory = rt_frames(FRAMES), rounds = 0, wrong = 0, latest = 0;

    (void)start;
    for (u32 i = 0; i < WORDS; i++)
        memory[i] = keyed_mix(i);
    rt_assert(!rt_store_watch(&watch, "control/shutdown", on_shutdown, NULL));
    while (!asked) {
        u64 due = rt_now_ns() + PERIOD_NS;

        while (rt_now_ns() < due)
            rt_wait_until(due);
        latest = MAX(latest, rt_now_ns() - due);
        for (u32 i = 0; i < WORDS; i++)
            wrong += memory[i] != keyed_mix(i);
        rounds++;
        rt_store_poll();
    }
    rt_printf("%lu rounds, %lu words changed, at most %lu us late\n", rounds, wrong,
              latest / 1000);
    rt_printf("Test result: %s\n", wrong || !rounds ? "FAILURE" : "SUCCESS");
    return 0;
}
