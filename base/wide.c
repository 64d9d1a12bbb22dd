/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loops of 256 and 64 bytes by one register, which nobody else of us uses; what is left is
 * memmove's.
 */
#include "base/wide.h"
#include "base/memory.h"

enum { LEAST = 256, BLOCK = 64 };

void zero_wide(void *at, size_t len)
{
    u8 kept[16];

    asm volatile("movups %%xmm0, %[kept]\n\t"
                 "pxor %%xmm0, %%xmm0\n"
                 "1:\n\t"
                 ".set piece, 0\n\t"
                 ".rept 16\n\t"
                 "movaps %%xmm0, piece(%[at])\n\t"
                 ".set piece, piece + 16\n\t"
                 ".endr\n\t"
                 "add $256, %[at]\n\t"
                 "sub $256, %[len]\n\t"
                 "jnz 1b\n\t"
                 "movups %[kept], %%xmm0"
                 : [at] "+r"(at), [len] "+r"(len), [kept] "=m"(kept)
                 :
                 : "memory", "cc");
}

#define MOVES(count)                           \
    ".set piece, 0\n\t"                        \
    ".rept " count "\n\t"                      \
    "movups piece(%[from], %[at]), %%xmm0\n\t" \
    "movups %%xmm0, piece(%[to], %[at])\n\t"   \
    ".set piece, piece + 16\n\t"               \
    ".endr\n\t"

void copy_wide(void *to, const void *from, size_t len)
{
    size_t many = len & ~(size_t)(LEAST - 1), few = len & (LEAST - 1) & ~(size_t)(BLOCK - 1);
    s64 at = -(s64)many, rest = -(s64)few;
    u8 kept[16];

    if (!many) {
        memmove(to, from, len);
        return;
    }
    to = (u8 *)to + many;
    from = (const u8 *)from + many;
    /* Each loop counts up to 0, where `to` and `from` stand. */
    asm volatile("movups %%xmm0, %[kept]\n"
                 "1:\n\t" MOVES("16") "add $256, %[at]\n\t"
                                      "jnz 1b\n\t"
                                      "sub %[rest], %[to]\n\t"
                                      "sub %[rest], %[from]\n\t"
                                      "mov %[rest], %[at]\n\t"
                                      "test %[at], %[at]\n\t"
                                      "jz 3f\n"
                                      "2:\n\t" MOVES("4") "add $64, %[at]\n\t"
                                                          "jnz 2b\n"
                                                          "3:\n\t"
                                                          "movups %[kept], %%xmm0"
                 : [at] "+r"(at), [to] "+r"(to), [from] "+r"(from), [kept] "=m"(kept)
                 : [rest] "r"(rest)
                 : "memory", "cc");
    if (len % BLOCK)
        memmove(to, from, len % BLOCK);
}
