/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `nomad ROUNDS MACHINE...`: moves itself to each of the machines in turn, so many times round,
 * and counts on the way. Where it is not let in it stays where it was, says why, and goes on to
 * the next. Its status is 0 if what it has counted is what it has done. Needs the link "self".
 */
#include "guest/lib/process.h"
#include "guest/programs/number.h"

enum { PAGES = 8, PAGE = 4096 };

static u8 memory[PAGES][PAGE]; /* goes along: a step in each page */

static void step(u64 steps)
{
    memory[steps % PAGES][steps % PAGE]++;
}

static u64 counted(void)
{
    u64 sum = 0;

    for (u32 page = 0; page < PAGES; page++)
        for (u32 i = 0; i < PAGE; i++)
            sum += memory[page][i];
    return sum;
}

static u64 visit(u64 machine)
{
    s64 result = process_move(machine);

    if (result < 0)
        demos_print("nomad: not to machine %llu: %s\n", (unsigned long long)machine,
                    demos_error(result));
    else
        demos_print("nomad: on machine %llu\n", (unsigned long long)machine);
    demos_flush();
    return result == 0;
}

int main(int argc, char **argv)
{
    u64 rounds = argc > 1 ? number(argv[1]) : 0, steps = 0, moves = 0;

    if (!rounds || argc < 3)
        demos_die("usage: nomad ROUNDS MACHINE...");
    for (u64 round = 0; round < rounds; round++) {
        for (int i = 2; i < argc; i++) {
            step(steps++);
            moves += visit(number(argv[i]));
        }
    }
    demos_print("nomad: %llu visits, %llu of %llu steps counted\n", (unsigned long long)moves,
                (unsigned long long)counted(), (unsigned long long)steps);
    return counted() != steps;
}
