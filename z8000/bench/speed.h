/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program of load.s on plain memory, without the 2 MHz throttle, by the fast way or the
 * exact one; callgrind counts the host's instructions from outside.
 */
#ifndef Z8000_BENCH_SPEED_H
#define Z8000_BENCH_SPEED_H

#include "z8000/z8000.h"

struct speed {
    u64 clocks, instructions; /* instructions: 0 for the fast way, which does not count */
    u32 check;                /* of registers and memory, equal both ways */
};

struct speed speed_run(const struct z8000_table *table, const u8 *code, size_t length,
                       u16 entry, u64 clocks, bool fast);

#endif
