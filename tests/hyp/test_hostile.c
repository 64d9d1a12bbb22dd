/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests with long random inputs (F22, F27, H23), which libFuzzer comes to only after
 * hours: see hostile.c for what must hold.
 */
#include "base/keyed.h"
#include "tests/check.h"
#include "tests/hyp/hostile.h"

enum { LONGEST = 20000 };

static void hostile_guests_get_nowhere(void)
{
    static u8 input[LONGEST];

    for (u64 seed = 0; seed < test_length(3000, 200000); seed++) {
        size_t size = 1000 + (size_t)keyed_below(seed, 1, 0, LONGEST - 1000);

        for (size_t i = 0; i < size; i++)
            input[i] = (u8)keyed_random(seed, 2, i);
        hostile_run(input, size);
    }
    CHECK(true); /* it aborts otherwise */
}

TESTS(CASE(hostile_guests_get_nowhere))
