/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Division of 64-bit numbers, which compilers leave to a library in 32-bit code.
 */
#include "base/types.h"

#ifndef __x86_64__
u64 __udivdi3(u64 n, u64 d);
u64 __umoddi3(u64 n, u64 d);
u64 __udivmoddi4(u64 n, u64 d, u64 *rest);

u64 __udivmoddi4(u64 n, u64 d, u64 *rest)
{
    u64 quotient = 0, r = 0;

    for (int bit = 63; bit >= 0; bit--) {
        r = r << 1 | (n >> bit & 1);
        if (r >= d) {
            r -= d;
            quotient |= 1ull << bit;
        }
    }
    *rest = r;
    return quotient;
}

u64 __udivdi3(u64 n, u64 d)
{
    u64 rest;

    return __udivmoddi4(n, d, &rest);
}

u64 __umoddi3(u64 n, u64 d)
{
    u64 rest;

    __udivmoddi4(n, d, &rest);
    return rest;
}
#endif
