/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A name's row in a table: FNV-1a. Who chooses the names can make them meet.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/types.h"

static inline u32 hash_text(const char *text, size_t len)
{
    u32 hash = 2166136261u;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (u8)text[i]) * 16777619u;
    return hash;
}

#endif
