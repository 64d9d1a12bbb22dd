/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cipher of the keeper that encrypts, against RFC 8439's own vectors.
 */
#include "guest/programs/keepers/chacha.h"
#include "tests/check.h"
#include <string.h>

/* Appendix A.1, vectors 1 and 2: a key of zeros, nonce 0, blocks 0 and 1; their first bytes. */
static void test_vectors(void)
{
    static const u8 first[] = {0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
                               0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28};
    static const u8 second[] = {0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a,
                                0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d};
    u8 key[CHACHA_KEY] = {0}, bytes[2 * CHACHA_BLOCK] = {0};

    chacha(key, 0, 0, bytes, sizeof(bytes));
    CHECK(memcmp(bytes, first, sizeof(first)) == 0);
    CHECK(memcmp(bytes + CHACHA_BLOCK, second, sizeof(second)) == 0);
}

/* Putting in and back is one thing; where a piece begins says where the stream does. */
static void test_pieces(void)
{
    u8 key[CHACHA_KEY] = "key", whole[1000], pieces[1000];

    for (u32 i = 0; i < sizeof(whole); i++)
        whole[i] = pieces[i] = (u8)i;
    chacha(key, 7, 3, whole, sizeof(whole));
    chacha(key, 7, 3, pieces, 5 * CHACHA_BLOCK);
    chacha(key, 7, 8, pieces + 5 * CHACHA_BLOCK, sizeof(pieces) - 5 * CHACHA_BLOCK);
    CHECK(memcmp(whole, pieces, sizeof(whole)) == 0);
    chacha(key, 7, 3, whole, sizeof(whole));
    for (u32 i = 0; i < sizeof(whole); i++)
        CHECK_EQ(whole[i], (u8)i);
}

TESTS(CASE(test_vectors), CASE(test_pieces))
