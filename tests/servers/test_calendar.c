/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DS15, DN20: a follower's idea of the source's clock, over ways that take random times and
 * lose answers, with clocks of different speeds: what it says is never further off than it
 * admits, and never goes back.
 */
#include "base/keyed.h"
#include "guest/servers/clock/estimate.h"
#include "tests/check.h"

struct world {
    u64 true_ns;
    s64 ppm; /* ours is so much faster */
    u64 start;
};

static u64 ours(const struct world *w)
{
    s64 more = (s64)(w->true_ns / 1000000) * w->ppm;

    return w->start + w->true_ns + (u64)more;
}

/* The source's clock is the true one, far from ours. */
static u64 theirs(const struct world *w)
{
    return w->true_ns + 1000000000ull * 86400 * 365;
}

static void life(u64 seed)
{
    struct world w = {.start = keyed_below(seed, 1, 0, 1ull << 40),
                      .ppm = (s64)keyed_below(seed, 2, 0, 300) - 150};
    struct estimate e = {0};
    u64 last = 0, n = 0;

    for (u32 step = 0; step < 400; step++) {
        u64 asked = ours(&w), at, now, error, off;

        w.true_ns += keyed_below(seed, 3, n++, 5000000); /* there */
        at = theirs(&w);
        w.true_ns += keyed_below(seed, 3, n++, 5000000); /* and back */
        if (keyed_below(seed, 4, n++, 3))                /* each third is lost */
            estimate_take(&e, asked, at, ours(&w));
        if (keyed_below(seed, 5, n++, 20) == 0)
            w.true_ns += keyed_below(seed, 6, n++, 1ull << 34); /* nobody asks for a while */
        if (!e.known)
            continue;
        now = estimate_now(&e, ours(&w), &error);
        off = now > theirs(&w) ? now - theirs(&w) : theirs(&w) - now;
        CHECK(off <= error);
        CHECK(now >= last);
        last = now;
    }
    CHECK(e.known);
}

static void test_lives(void)
{
    for (u64 seed = 1; seed <= test_length(200, 20000) && !checks_failed; seed++)
        life(seed);
}

/* The better answer stays until it is worth less than a new one. */
static void test_best_counts(void)
{
    struct estimate e = {0};
    u64 error;

    estimate_take(&e, 1000, 5000, 1100);
    CHECK(estimate_error(&e, 1100) <= 52);
    estimate_take(&e, 2000, 400000, 900000); /* slow: it says less than what is known */
    CHECK_EQ(estimate_now(&e, 2000, &error), 5950);
    estimate_take(&e, 5000, 1, 4000); /* heard before it was asked */
    CHECK_EQ(estimate_now(&e, 2001, &error), 5951);
    estimate_take(&e, 10000000000, 20000000000, 10001000000); /* now it is the best there is */
    CHECK(estimate_error(&e, 10001000000) >= 500000);
    CHECK_EQ(estimate_now(&e, 10001000000, &error), 20000500000);
    estimate_take(&e, 10001000000, 777, 10001002000); /* set, an hour back */
    CHECK_EQ(estimate_now(&e, 10001002000, &error), 1777);
}

/* It would show less than it has said: it stands, and admits as much. */
static void test_never_back(void)
{
    struct estimate e = {0};
    u64 error;

    estimate_take(&e, 1000, 500000, 3000);
    CHECK_EQ(estimate_now(&e, 3000, &error), 501000);
    estimate_take(&e, 3000, 501000 - 900, 3002);
    CHECK_EQ(estimate_now(&e, 3010, &error), 501000);
    CHECK(error >= 891);
    CHECK(estimate_now(&e, 5000, &error) > 501000);
}

TESTS(CASE(test_lives), CASE(test_best_counts), CASE(test_never_back))
