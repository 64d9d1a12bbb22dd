/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and string functions for freestanding code. On the host the C library has them: ours
 * would take their place in it, and its compiler, which may, turns loops in them into calls of
 * themselves.
 */
#include "base/memory.h"
#include "base/copy.h"

#ifndef OSMOSIS_HOST

#undef memcpy
#undef memmove
#undef memset
#undef memcmp

void *memcpy(void *restrict to, const void *restrict from, size_t len)
{
    copy_upward(to, from, len);
    return to;
}

void *memmove(void *to, const void *from, size_t len)
{
    if ((uintptr_t)to - (uintptr_t)from >= len)
        copy_upward(to, from, len);
    else
        copy_downward(to, from, len);
    return to;
}

void *memset(void *at, int byte, size_t len)
{
    fill(at, (u8)byte, len);
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

#endif
