/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C eight bytes at a step, by the instruction or by eight tables. A CRC is linear:
 * the entry for a byte is the exclusive or of the entries for its bits, so the compiler
 * makes the tables from 64 constants, each one step of the shift register after the last.
 */
#include "base/crc32c.h"
#include "base/memory.h"

#define NEXT(c) ((c)&1 ? ((c) >> 1) ^ POLY : (c) >> 1)
#define POLY    0x82f63b78u

enum {
    R0 = (int)POLY,
#define R(to, from) to = (int)NEXT((u32)from)
    R(R1, R0),
    R(R2, R1),
    R(R3, R2),
    R(R4, R3),
    R(R5, R4),
    R(R6, R5),
    R(R7, R6),
#define ROW(a, b, c, d, e, f, g, h, before) \
    R(a, before), R(b, a), R(c, b), R(d, c), R(e, d), R(f, e), R(g, f), R(h, g)
    ROW(R8, R9, R10, R11, R12, R13, R14, R15, R7),
    ROW(R16, R17, R18, R19, R20, R21, R22, R23, R15),
    ROW(R24, R25, R26, R27, R28, R29, R30, R31, R23),
    ROW(R32, R33, R34, R35, R36, R37, R38, R39, R31),
    ROW(R40, R41, R42, R43, R44, R45, R46, R47, R39),
    ROW(R48, R49, R50, R51, R52, R53, R54, R55, R47),
    ROW(R56, R57, R58, R59, R60, R61, R62, R63, R55),
};

#define BIT(i, n, r) (((i) >> (n)) & 1 ? (u32)(r) : 0u)
#define E(i, a, b, c, d, e, f, g, h)                                                           \
    (BIT(i, 7, a) ^ BIT(i, 6, b) ^ BIT(i, 5, c) ^ BIT(i, 4, d) ^ BIT(i, 3, e) ^ BIT(i, 2, f) ^ \
     BIT(i, 1, g) ^ BIT(i, 0, h))
#define E4(i, ...) \
    E(i, __VA_ARGS__), E(i + 1, __VA_ARGS__), E(i + 2, __VA_ARGS__), E(i + 3, __VA_ARGS__)
#define E16(i, ...) \
    E4(i, __VA_ARGS__), E4(i + 4, __VA_ARGS__), E4(i + 8, __VA_ARGS__), E4(i + 12, __VA_ARGS__)
#define E64(i, ...)                                                          \
    E16(i, __VA_ARGS__), E16(i + 16, __VA_ARGS__), E16(i + 32, __VA_ARGS__), \
        E16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                        \
    {                                                                     \
        E64(0, __VA_ARGS__), E64(64, __VA_ARGS__), E64(128, __VA_ARGS__), \
            E64(192, __VA_ARGS__)                                         \
    }

static const u32 table[8][256] = {
    TABLE(R0, R1, R2, R3, R4, R5, R6, R7),
    TABLE(R8, R9, R10, R11, R12, R13, R14, R15),
    TABLE(R16, R17, R18, R19, R20, R21, R22, R23),
    TABLE(R24, R25, R26, R27, R28, R29, R30, R31),
    TABLE(R32, R33, R34, R35, R36, R37, R38, R39),
    TABLE(R40, R41, R42, R43, R44, R45, R46, R47),
    TABLE(R48, R49, R50, R51, R52, R53, R54, R55),
    TABLE(R56, R57, R58, R59, R60, R61, R62, R63),
};

static u32 step8_by_table(u32 crc, u64 word)
{
    word ^= crc;
    crc = 0;
    for (u32 i = 0; i < 8; i++)
        crc ^= table[7 - i][(word >> (8 * i)) & 0xff];
    return crc;
}

static inline u64 word_at(const u8 *p)
{
    u64 word = 0;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    __builtin_memcpy(&word, p, 8);
#else
    for (u32 i = 0; i < 8; i++)
        word |= (u64)p[i] << (8 * i);
#endif
    return word;
}

static u32 by_table(u32 start, const u8 *p, size_t len)
{
    u32 crc = ~start;

    for (; len >= 8; p += 8, len -= 8)
        crc = step8_by_table(crc, word_at(p));
    while (len--)
        crc = (crc >> 8) ^ table[0][(crc ^ *p++) & 0xff];
    return ~crc;
}

#if defined(__x86_64__)
static inline u64 step8(u64 crc, const u8 *p)
{
    __asm__("crc32q %1, %0" : "+r"(crc) : "m"(*(const u64 *)(const void *)p));
    return crc;
}

static inline u64 step32(u64 crc, const u8 *p)
{
    return step8(step8(step8(step8(crc, p), p + 8), p + 16), p + 24);
}

static u32 by_instruction(u32 start, const u8 *p, size_t len)
{
    u64 crc = ~start;

    for (; len >= 128; p += 128, len -= 128)
        crc = step32(step32(step32(step32(crc, p), p + 32), p + 64), p + 96);
    for (; len >= 32; p += 32, len -= 32)
        crc = step32(crc, p);
    for (; len >= 8; p += 8, len -= 8)
        crc = step8(crc, p);
    for (; len; p++, len--)
        crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
    return ~(u32)crc;
}
#else
#define by_instruction by_table
#endif

u32 crc32c(bool instruction, u32 crc, const void *data, size_t len)
{
    return instruction ? by_instruction(crc, data, len) : by_table(crc, data, len);
}
