/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 by eight-bit steps over a table the compiler is made to compute.
 */
#include "base/crc32.h"

#define S(c)   ((c)&1 ? ((c) >> 1) ^ 0xedb88320u : (c) >> 1)
#define S2(c)  S(S(c))
#define S4(c)  S2(S2(c))
/* Expanding eight steps as one macro would be exponential; a nibble table is not. */
#define N(i)   S4((u32)(i))
#define ROW(i) N(i), N(i + 1), N(i + 2), N(i + 3)

static const u32 nibble[16] = {ROW(0), ROW(4), ROW(8), ROW(12)};

u32 crc32(u32 crc, const void *data, size_t len)
{
    const u8 *p = data;

    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        crc = (crc >> 4) ^ nibble[crc & 15];
        crc = (crc >> 4) ^ nibble[crc & 15];
    }
    return ~crc;
}
