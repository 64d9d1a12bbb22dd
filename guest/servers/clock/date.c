/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `date`: prints the time of day by the link "calendar". `date check N`: compares this
 * machine's calendar N times with the source's own, which must show, before and after, what
 * lies within the error that ours admits; and ours must never go back.
 */
#include "guest/lib/calendar.h"
#include "guest/lib/switchboard.h"

static u64 must_know(s64 link, u64 *error)
{
    u64 time;
    s64 result = calendar_now(link, &time, error);

    if (result < 0)
        demos_die("date: %s", demos_error(result));
    return time;
}

static void check(u64 count)
{
    s64 theirs = demos_find("calendar", SWITCHBOARD_GLOBAL | SWITCHBOARD_WAIT);
    u64 last = 0, worst = 0;

    for (u64 i = 0; i < count; i++) {
        u64 none, error, before, now, after;

        before = must_know(theirs, &none);
        now = must_know(demos_link("calendar"), &error);
        after = must_know(theirs, &none);
        if (now + error < before || now > after + error || now < last)
            demos_die("date: %llu (+- %llu) is not between %llu and %llu",
                      (unsigned long long)now, (unsigned long long)error,
                      (unsigned long long)before, (unsigned long long)after);
        last = now;
        worst = MAX(worst, error);
        demos_sleep_ns(1000000);
    }
    demos_print("date: %llu times, never more than %llu us apart\n", (unsigned long long)count,
                (unsigned long long)(worst / 1000 + 1));
}

int main(int argc, char **argv)
{
    u64 error, count = 0, seconds;

    for (const char *c = argc > 2 ? argv[2] : ""; *c >= '0' && *c <= '9'; c++)
        count = 10 * count + (u64)(*c - '0');
    if (argc > 1 && strcmp(argv[1], "check") == 0) {
        check(count);
        return 0;
    }
    seconds = must_know(demos_link("calendar"), &error) / 1000000000;
    demos_print("%llu:%02llu:%02llu since the beginning\n",
                (unsigned long long)(seconds / 3600), (unsigned long long)(seconds / 60 % 60),
                (unsigned long long)(seconds % 60));
    return 0;
}
