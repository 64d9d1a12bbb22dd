/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `overlap COPIES...`: how much of its node's time programs compute that wait for pages, so many
 * of them at once (DV19). Each goes round more pages than the node has frames, computes a while
 * at each, and always finds the next one gone. What a while takes is measured before, alone. Needs
 * the link "kernel", and a node that pages (`guest/servers/vm`).
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL_READY = 1, CHANNEL_ENDS = 2, MOST = 8 };
enum { PAGE = 4096, PAGES = 192, TURNS = 16, WARM = 4, ROUNDS = 2 * TURNS, STEPS = 640000 };

static u8 memory[PAGES * PAGE] __attribute__((aligned(PAGE)));

static __attribute__((noinline)) void compute(u32 steps)
{
    u64 x = 1;

    for (u32 i = 0; i < steps; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        asm volatile("" : "+r"(x));
    }
}

/* So many pages on, and a while at each. Whiles are of different lengths, each program's in an
 * order of its own, or all would wait at the same time; TURNS of them are TURNS * STEPS. */
static bool go_on(u64 which, u32 from, u32 count)
{
    static const u8 eighths[TURNS] = {2, 13, 5, 12, 8, 3, 14, 7, 9, 4, 11, 6, 10, 1, 8, 15};

    for (u32 i = from; i < from + count; i++) {
        if (((volatile u8 *)memory)[i * PAGE] != (u8)(i + 1))
            return false;
        compute(STEPS / 8 * eighths[(i + 5 * which) % TURNS]);
    }
    return true;
}

/* Goes on when all have come as far. */
static bool wait_for_all(void)
{
    return demos_call(demos_link("ready"), NULL, 0, NULL, 0) >= 0;
}

/* One of them: writes its pages, warms up, goes round. */
static bool one(u64 which)
{
    for (u32 i = 0; i < PAGES; i++)
        memory[i * PAGE] = (u8)(i + 1);
    return wait_for_all() && go_on(which, 0, WARM) && wait_for_all() &&
           go_on(which, WARM, ROUNDS) && wait_for_all();
}

static void start(u64 which)
{
    const char name[] = {(char)('0' + which), 0};
    const char *args[] = {"one", name};
    const struct demos_gift gifts[] = {
        {"ready", demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE, CHANNEL_READY, 0)}};
    struct demos_spawn s = {.program = "overlap",
                            .args = args,
                            .arg_count = ARRAY_SIZE(args),
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .watch = process_watch(CHANNEL_ENDS, 0)};
    s64 control = demos_spawn(&s);

    if (control < 0)
        demos_die("overlap: %s", demos_error(control));
    demos_link_drop(control);
}

static struct demos_info waiting[MOST];

/* So many are ready; none of them has ended instead. */
static void gather(u64 first, u64 count)
{
    for (u64 i = first; i < first + count; i++) {
        demos_receive(DEMOS_CHANNEL(CHANNEL_READY) | DEMOS_CHANNEL(CHANNEL_ENDS), NULL, 0,
                      &waiting[i]);
        if (waiting[i].channel == CHANNEL_ENDS)
            demos_die("overlap: one of %llu has ended", (unsigned long long)(first + count));
    }
}

static void release(u64 copies)
{
    for (u64 i = 0; i < copies; i++)
        demos_reply(waiting[i].reply, NULL, 0);
}

/* From when all are warm until all have gone round. */
static u64 elapsed(u64 copies)
{
    struct process_end end;
    u64 from, took, wrong = 0;

    for (u64 i = 0; i < copies; i++) {
        start(i);
        gather(i, 1);
    }
    release(copies);
    gather(0, copies);
    from = demos_time_ns();
    release(copies);
    gather(0, copies);
    took = demos_time_ns() - from;
    release(copies);
    for (u64 i = 0; i < copies; i++)
        wrong += process_wait(CHANNEL_ENDS, &end) || end.how != DEMOS_END_EXIT || end.status;
    if (wrong)
        demos_die("overlap: %llu did not end well", (unsigned long long)wrong);
    return took;
}

static u64 alone(void)
{
    u64 from;

    compute(STEPS);
    from = demos_time_ns();
    for (u32 i = 0; i < 4; i++)
        compute(STEPS);
    return (demos_time_ns() - from) / 4;
}

int main(int argc, char **argv)
{
    u64 once;

    if (argc == 3 && strcmp(argv[1], "one") == 0)
        return !one(number(argv[2]));
    once = alone();
    for (int i = 1; i < argc; i++) {
        u64 copies = number(argv[i]), took, permille;

        if (!copies || copies > MOST)
            demos_die("overlap: 1 to %u at once", (u32)MOST);
        took = elapsed(copies);
        permille = copies * ROUNDS * once * 1000 / took;
        demos_print(
            "{\"row\": \"DV19\", \"name\": \"share of a restartable processor's time that "
            "programs waiting for pages compute, %llu at once\", \"value\": %llu.%03llu, "
            "\"unit\": \"ratio\"}\n",
            (unsigned long long)copies, (unsigned long long)permille / 1000,
            (unsigned long long)permille % 1000);
    }
    return 0;
}
