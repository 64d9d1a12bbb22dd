/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Big-endian integers in byte buffers: the order of the wire, of server protocols and of
 * every exported state, so that nodes of different machines understand each other.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/types.h"

static inline u16 be16_get(const void *at)
{
    const u8 *p = at;
    return (u16)((u16)p[0] << 8 | p[1]);
}

static inline u32 be32_get(const void *at)
{
    const u8 *p = at;
    return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline u64 be64_get(const void *at)
{
    return (u64)be32_get(at) << 32 | be32_get((const u8 *)at + 4);
}

static inline void be16_put(void *at, u16 value)
{
    u8 *p = at;
    p[0] = (u8)(value >> 8);
    p[1] = (u8)value;
}

static inline void be32_put(void *at, u32 value)
{
    be16_put(at, (u16)(value >> 16));
    be16_put((u8 *)at + 2, (u16)value);
}

static inline void be64_put(void *at, u64 value)
{
    be32_put(at, (u32)(value >> 32));
    be32_put((u8 *)at + 4, (u32)value);
}

#endif
