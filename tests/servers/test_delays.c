/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the demonstration's clients say of their calls: what is usual, and how many were late.
 */
#include "guest/programs/delays.h"
#include "tests/check.h"

static void test_late_calls_are_found(void)
{
    struct delays d = {0};

    CHECK_EQ(delays_usual(&d), 0);
    CHECK_EQ(delays_late(&d), 0);
    for (u64 i = 0; i < 90; i++)
        delays_add(&d, 40000 + i);
    CHECK_EQ(delays_late(&d), 0);
    for (u64 i = 0; i < 10; i++)
        delays_add(&d, 1000000 * (i + 1));
    CHECK_EQ(delays_late(&d), 10);
    CHECK_EQ(delays_usual(&d), 40044);
    CHECK_EQ(d.longest, 10000000);
    CHECK_EQ(d.count, 100);
}

static void test_extremes(void)
{
    struct delays d = {0};

    delays_add(&d, 0);
    delays_add(&d, ~(u64)0);
    CHECK_EQ(delays_usual(&d), 0);
    CHECK_EQ(delays_late(&d), 1);
    CHECK_EQ(d.longest, ~(u64)0);
}

TESTS(CASE(test_late_calls_are_found), CASE(test_extremes))
