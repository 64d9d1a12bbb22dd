/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decimal arguments.
 */
#ifndef GUEST_PROGRAMS_NUMBER_H
#define GUEST_PROGRAMS_NUMBER_H

#include "base/types.h"

/* The digits that `text` begins with. */
static inline u64 number(const char *text)
{
    u64 value = 0;

    for (; *text >= '0' && *text <= '9'; text++)
        value = value * 10 + (u64)(*text - '0');
    return value;
}

#endif
