/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An estimate of another clock.
 */
#include "guest/servers/clock/estimate.h"

u64 estimate_error(const struct estimate *e, u64 now_ns)
{
    return e->error_ns + (now_ns - e->taken_ns) / (1000000 / ESTIMATE_DRIFT_PPM) + 1;
}

void estimate_take(struct estimate *e, u64 asked_ns, u64 theirs_ns, u64 heard_ns)
{
    u64 half = (heard_ns - asked_ns + 1) / 2, offset = theirs_ns - (asked_ns + half), error,
        old;
    s64 apart = (s64)(offset - e->offset);

    if (heard_ns < asked_ns)
        return; /* nobody can answer before being asked: it is not an answer of ours */
    error = half + (heard_ns - asked_ns) / (1000000 / ESTIMATE_DRIFT_PPM) + 1;
    old = estimate_error(e, heard_ns);
    if (e->known && (u64)(apart < 0 ? -apart : apart) > old + error)
        e->last_ns = 0; /* both cannot be true of one clock: it has been set */
    else if (e->known && error > old)
        return;
    *e = (struct estimate){true, offset, error, heard_ns, e->last_ns};
}

u64 estimate_now(struct estimate *e, u64 now_ns, u64 *error_ns)
{
    u64 now = now_ns + e->offset;

    *error_ns = estimate_error(e, now_ns);
    if ((s64)(now - e->last_ns) < 0 && e->last_ns) {
        *error_ns += e->last_ns - now;
        return e->last_ns;
    }
    e->last_ns = now;
    return now;
}
