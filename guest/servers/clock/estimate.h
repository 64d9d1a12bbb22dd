/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What another machine's clock shows, from answers that took a while, and how wrong that may
 * be. Each answer says: between asking and hearing, it showed that. Answers may be lost, late
 * or out of order; the best one counts until its worth has drifted away. Pure.
 */
#ifndef GUEST_SERVERS_CLOCK_ESTIMATE_H
#define GUEST_SERVERS_CLOCK_ESTIMATE_H

#include "base/types.h"

/* Two clocks of machines are together at most this wrong, in parts of a million. */
enum { ESTIMATE_DRIFT_PPM = 200 };

struct estimate {
    bool known;
    u64 offset;   /* what to add to ours, modulo 2^64 */
    u64 error_ns; /* of that when it was taken, */
    u64 taken_ns; /* by our clock */
    u64 last_ns;  /* the latest that was told */
};

/* It showed `theirs` at some time between `asked` and `heard`, by our clock. What cannot be
 * true together with what was known means that it has been set; only then may it go back. */
void estimate_take(struct estimate *e, u64 asked_ns, u64 theirs_ns, u64 heard_ns);
/* Half the answer's delay is its error, to begin with: is it time for a new one? */
u64 estimate_error(const struct estimate *e, u64 now_ns);
/* What it shows now, give or take *error_ns. Never less than it said before, unless it was set. */
u64 estimate_now(struct estimate *e, u64 now_ns, u64 *error_ns);

#endif
