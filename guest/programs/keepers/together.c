/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `together ME ROUNDS`: one of two processes, on whatever machines, that count together in the
 * memory behind the link "shared". Nothing but loads and stores keeps them apart: Peterson's
 * algorithm, which is right only where all writes are seen in one order. Says what the count was
 * when both had done; ends with status 1 if one was lost.
 */
#include "guest/lib/keeper.h"
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL_ENDS = 1, PAGE = 4096 };

/* Each word on a page of its own, but for the flags: so some pages are read by both, some
 * written by both. */
struct meeting {
    u64 wants[2];
    u8 apart[PAGE - 16];
    u64 turn, done[2];
    u8 far[PAGE - 24];
    u64 count;
};

#define MEETING 0x5000000000ull

static volatile struct meeting *const meeting = (volatile struct meeting *)MEETING;

static void enter(u64 me)
{
    meeting->wants[me] = 1;
    __sync_synchronize();
    meeting->turn = 1 - me;
    __sync_synchronize();
    while (meeting->wants[1 - me] && meeting->turn == 1 - me)
        demos_yield();
}

static void leave(u64 me)
{
    __sync_synchronize();
    meeting->wants[me] = 0;
}

static int run(u64 me, u64 rounds)
{
    struct keeper_view view = {
        .base = MEETING, .len = ALIGN_UP(sizeof(struct meeting), PAGE), .protection = 3};
    u64 count;

    if (keeper_map(demos_link("self"), demos_link("shared"), &view) < 0)
        demos_die("together: cannot map");
    for (u64 i = 0; i < rounds; i++) {
        enter(me);
        meeting->count++;
        leave(me);
    }
    meeting->done[me] = 1;
    while (!meeting->done[1 - me])
        demos_sleep_ns(1000000);
    count = meeting->count;
    demos_print("together: %llu\n", (unsigned long long)count);
    return count != 2 * rounds;
}

/* In a child, which may have what its creator does not: its own control link. */
static int begin(char **argv)
{
    const char *args[] = {argv[1], argv[2], "run"};
    struct demos_gift gifts[] = {{"console", demos_link("console")},
                                 {"clock", demos_link("clock")},
                                 {"shared", demos_link("shared")}};
    struct demos_spawn s = {.program = "together",
                            .args = args,
                            .arg_count = ARRAY_SIZE(args),
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .own = true};

    return process_run(&s, CHANNEL_ENDS);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        demos_die("together 0|1 ROUNDS");
    return argc > 3 ? run(number(argv[1]) & 1, number(argv[2])) : begin(argv);
}
