/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long calls took (delays.h).
 */
#include "guest/programs/delays.h"

void delays_add(struct delays *d, u64 ns)
{
    u32 row = ns ? 63 - (u32)__builtin_clzll(ns) : 0;

    d->count++;
    d->longest = ns > d->longest ? ns : d->longest;
    d->rows[row].count++;
    d->rows[row].sum += ns;
}

/* The row of the one in the middle. */
static u32 middle(const struct delays *d)
{
    u64 below = 0;
    u32 row = 0;

    while (row + 1 < DELAYS_ROWS && 2 * (below + d->rows[row].count) < d->count)
        below += d->rows[row++].count;
    return row;
}

u64 delays_usual(const struct delays *d)
{
    u32 row = middle(d);

    return d->rows[row].count ? d->rows[row].sum / d->rows[row].count : 0;
}

u64 delays_late(const struct delays *d)
{
    u64 late = 0;

    for (u32 row = middle(d) + 2; row < DELAYS_ROWS; row++)
        late += d->rows[row].count;
    return late;
}
