/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * P6, P13, P17: copies and zeros by sixteen bytes are the same as byte by byte, for every length and alignment, also
 * where the two overlap and the target is the lower one; the register they use comes back.
 */
#include "base/wide.h"
#include "tests/check.h"

enum { ROOM = 4096 + 256 };

static u8 one[ROOM], two[ROOM], want[ROOM];

static void fresh(void)
{
    for (u32 i = 0; i < ROOM; i++)
        one[i] = want[i] = (u8)(i * 7 + i / 256);
    memset(two, 0xee, ROOM);
}

static void test_lengths_and_alignments(void)
{
    static const u32 lengths[] = {0,   1,   63,  64,  255, 256,  257,  300,
                                  319, 320, 511, 512, 577, 1000, 1024, 4096};

    for (u32 l = 0; l < ARRAY_SIZE(lengths); l++) {
        for (u32 at = 0; at < 64; at += 5) {
            fresh();
            copy_wide(two + at, one + 64 - at, lengths[l]);
            CHECK(memcmp(two + at, one + 64 - at, lengths[l]) == 0);
            CHECK(!at || two[at - 1] == 0xee);
            CHECK_EQ(two[at + lengths[l]], 0xee);
        }
    }
}

static void test_downwards_over_itself(void)
{
    for (u32 by = 1; by < 300; by += 3) {
        fresh();
        for (u32 i = 0; i < 3000; i++)
            want[i] = want[i + by];
        copy_wide(one, one + by, 3000);
        CHECK(memcmp(one, want, ROOM) == 0);
    }
}

static void test_zeros(void)
{
    static u8 page[4096 + 512] __attribute__((aligned(16)));

    for (u32 len = 256; len <= 4096; len += 256) {
        memset(page, 0xee, sizeof page);
        zero_wide(page + 16, len);
        CHECK_EQ(page[15], 0xee);
        CHECK_EQ(page[16 + len], 0xee);
        for (u32 i = 0; i < len; i++)
            CHECK_EQ(page[16 + i], 0);
    }
}

static void test_the_register_comes_back(void)
{
    u64 before[2] = {0x1234567890abcdef, 0xfedcba0987654321}, after[2];

    fresh();
    asm volatile("movups %0, %%xmm0" : : "m"(before));
    copy_wide(two, one, 1024); /* whole blocks: memmove here is the C library's */
    zero_wide(two, 256);
    asm volatile("movups %%xmm0, %0" : "=m"(after));
    CHECK(memcmp(before, after, sizeof before) == 0);
}

TESTS(CASE(test_lengths_and_alignments), CASE(test_downwards_over_itself), CASE(test_zeros),
      CASE(test_the_register_comes_back))
