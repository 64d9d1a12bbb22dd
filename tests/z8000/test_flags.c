/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results and flags of byte arithmetic for all operands, carries and earlier flags that
 * matter, against rules written down a second time here in plain integers; DAB for all of
 * its 2048 inputs; division's four outcomes; shifts a bit at a time.
 */
#include "tests/z8000/bench.h"

static struct bench bench;

/* One instruction on RH0 (0) and RL0 (8) with the given flags. */
static u8 run_byte(u16 word, u16 second, u8 dst, u8 src, u8 flags)
{
    bench_cpu(&bench, true);
    bench_word(&bench, 0x100, word);
    bench_word(&bench, 0x102, second);
    bench.cpu.pc = 0x100;
    bench.cpu.r[0] = (u16)(dst << 8 | src);
    bench.cpu.fcw = (u16)(Z8000_SYSTEM | flags);
    CHECK_EQ(z8000_step(&bench.cpu), Z8000_DONE);
    CHECK_EQ(bench.cpu.fcw & 0xff00, Z8000_SYSTEM);
    return (u8)(bench.cpu.r[0] >> 8);
}

static u8 flags_now(void)
{
    return (u8)bench.cpu.fcw;
}

static u8 zs(u8 value)
{
    return (u8)((value ? 0 : Z8000_Z) | (value & 0x80 ? Z8000_S : 0));
}

struct want {
    u8 result, flags;
};

/* Sum of signed and unsigned values in wide integers; no carry chain. */
static struct want want_add(u8 dst, u8 src, int carry, u8 before)
{
    int wide = dst + src + carry, narrow = (s8)dst + (s8)src + carry;
    u8 result = (u8)wide;
    u8 flags = (u8)(zs(result) | (before & 3));

    flags |= wide > 255 ? Z8000_C : 0;
    flags |= narrow > 127 || narrow < -128 ? Z8000_V : 0;
    flags |= dst % 16 + src % 16 + carry > 15 ? Z8000_H : 0;
    return (struct want){result, flags};
}

static struct want want_sub(u8 dst, u8 src, int borrow, u8 before, bool decimal)
{
    int narrow = (s8)dst - (s8)src - borrow;
    u8 result = (u8)(dst - src - borrow);
    u8 flags = zs(result);

    flags = (u8)(flags | (dst - src - borrow < 0 ? Z8000_C : 0));
    flags |= narrow > 127 || narrow < -128 ? Z8000_V : 0;
    if (decimal)
        flags |= (u8)(Z8000_DA | (dst % 16 - src % 16 - borrow < 0 ? Z8000_H : 0) |
                      (before & 3));
    else
        flags = (u8)(flags | (before & (Z8000_DA | Z8000_H | 3)));
    return (struct want){result, flags};
}

static struct want want_logical(u8 result, u8 before)
{
    unsigned ones = 0;

    for (unsigned bit = 0; bit < 8; bit++)
        ones += result >> bit & 1;
    return (struct want){result, (u8)((before & (Z8000_C | Z8000_DA | Z8000_H | 3)) |
                                      zs(result) | (ones % 2 ? 0 : Z8000_V))};
}

enum {
    ADDB = 0x8080,
    SUBB = 0x8280,
    ORB = 0x8480,
    ANDB = 0x8680,
    XORB = 0x8880,
    CPB = 0x8a80,
    ADCB = 0xb480,
    SBCB = 0xb680
};

static struct want want_of(u16 word, u8 dst, u8 src, u8 before)
{
    int carry = before & Z8000_C ? 1 : 0;
    struct want want;

    switch (word) {
    case ADDB: return want_add(dst, src, 0, before);
    case ADCB: return want_add(dst, src, carry, before);
    case SUBB: return want_sub(dst, src, 0, before, true);
    case SBCB: return want_sub(dst, src, carry, before, true);
    case ORB: return want_logical(dst | src, before);
    case ANDB: return want_logical(dst & src, before);
    case XORB: return want_logical(dst ^ src, before);
    default:
        want = want_sub(dst, src, 0, before, false);
        want.result = dst;
        return want;
    }
}

static void test_byte_arithmetic_all_operands(void)
{
    static const u16 words[] = {ADDB, SUBB, ORB, ANDB, XORB, CPB, ADCB, SBCB};
    static const u8 befores[] = {0x00, 0xff, 0x80, 0x54, 0x2b};

    bench_open(&bench);
    for (size_t w = 0; w < ARRAY_SIZE(words); w++)
        for (size_t f = 0; f < ARRAY_SIZE(befores); f++)
            for (unsigned operands = 0; operands < 65536 && !checks_failed; operands++) {
                u8 dst = (u8)(operands >> 8), src = (u8)operands;
                struct want want = want_of(words[w], dst, src, befores[f]);

                CHECK_EQ(run_byte(words[w], 0, dst, src, befores[f]), want.result);
                CHECK_EQ(flags_now(), want.flags);
            }
    bench_close(&bench);
}

/* Decimal adjustment is checked by what it is for, and by the inputs no addition makes. */
static void test_dab_all_inputs(void)
{
    bench_open(&bench);
    for (unsigned value = 0; value < 256; value++)
        for (unsigned in = 0; in < 8; in++) {
            u8 before = (u8)((in & 4 ? Z8000_C : 0) | (in & 2 ? Z8000_H : 0) |
                             (in & 1 ? Z8000_DA : 0) | Z8000_V);
            bool low = (in & 2) || value % 16 > 9;
            int by = low ? 6 : 0;
            u8 first = (u8)(in & 1 ? (int)value - by : (int)value + by);
            bool high = (in & 4) || first > 0x9f;
            u8 want = (u8)(high ? (in & 1 ? first - 0x60 : first + 0x60) : first);

            CHECK_EQ(run_byte(0xb000, 0, (u8)value, 0, before), want);
            CHECK_EQ(flags_now(), (before & (Z8000_V | Z8000_DA | Z8000_H)) | zs(want) |
                                      (high ? Z8000_C : 0));
        }
    bench_close(&bench);
}

static u8 decimal(unsigned value)
{
    return (u8)(value / 10 % 10 * 16 + value % 10);
}

/* The chip loses the carry of sums FA-FF without half carry (99 + 61): so do we. */
static void test_decimal_sums_and_differences(void)
{
    bench_open(&bench);
    for (unsigned a = 0; a < 100; a++)
        for (unsigned b = 0; b < 100; b++) {
            u8 sum = run_byte(ADDB, 0, decimal(a), decimal(b), 0), flags = flags_now();
            bool defect = sum >= 0xfa && !(flags & (Z8000_C | Z8000_H));

            CHECK_EQ(run_byte(0xb000, 0, sum, 0, flags), defect ? sum - 0xfa : decimal(a + b));
            CHECK_EQ((flags_now() & Z8000_C) != 0, a + b > 99 && !defect);
            sum = run_byte(SUBB, 0, decimal(a), decimal(b), 0);
            CHECK_EQ(run_byte(0xb000, 0, sum, 0, flags_now()), decimal(100 + a - b));
        }
    bench_close(&bench);
}

static void test_byte_shifts(void)
{
    bench_open(&bench);
    for (unsigned value = 0; value < 256; value++)
        for (int count = -8; count <= 8; count++)
            for (unsigned arithmetic = 0; arithmetic < 2; arithmetic++) {
                u8 now = (u8)value, flags = 0;
                u8 got = run_byte((u16)(0xb201 | arithmetic << 3), (u16)(u8)count, now, 0, 0);

                for (int i = 0; i < (count < 0 ? -count : count); i++) {
                    u8 next = (u8)(count > 0 ? now << 1 : now >> 1);

                    if (count < 0 && arithmetic)
                        next |= now & 0x80;
                    flags = (u8)((flags & Z8000_V) | ((next ^ now) & 0x80 ? Z8000_V : 0));
                    flags |= now & (count > 0 ? 0x80 : 1) ? Z8000_C : 0;
                    now = next;
                }
                CHECK_EQ(got, now);
                CHECK_EQ(flags_now(), flags | zs(now));
            }
    bench_close(&bench);
}

static void divide(s32 dividend, s16 divisor)
{
    bench_cpu(&bench, true);
    bench_word(&bench, 0x100, 0x9b20); /* DIV RR0,R2 */
    bench.cpu.pc = 0x100;
    bench.cpu.r[0] = (u16)((u32)dividend >> 16);
    bench.cpu.r[1] = (u16)dividend;
    bench.cpu.r[2] = (u16)divisor;
    z8000_step(&bench.cpu);
}

static void test_division_outcomes(void)
{
    bench_open(&bench);
    for (u64 n = 0; n < 200000; n++) {
        s32 dividend = (s32)keyed_random(1, n, 0) >> (keyed_random(1, n, 2) & 31);
        s16 divisor = (s16)((s16)keyed_random(1, n, 1) >> (keyed_random(1, n, 3) & 15));
        s64 quotient;

        divide(dividend, divisor);
        if (divisor == 0) {
            CHECK_EQ(flags_now(), Z8000_Z | Z8000_V);
            continue;
        }
        quotient = (s64)dividend / divisor;
        if (quotient > 65535 || quotient <= -65536) {
            CHECK_EQ(flags_now() & (Z8000_V | Z8000_C), Z8000_V);
            CHECK_EQ(bench.cpu.r[1], (u16)dividend);
            continue;
        }
        CHECK_EQ(bench.cpu.r[1], (u16)quotient);
        CHECK_EQ(bench.cpu.r[0], (u16)((s64)dividend % divisor));
        CHECK_EQ((flags_now() & Z8000_C) != 0, quotient != (s16)quotient);
        CHECK_EQ((flags_now() & Z8000_V) != 0, quotient != (s16)quotient);
        CHECK_EQ((flags_now() & Z8000_S) != 0, quotient < 0);
    }
    bench_close(&bench);
}

TESTS(CASE(test_byte_arithmetic_all_operands), CASE(test_dab_all_inputs),
      CASE(test_decimal_sums_and_differences), CASE(test_byte_shifts),
      CASE(test_division_outcomes))
