/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floating-point state: several processes keep different values in all SSE registers, where the
 * processor has AVX in all of it, an x87 register and the control words while they yield to each
 * other and are interrupted; each finds its own.
 */
#include "base/keyed.h"
#include "guest/programs/conformance/conformance.h"

enum { PROCESSES = 4, ROUNDS = 100, SPINS = 20000, LONG = 3000000 /* several slices */ };
enum { HAS_OSXSAVE = 1 << 27, HAS_AVX = 1 << 28, STATES_AVX = 6 };

/* float.S knows the offsets. */
struct image {
    u64 sse[16][2];
    u64 x87;
    u32 mxcsr;
    u16 control;
    u16 pad;
    u64 upper[16][2];
};
_Static_assert(offsetof(struct image, control) == 268, "float.S");
_Static_assert(offsetof(struct image, upper) == 272, "float.S");

void float_round(const struct image *in, struct image *out, u64 spins, u64 entry, u64 yield,
                 u64 wide);

/* Whether programs may use AVX: the processor has it, and who runs it keeps its state. */
static bool has_avx(void)
{
    u32 a = 1, b, c = 0, d;

    asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (!(c & HAS_OSXSAVE) || !(c & HAS_AVX))
        return false;
    asm volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (a & STATES_AVX) == STATES_AVX;
}

int play_float(u64 seed)
{
    static struct image in, out;
    bool wide = has_avx();

    for (u64 round = 0; round < ROUNDS; round++) {
        bool last = round == ROUNDS - 1;

        for (u32 i = 0; i < 32; i++)
            in.sse[i / 2][i % 2] = keyed_random(seed, round, i);
        for (u32 i = 0; i < 32 && wide; i++)
            in.upper[i / 2][i % 2] = keyed_random(seed, round, 36 + i);
        in.x87 = keyed_random(seed, round, 32) >> 2;
        in.mxcsr = 0x1f80 | (u32)keyed_below(seed, round, 33, 4) << 13;     /* rounding */
        in.control = (u16)(0x037f | keyed_below(seed, round, 34, 4) << 10); /* rounding */
        float_round(&in, &out, last ? LONG : 1 + keyed_below(seed, round, 35, SPINS),
                    DEMOS_ENTRY_PAGE, DEMOS_YIELD, wide);
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
