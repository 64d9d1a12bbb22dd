/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking for the time of day.
 */
#include "guest/lib/calendar.h"

s64 calendar_now(s64 calendar, u64 *time_ns, u64 *error_ns)
{
    struct words w;
    s64 result;

    words_start(&w, CALENDAR_NOW);
    result = words_call(calendar, &w, NULL, 0, NULL);
    *time_ns = words_get(&w);
    *error_ns = words_get(&w);
    return MIN(result, (s64)0);
}
