/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The copies and fills of freestanding code against the obvious loop: every length to some
 * blocks, every distance by which the two may overlap, and not a byte beside.
 */
#include "base/copy.h"
#include "tests/check.h"

enum { ROOM = 600, LENGTHS = 200, APART = 70 };

static u8 ours[ROOM], want[ROOM];

static void start(u32 seed)
{
    for (u32 i = 0; i < ROOM; i++)
        ours[i] = want[i] = (u8)(i * 31 + seed);
}

static void check_same(u32 len, u32 from, u32 to)
{
    u32 at = 0;

    while (at < ROOM && ours[at] == want[at])
        at++;
    if (at < ROOM)
        printf("length %u from %u to %u differs at %u\n", len, from, to, at);
    CHECK_EQ(at, ROOM);
}

/* What memmove does, by a way that cannot overlap. */
static void move_wanted(u32 to, u32 from, u32 len)
{
    u8 between[ROOM];

    for (u32 i = 0; i < len; i++)
        between[i] = want[from + i];
    for (u32 i = 0; i < len; i++)
        want[to + i] = between[i];
}

static void copies_of_every_length(void)
{
    for (u32 len = 0; len <= LENGTHS; len++) {
        start(len);
        move_wanted(ROOM / 2, 5, len);
        copy_upward(ours + ROOM / 2, ours + 5, len);
        check_same(len, 5, ROOM / 2);
        if (checks_failed)
            return;
    }
}

static void copies_that_overlap(void)
{
    for (u32 len = 0; len <= LENGTHS; len++) {
        for (u32 apart = 0; apart <= APART; apart++) {
            start(apart);
            move_wanted(8, 8 + apart, len);
            copy_upward(ours + 8, ours + 8 + apart, len);
            check_same(len, 8 + apart, 8);
            start(apart);
            move_wanted(8 + apart, 8, len);
            copy_downward(ours + 8 + apart, ours + 8, len);
            check_same(len, 8, 8 + apart);
        }
        if (checks_failed)
            return;
    }
}

static void fills_of_every_length(void)
{
    for (u32 len = 0; len <= LENGTHS; len++) {
        start(len);
        for (u32 i = 0; i < len; i++)
            want[9 + i] = 0xa5;
        fill(ours + 9, 0xa5, len);
        check_same(len, 9, 9);
    }
}

TESTS(CASE(copies_of_every_length), CASE(copies_that_overlap), CASE(fills_of_every_length))
