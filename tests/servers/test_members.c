/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DS10, DS11: the memory manager's table of machines: who enters, with which boot, who is
 * dead and stays so, who is idlest, and when silence is too long.
 */
#include "guest/servers/memory/table.h"
#include "tests/check.h"

static struct table table;

static enum table_entry enter(u64 number, u64 epoch, u64 *before)
{
    struct machine *m;

    return table_enter(&table, number, epoch, &m, before);
}

static void test_boots(void)
{
    u64 before;

    memset(&table, 0, sizeof table);
    CHECK_EQ(enter(5, 2, &before), TABLE_ENTERED);
    CHECK_EQ(enter(5, 2, &before), TABLE_AGAIN);
    CHECK_EQ(enter(5, 1, &before), TABLE_STALE);
    CHECK_EQ(enter(5, 4, &before), TABLE_REENTERED);
    CHECK_EQ(before, 2);
    table_find(&table, 5)->row.alive = 0; /* declared dead: that boot never lives again */
    CHECK_EQ(enter(5, 4, &before), TABLE_STALE);
    CHECK_EQ(enter(5, 5, &before), TABLE_REENTERED);
    CHECK_EQ(before, 4);
    CHECK_EQ(table_find(&table, 5)->row.alive, 1);
    CHECK_EQ(table.count, 1);
    CHECK(!table_find(&table, 6));
}

static void test_full(void)
{
    u64 before;

    memset(&table, 0, sizeof table);
    for (u64 i = 1; i <= TABLE_MACHINES; i++)
        CHECK_EQ(enter(i, 1, &before), TABLE_ENTERED);
    CHECK_EQ(enter(TABLE_MACHINES + 1, 1, &before), TABLE_FULL);
    CHECK_EQ(enter(7, 2, &before), TABLE_REENTERED);
}

static void test_idlest(void)
{
    u64 before;

    memset(&table, 0, sizeof table);
    CHECK(!table_idlest(&table));
    for (u64 i = 1; i <= 4; i++) {
        enter(i, 1, &before);
        table_answered(table_find(&table, i), 10 - i, 3, 1000);
    }
    CHECK_EQ(table_idlest(&table)->row.machine, 4);
    table_find(&table, 4)->row.alive = 0;
    CHECK_EQ(table_idlest(&table)->row.machine, 3);
    table_answered(table_find(&table, 2), 7, 9, 1001); /* as busy as 3, with more memory */
    CHECK_EQ(table_idlest(&table)->row.machine, 2);
}

/* It is asked, and while it does not answer the rounds are counted; any answer begins anew. */
static void test_silence(void)
{
    struct machine *m;
    u64 before;

    memset(&table, 0, sizeof table);
    enter(1, 1, &before);
    m = table_find(&table, 1);
    for (u32 round = 0; round < 10; round++) {
        CHECK(table_ask(m));
        table_answered(m, 0, 0, 0);
    }
    for (u32 round = 0; round < TABLE_SILENCE; round++)
        CHECK(table_ask(m));
    CHECK(!table_ask(m));
    CHECK_EQ(enter(1, 1, &before), TABLE_AGAIN); /* it has presented itself: not silent */
    CHECK(table_ask(m));
}

TESTS(CASE(test_boots), CASE(test_full), CASE(test_idlest), CASE(test_silence))
