/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `large [MIB [ROUNDS [WORD]]]`: writes and checks so much memory, page by page in an order that
 * looks random, and says that every byte was right; before, the word, when it has all of its memory.
 * With more than its node has it shows paging at work; what it prints is the same everywhere.
 */
#include "base/keyed.h"
#include "guest/lib/demos.h"
#include "guest/programs/number.h"

enum { PAGE = 4096, WORDS = PAGE / 8, MOST_MIB = 256 };

static u64 memory[(u64)MOST_MIB << 17] __attribute__((aligned(PAGE)));

static u64 expected(u64 page, u64 round, u64 word)
{
    return (page << 32 | round << 16 | word) * 0x9e3779b97f4a7c15ull;
}

static void write(u64 page, u64 round)
{
    for (u64 w = 0; w < WORDS; w++)
        memory[page * WORDS + w] = expected(page, round, w);
}

static u64 wrong(u64 page, u64 round)
{
    u64 count = 0;

    for (u64 w = 0; w < WORDS; w++)
        count += memory[page * WORDS + w] != (round ? expected(page, round, w) : 0);
    return count;
}

int main(int argc, char **argv)
{
    u64 mib = argc > 1 ? number(argv[1]) : 4, rounds = argc > 2 ? number(argv[2]) : 2;
    u64 pages = mib << 8, bad = 0;

    if (mib == 0 || mib > MOST_MIB)
        demos_die("large: 1 to %u MiB", (u32)MOST_MIB);
    for (u64 round = 0; round < rounds; round++) {
        u64 order = keyed_below(pages, 1, round, pages);

        for (u64 i = 0; i < pages; i++) {
            u64 page = (i ^ order) < pages ? i ^ order : i; /* each once */

            bad += wrong(page, round);
            write(page, round + 1);
        }
        if (argc > 3 && round == 0)
            demos_print("large: %s\n", argv[3]);
    }
    for (u64 page = 0; page < pages; page++)
        bad += wrong(page, rounds);
    demos_print("large: %llu MiB, %llu rounds, %llu words wrong\n", (unsigned long long)mib,
                (unsigned long long)rounds, (unsigned long long)bad);
    return bad != 0;
}
