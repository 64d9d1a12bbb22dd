/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measuring by the machine's own counter (the link "machine"): instructions where QEMU
 * counts them (-icount shift=0), cycles or nanoseconds elsewhere; world switches where
 * somebody counts them. A figure is the difference between N and 3N turns, so that what is
 * the same in both drops out.
 */
#ifndef GUEST_PROGRAMS_MEASURE_H
#define GUEST_PROGRAMS_MEASURE_H

#include "guest/lib/process.h"

/* What one turn costs, times a thousand. */
struct cost {
    u64 ticks, switches, flushes;
    bool counted; /* switches and flushes are known */
};

/* Measures N and 3N turns of `work`, again where others had the processor meanwhile: at most
 * MEASURE_MOST times N in all. Ends the program when it has no link "machine". */
enum { MEASURE_TRIES = 5, MEASURE_MOST = 4 * MEASURE_TRIES };
struct cost measure(void (*work)(u64 turns), u64 turns);
/* The middle one of three, for work that may be done as often: an alarm in one of them, in
 * its short part or its long one, does not count. */
struct cost measure_middle(void (*work)(u64 turns), u64 turns);
/* Prints a row of JSON. `divide`: bytes in a turn, for rows per byte, else 1. */
void measure_print(const char *row, const char *name, const struct cost *c, u64 divide);

#endif
