/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `work [MILLIONS]`: computes so many million steps, or for ever, and says what came out.
 */
#include "guest/lib/demos.h"

int main(int argc, char **argv)
{
    u64 steps = 0, x = 1;

    for (const char *c = argc > 1 ? argv[1] : ""; *c >= '0' && *c <= '9'; c++)
        steps = steps * 10 + (u64)(*c - '0');
    steps = argc > 1 ? steps * 1000000 : ~(u64)0;
    for (u64 i = 0; i < steps; i++) {
        x = x * 6364136223846793005ull + 1442695040888963407ull;
        asm volatile("" : "+r"(x));
    }
    demos_print("work: %llx\n", (unsigned long long)x);
    return 0;
}
