/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock server's protocol: the time of day, over the link "calendar" (guest/servers/clock/).
 * Bodies are words. Times are nanoseconds; from what beginning is the cluster's to decide.
 */
#ifndef GUEST_LIB_CALENDAR_H
#define GUEST_LIB_CALENDAR_H

#include "guest/lib/words.h"

enum calendar_op {
    CALENDAR_NOW = 1,    /* -> time, by how much it may be wrong. DEMOS_E_DEAD: no source */
    CALENDAR_SET = 2,    /* time ->; to a source, over its owner's link */
    CALENDAR_FOLLOW = 3, /* [TIMELY link] -> ; a TIMELY link, see guest/servers/clock/main.c */
};

/* 0 or an error. */
s64 calendar_now(s64 calendar, u64 *time_ns, u64 *error_ns);

#endif
