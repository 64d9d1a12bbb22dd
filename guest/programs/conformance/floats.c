/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating-point state: several processes keep different values in all SSE registers, an
 * x87 register and the control words while they yield to each other and are interrupted;
 * each finds its own.
 */
#include "base/keyed.h"
#include "guest/programs/conformance/conformance.h"

enum { PROCESSES = 4, ROUNDS = 100, SPINS = 20000 };

/* float.S knows the offsets. */
struct image {
    u64 sse[16][2];
    u64 x87;
    u32 mxcsr;
    u16 control;
    u16 pad;
};
_Static_assert(offsetof(struct image, control) == 268, "float.S");

void float_round(const struct image *in, struct image *out, u64 spins, u64 entry, u64 yield);

int play_float(u64 seed)
{
    static struct image in, out;

    for (u64 round = 0; round < ROUNDS; round++) {
        for (u32 i = 0; i < 32; i++)
            in.sse[i / 2][i % 2] = keyed_random(seed, round, i);
        in.x87 = keyed_random(seed, round, 32) >> 2;
        in.mxcsr = 0x1f80 | (u32)keyed_below(seed, round, 33, 4) << 13;     /* rounding */
        in.control = (u16)(0x037f | keyed_below(seed, round, 34, 4) << 10); /* rounding */
        float_round(&in, &out, 1 + keyed_below(seed, round, 35, SPINS), DEMOS_ENTRY_PAGE,
                    DEMOS_YIELD);
        if (memcmp(&in, &out, sizeof in) != 0)
            return 1;
    }
    return 0;
}

void check_floats(void)
{
    static const char *const seeds[PROCESSES] = {"1", "2", "3", "4"};
    s64 controls[PROCESSES];
    bool all = true;

    chapter("floating point");
    for (u32 i = 0; i < PROCESSES; i++)
        controls[i] = start_role("float", seeds[i], NULL);
    for (u32 i = 0; i < PROCESSES; i++) {
        struct process_end end = await_end();

        all &= end.how == DEMOS_END_EXIT && end.status == 0;
    }
    expect_true("four processes keep their registers apart", all);
    for (u32 i = 0; i < PROCESSES; i++)
        demos_link_drop(controls[i]);
}
