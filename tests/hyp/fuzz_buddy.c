/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames' buddy allocator by any order of taking and giving (H02): blocks are aligned, inside
 * what was added and nobody else's, and what is free adds up.
 */
#include <stdlib.h>
#include <string.h>
#include "hyp/mm/buddy.h"

enum { FRAMES = 1024, FIRST = 7, COUNT = 1000, ORDERS = 10, HELD = 256 };

static struct frame table[FRAMES];
static bool used[FRAMES];
static struct {
    u64 first;
    u32 order;
} held[HELD];
static u32 held_count;

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void mark(u64 first, u32 order, bool on)
{
    for (u64 i = first; i < first + (1ull << order); i++) {
        if (i < FIRST || i >= FIRST + COUNT || used[i] == on)
            abort();
        used[i] = on;
    }
}

static u64 take(struct buddy *b, u32 order)
{
    mfn_t m = buddy_take(b, order);

    if (!mfn_valid(m))
        return 0;
    if (m.n & ((1ull << order) - 1))
        abort();
    mark(m.n, order, true);
    held[held_count].first = m.n;
    held[held_count++].order = order;
    return 1ull << order;
}

/* Frame by frame, as references end; the last ones first, or the first. */
static u64 give(struct buddy *b, u32 which, bool backwards)
{
    u64 first = held[which].first, count = 1ull << held[which].order;

    mark(first, held[which].order, false);
    for (u64 i = 0; i < count; i++)
        buddy_give(b, backwards ? first + count - 1 - i : first + i);
    held[which] = held[--held_count];
    return count;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct buddy b;
    u64 taken = 0;

    memset(used, 0, sizeof(used));
    held_count = 0;
    buddy_init(&b, table, FRAMES);
    buddy_add(&b, FIRST, COUNT);
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 128 && held_count < HELD)
            taken += take(&b, data[i] % ORDERS);
        else if (held_count)
            taken -= give(&b, data[i] % held_count, data[i] & 64);
        if (b.free + taken != COUNT)
            abort();
    }
    while (held_count)
        give(&b, 0, false);
    if (b.free != COUNT)
        abort();
    return 0;
}
