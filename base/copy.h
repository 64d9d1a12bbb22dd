/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How memory is copied and filled where there is no C library (memory.c). A copy moves 64
 * bytes by eight register moves a turn: as fast per byte as SSE under emulation, no vector
 * state to save, and far from the 123 cycles a byte that `rep movsb` costs under QEMU. What is
 * left is moved in halves, and the last bytes by one word that overlaps the one before.
 */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include "base/types.h"

/* Each is the body of one function of memory.c. */
#define COPY_INLINE static inline __attribute__((always_inline))

typedef u64 __attribute__((may_alias, aligned(1))) word;
typedef u32 __attribute__((may_alias, aligned(1))) half;
typedef u16 __attribute__((may_alias, aligned(1))) quarter;

/* Less than a word: two pieces that overlap, both read before either is written. */
COPY_INLINE void copy_short(u8 *d, const u8 *s, size_t len)
{
    if (len >= 4) {
        half first = *(const half *)s, last = *(const half *)(s + len - 4);

        *(half *)d = first;
        *(half *)(d + len - 4) = last;
    } else if (len >= 2) {
        quarter first = *(const quarter *)s, last = *(const quarter *)(s + len - 2);

        *(quarter *)d = first;
        *(quarter *)(d + len - 2) = last;
    } else if (len) {
        *d = *s;
    }
}

COPY_INLINE void copy_4_words(u8 *d, const u8 *s)
{
    word a = ((const word *)s)[0], b = ((const word *)s)[1];
    word c = ((const word *)s)[2], e = ((const word *)s)[3];

    ((word *)d)[0] = a, ((word *)d)[1] = b, ((word *)d)[2] = c, ((word *)d)[3] = e;
}

/* Right also where the two overlap and `d` lies below `s`: every word is read before a word
 * at or above it is written, and the last one first of all. */
COPY_INLINE void copy_upward(u8 *d, const u8 *s, size_t len)
{
    word last;
    u8 *end = d + len;

    if (len < 8) {
        copy_short(d, s, len);
        return;
    }
    last = *(const word *)(s + len - 8);
    for (; len >= 64; len -= 64, d += 64, s += 64) {
        copy_4_words(d, s);
        copy_4_words(d + 32, s + 32);
    }
    if (len & 32) {
        copy_4_words(d, s);
        d += 32, s += 32;
    }
    if (len & 16) {
        word a = ((const word *)s)[0], b = ((const word *)s)[1];

        ((word *)d)[0] = a, ((word *)d)[1] = b;
        d += 16, s += 16;
    }
    if (len & 8)
        *(word *)d = *(const word *)s;
    *(word *)(end - 8) = last;
}

/* The same where `d` lies above `s`. */
COPY_INLINE void copy_downward(u8 *d, const u8 *s, size_t len)
{
    for (; len >= 8; len -= 8)
        *(word *)(d + len - 8) = *(const word *)(s + len - 8);
    copy_short(d, s, len);
}

/* Less than a word, in two pieces that overlap. */
COPY_INLINE void fill_short(u8 *d, u64 pattern, size_t len)
{
    if (len >= 4) {
        *(half *)d = (u32)pattern;
        *(half *)(d + len - 4) = (u32)pattern;
    } else if (len >= 2) {
        *(quarter *)d = (u16)pattern;
        *(quarter *)(d + len - 2) = (u16)pattern;
    } else if (len) {
        *d = (u8)pattern;
    }
}

COPY_INLINE void fill(u8 *d, u8 byte, size_t len)
{
    u64 pattern = 0x0101010101010101ull * byte;

    if (len < 8) {
        fill_short(d, pattern, len);
        return;
    }
    *(word *)(d + len - 8) = pattern;
    for (; len >= 64; len -= 64, d += 64) {
        ((word *)d)[0] = pattern, ((word *)d)[1] = pattern;
        ((word *)d)[2] = pattern, ((word *)d)[3] = pattern;
        ((word *)d)[4] = pattern, ((word *)d)[5] = pattern;
        ((word *)d)[6] = pattern, ((word *)d)[7] = pattern;
    }
    if (len & 32) {
        ((word *)d)[0] = pattern, ((word *)d)[1] = pattern;
        ((word *)d)[2] = pattern, ((word *)d)[3] = pattern;
        d += 32;
    }
    if (len & 16) {
        ((word *)d)[0] = pattern, ((word *)d)[1] = pattern;
        d += 16;
    }
    if (len & 8)
        *(word *)d = pattern;
}

#endif
