/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `tree [DEPTH]`: a process starts two of its kind, waits for both to end, and ends with
 * the number of processes at and below it. Each holds its children's control links and
 * nothing else of them.
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { CHANNEL_ENDS = 1, FAN = 2, DEEPEST = 6 };

static void grow(const char *depth)
{
    const char *args[] = {depth, "leaf"};
    struct demos_gift gifts[] = {{"kernel", demos_link("kernel")},
                                 {"programs", demos_link("programs")}};
    struct demos_spawn s = {.program = "tree",
                            .args = args,
                            .arg_count = 2,
                            .gifts = gifts,
                            .gift_count = ARRAY_SIZE(gifts),
                            .watch = process_watch(CHANNEL_ENDS, 0)};

    if (demos_spawn(&s) < 0)
        demos_exit(-1);
}

int main(int argc, char **argv)
{
    u64 depth = argc > 1 ? number(argv[1]) : 3;
    struct process_end end;
    s64 below = 0;
    char less[24];

    if (depth > DEEPEST)
        demos_die("tree: at most %d deep", DEEPEST);
    format(less, sizeof less, "%llu", (unsigned long long)depth - 1);
    for (u32 i = 0; depth > 0 && i < FAN; i++)
        grow(less);
    for (u32 i = 0; depth > 0 && i < FAN; i++) {
        if (process_wait(CHANNEL_ENDS, &end) < 0 || end.how != DEMOS_END_EXIT || end.status < 0)
            return -1;
        below += end.status;
    }
    if (argc > 2)
        return (int)below + 1;
    demos_print("tree: depth %llu, %lld processes\n", (unsigned long long)depth,
                (long long)below + 1);
    return 0;
}
