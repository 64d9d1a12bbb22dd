/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long calls took: what is usual, and which took much longer. Counts by powers of two, so
 * that it stays small however many there are.
 */
#ifndef GUEST_PROGRAMS_DELAYS_H
#define GUEST_PROGRAMS_DELAYS_H

#include "base/types.h"

enum { DELAYS_ROWS = 64 };

struct delays {
    u64 count, longest;
    struct {
        u64 count, sum;
    } rows[DELAYS_ROWS]; /* those with this highest bit */
};

void delays_add(struct delays *d, u64 ns);
/* The mean of those as long as the one in the middle. */
u64 delays_usual(const struct delays *d);
/* How many took at least about four times as long as that. */
u64 delays_late(const struct delays *d);

#endif
