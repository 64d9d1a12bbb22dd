/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy allocator under the frames (H02): blocks are aligned and disjoint, what comes
 * back joins again, and nothing is lost in any order of taking and giving.
 */
#include "base/keyed.h"
#include "hyp/mm/buddy.h"
#include "tests/check.h"

enum { FRAMES = 4096 };

static struct frame table[FRAMES];
static bool used[FRAMES];

static void fresh(struct buddy *b, u64 first, u64 count)
{
    memset(used, 0, sizeof(used));
    buddy_init(b, table, FRAMES);
    buddy_add(b, first, count);
}

static void test_counts_and_aligns(void)
{
    struct buddy b;
    mfn_t m;

    fresh(&b, 3, 1000);
    CHECK_EQ(b.free, 1000);
    for (u32 order = 0; order < 9; order++) {
        m = buddy_take(&b, order);
        CHECK(mfn_valid(m) && !(m.n & ((1ull << order) - 1)));
        CHECK(m.n >= 3 && m.n + (1ull << order) <= 1003);
    }
    CHECK_EQ(b.free, 1000 - 511);
    CHECK(!mfn_valid(buddy_take(&b, 12)));
}

static void test_joins_again(void)
{
    struct buddy b;

    fresh(&b, 0, FRAMES);
    for (u32 i = 0; i < FRAMES; i++)
        CHECK(mfn_valid(buddy_take(&b, 0)));
    CHECK(!mfn_valid(buddy_take(&b, 0)) && b.free == 0);
    for (u32 i = 0; i < FRAMES; i++)
        buddy_give(&b, (i * 2531u) % FRAMES);
    CHECK_EQ(b.free, FRAMES);
    CHECK(mfn_valid(buddy_take(&b, 12)));
}

struct block {
    u64 first;
    u32 order;
};

static void mark(struct block k, bool on)
{
    for (u64 i = 0; i < 1ull << k.order; i++) {
        CHECK(used[k.first + i] != on);
        used[k.first + i] = on;
    }
}

static void test_random_life(void)
{
    static struct block held[FRAMES];
    u64 rounds = test_length(200000, 20000000), count = 0, taken = 0;
    struct buddy b;

    fresh(&b, 5, FRAMES - 100);
    for (u64 r = 0; r < rounds; r++) {
        if (keyed_below(1, r, 0, 2) || !count) {
            struct block k = {.order = (u32)keyed_below(1, r, 1, 6)};
            mfn_t m = buddy_take(&b, k.order);

            if (!mfn_valid(m))
                continue;
            k.first = m.n;
            mark(k, true);
            taken += 1ull << k.order;
            held[count++] = k;
        } else {
            u64 i = keyed_below(1, r, 2, count);

            mark(held[i], false);
            for (u64 f = 0; f < 1ull << held[i].order; f++)
                buddy_give(&b, held[i].first + f);
            taken -= 1ull << held[i].order;
            held[i] = held[--count];
        }
        CHECK(b.free + taken == FRAMES - 100);
    }
}

TESTS(CASE(test_counts_and_aligns), CASE(test_joins_again), CASE(test_random_life))
