/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DS02, DS03, L05: the switchboard's table against a plain model of it: random announcing,
 * posting, asking, waiting and removing, in every order; full tables refuse or make room.
 */
#include "base/keyed.h"
#include "guest/servers/switchboard/board.h"
#include "tests/check.h"

enum { NAMES = 5, MODEL = 2048 };

struct fact {
    u64 code;
    s64 link;
    u32 name;
    bool live, posted, hidden;
};

static void name_of(u32 i, char name[DEMOS_NAME_MAX])
{
    memset(name, 0, DEMOS_NAME_MAX);
    snprintf(name, DEMOS_NAME_MAX, "name-%u", i);
}

static void test_names(void)
{
    char empty[DEMOS_NAME_MAX] = "", blank[DEMOS_NAME_MAX] = "a b", good[DEMOS_NAME_MAX] = "ab";
    char full[DEMOS_NAME_MAX], high[DEMOS_NAME_MAX] = "a\x80";

    memset(full, 'x', sizeof full);
    CHECK(!board_name(empty) && !board_name(blank) && !board_name(full) && !board_name(high));
    good[10] = 'z'; /* behind the end: not part of the name */
    CHECK(board_name(good));
    CHECK_EQ(good[10], 0);
    full[DEMOS_NAME_MAX - 1] = '\0';
    CHECK(board_name(full));
}

static const struct fact *expected(const struct fact *facts, u32 count, u32 name, bool all)
{
    const struct fact *best = NULL;

    for (u32 i = 0; i < count; i++) {
        const struct fact *f = &facts[i];

        if (!f->live || f->name != name || (f->hidden && !all))
            continue;
        if (!best || (!f->posted && best->posted))
            best = f;
    }
    return best;
}

static void check_all(struct board *b, const struct fact *facts, u32 count)
{
    char name[DEMOS_NAME_MAX];

    for (u32 i = 0; i < 2 * NAMES; i++) {
        const struct fact *want = expected(facts, count, i / 2, i & 1);
        struct board_row *got;

        name_of(i / 2, name);
        got = board_find(b, name, i & 1);
        CHECK(!want == !got);
        if (want && got)
            CHECK_EQ(got->link, want->link);
    }
}

static void add(struct board *b, struct fact *facts, u32 *count, u64 seed, u64 i)
{
    u32 which = (u32)keyed_below(seed, 2, i, NAMES);
    bool posted = keyed_below(seed, 3, i, 2), hidden = keyed_below(seed, 4, i, 3) == 0;
    struct board_row *row;
    char name[DEMOS_NAME_MAX];
    bool taken = false;
    int got;

    for (u32 k = 0; k < *count; k++)
        taken |= facts[k].live && facts[k].name == which && !facts[k].posted;
    name_of(which, name);
    got = board_add(b, posted ? BOARD_POSTED : BOARD_ANNOUNCED, name, hidden, (s64)i + 1, &row);
    CHECK_EQ(got, taken && !posted ? DEMOS_E_STATE : 0);
    if (got == 0)
        facts[(*count)++] = (struct fact){row->code, (s64)i + 1, which, true, posted, hidden};
}

static void test_model(void)
{
    static struct fact facts[MODEL];

    for (u64 seed = 1; seed <= 20; seed++) {
        struct board *b = calloc(1, sizeof *b);
        u32 count = 0;

        for (u64 i = 0; i < 300; i++) {
            struct fact *f = count ? &facts[keyed_below(seed, 5, i, count)] : NULL;

            if (f && keyed_below(seed, 1, i, 2) == 0) {
                CHECK(!board_entry_of(b, f->code) == !f->live);
                if (f->live)
                    board_remove(board_entry_of(b, f->code));
                f->live = false;
            } else {
                add(b, facts, &count, seed, i);
            }
            check_all(b, facts, count);
        }
        free(b);
    }
}

static void test_waiters_in_their_order(void)
{
    struct board *b = calloc(1, sizeof *b);
    struct board_row *entry;
    char name[DEMOS_NAME_MAX], other[DEMOS_NAME_MAX];
    s64 evicted;

    name_of(1, name);
    name_of(2, other);
    board_wait(b, other, true, 99, &evicted);
    board_wait(b, name, false, 10, &evicted);
    board_wait(b, name, true, 11, &evicted);
    board_wait(b, name, true, 12, &evicted)->up = true;
    CHECK_EQ(board_add(b, BOARD_ANNOUNCED, name, true, 1, &entry), 0);
    CHECK_EQ(board_waiter(b, entry)->link, 11); /* private: not for 10, and 12 looks above */
    board_remove(board_waiter(b, entry));
    CHECK(!board_waiter(b, entry));
    entry->hidden = false;
    CHECK_EQ(board_waiter(b, entry)->link, 10);
    free(b);
}

static void test_full(void)
{
    struct board *b = calloc(1, sizeof *b);
    struct board_row *row;
    char name[DEMOS_NAME_MAX];
    s64 evicted;

    name_of(0, name);
    for (s64 i = 0; i < BOARD_ENTRIES; i++)
        CHECK_EQ(board_add(b, BOARD_POSTED, name, false, i + 1, &row), 0);
    CHECK_EQ(board_add(b, BOARD_POSTED, name, false, 1, &row), DEMOS_E_MEMORY);
    board_remove(board_find(b, name, false));
    CHECK_EQ(board_add(b, BOARD_POSTED, name, false, 777, &row), 0);
    CHECK_EQ(board_find(b, name, false)->link, 2); /* a freed row is not in front */
    for (s64 i = 0; i < BOARD_WAITERS; i++) {
        board_wait(b, name, false, i + 1, &evicted);
        CHECK_EQ(evicted, 0);
    }
    board_wait(b, name, false, 5000, &evicted);
    CHECK_EQ(evicted, 1);
    CHECK_EQ(board_waiter(b, row)->link, 2);
    free(b);
}

TESTS(CASE(test_names), CASE(test_model), CASE(test_waiters_in_their_order), CASE(test_full))
