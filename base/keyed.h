/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers drawn by key, never from a stream: the value depends only on the run's
 * seed, the object that asks, and the number of the event. Taking one fault out of a
 * schedule therefore changes no other decision, which is what makes shrinking possible.
 *
 * The mixer is the finalizer of SplitMix64 applied after each word of the key.
 */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include "base/types.h"

static inline u64 keyed_mix(u64 x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

/* A uniform 64-bit value for (seed, object, event). */
static inline u64 keyed_random(u64 seed, u64 object, u64 event)
{
    return keyed_mix(keyed_mix(keyed_mix(seed) ^ object) ^ event);
}

/* A uniform value below `limit` (limit > 0), without the bias of a remainder worth caring
 * about: the high half of a 64x64 product. */
static inline u64 keyed_below(u64 seed, u64 object, u64 event, u64 limit)
{
    return (u64)(((unsigned __int128)keyed_random(seed, object, event) * limit) >> 64);
}

/* True with probability parts / 2^32. */
static inline bool keyed_chance(u64 seed, u64 object, u64 event, u32 parts)
{
    return (u32)(keyed_random(seed, object, event) >> 32) < parts;
}

#endif
