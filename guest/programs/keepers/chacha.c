/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ChaCha20: twenty rounds over sixteen words, little-endian.
 */
#include "guest/programs/keepers/chacha.h"

enum { WORDS = 16, DOUBLE_ROUNDS = 10 };

static u32 rotated(u32 word, u32 by)
{
    return word << by | word >> (32 - by);
}

static void quarter(u32 *x, u32 a, u32 b, u32 c, u32 d)
{
    x[a] += x[b];
    x[d] = rotated(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotated(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotated(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotated(x[b] ^ x[c], 7);
}

static u32 word_at(const u8 *bytes)
{
    return (u32)bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24;
}

static void block(const u32 *state, u8 *stream)
{
    u32 x[WORDS];

    for (u32 i = 0; i < WORDS; i++)
        x[i] = state[i];
    for (u32 round = 0; round < DOUBLE_ROUNDS; round++) {
        for (u32 i = 0; i < 4; i++) /* the columns */
            quarter(x, i, 4 + i, 8 + i, 12 + i);
        for (u32 i = 0; i < 4; i++) /* the diagonals */
            quarter(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (u32 i = 0; i < CHACHA_BLOCK; i++)
        stream[i] = (u8)((x[i / 4] + state[i / 4]) >> 8 * (i % 4));
}

void chacha(const u8 key[CHACHA_KEY], u64 nonce, u64 counter, u8 *bytes, size_t len)
{
    u32 state[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32..." */
    u8 stream[CHACHA_BLOCK];

    for (u32 i = 0; i < CHACHA_KEY / 4; i++)
        state[4 + i] = word_at(key + 4 * i);
    state[14] = (u32)nonce;
    state[15] = (u32)(nonce >> 32);
    for (size_t at = 0; at < len; at++) {
        if (at % CHACHA_BLOCK == 0) {
            state[12] = (u32)counter;
            state[13] = (u32)(counter++ >> 32);
            block(state, stream);
        }
        bytes[at] ^= stream[at % CHACHA_BLOCK];
    }
}
