/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place where time enters. Three modes (DESIGN section 4): `real` reads the TSC,
 * `count` the machine's instruction counter (the same instruction, another meaning), and
 * `event` a number that only clock_advance and trapped clock reads move.
 * Virtual time starts at zero when a plan is taken (clock_restart).
 */
#ifndef HYP_CPU_CLOCK_H
#define HYP_CPU_CLOCK_H

#include "hyp/abi/osmosis.h"

/* now_ns = base_ns + ((tsc - base_tsc) << shift >> -shift) * mul >> 32, Xen's way, for the
 * guest's TSC as well as ours; mul is 0 in `event`. */
struct clock_scale {
    u64 base_tsc, base_ns;
    u32 mul;
    s8 shift;
};

enum osm_clock clock_mode(void);
u32 clock_tsc_khz(void);
u64 clock_now(void);          /* virtual nanoseconds; never goes back on one CPU */
u64 clock_wall_seconds(void); /* at virtual time zero, since 1970 */
void clock_get_scale(struct clock_scale *s);
/* Guest TSC = host TSC + this. */
u64 clock_tsc_offset(void);
/* `event`: what a trapped RDTSC or clock read answers; time moves a fixed step with it. */
u64 clock_trapped_tsc(void);
/* `event`: nothing can run before `ns`; time jumps there. */
void clock_advance(u64 ns);
/* This CPU's timer interrupt comes at `ns` (now if that has passed); ~0ull: never. */
void clock_set_deadline(u64 ns);
/* A plan was taken: virtual time is zero from here on. */
void clock_restart(void);

#endif
