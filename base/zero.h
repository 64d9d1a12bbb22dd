/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of zeros, by sixteen bytes a move: half the instructions that memset takes, and a
 * page is zeroed for each that is handed out. For code that itself uses no vector register,
 * below an owner whose XMM0 this is: the register is put back. SSE must be on (CR4.OSFXSR, CR0.TS clear).
 */
#ifndef BASE_ZERO_H
#define BASE_ZERO_H

#include "base/types.h"

/* `len` is a multiple of 256 and not 0; `at` lies on 16 bytes. */
static inline void zero_pages(void *at, size_t len)
{
    u8 kept[16];

    asm volatile("movups %%xmm0, %[kept]\n\t"
                 "pxor %%xmm0, %%xmm0\n"
                 "1:\n\t"
                 ".set at, 0\n\t"
                 ".rept 16\n\t"
                 "movaps %%xmm0, at(%[at])\n\t"
                 ".set at, at + 16\n\t"
                 ".endr\n\t"
                 "add $256, %[at]\n\t"
                 "sub $256, %[len]\n\t"
                 "jnz 1b\n\t"
                 "movups %[kept], %%xmm0"
                 : [at] "+r"(at), [len] "+r"(len), [kept] "=m"(kept)
                 :
                 : "memory", "cc");
}

#endif
