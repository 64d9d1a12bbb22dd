/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of back ends that have something to do, against a model: in random orders of
 * becoming ready, being served, having more to do and going away, nobody is forgotten or
 * served twice in a turn, and a turn ends however much there is to do.
 */
#include "base/keyed.h"
#include "splitdrv/ready.h"
#include "tests/check.h"

enum { ENDS = 6, STEPS = 200000 };

static struct list end[ENDS];
static struct ready_queue queue = READY_QUEUE(queue);
static u64 drawn;

static u64 below(u64 limit)
{
    return keyed_below(1, 0, drawn++, limit);
}

static void others_become_ready(bool *ready)
{
    for (u64 n = below(3); n; n--) {
        u64 i = below(ENDS);

        ready_put(&queue, &end[i]);
        ready[i] = true;
    }
}

/* One turn: the end that is served makes others ready, itself among them, and may have more to
 * do of its own. */
static void turn(bool *ready)
{
    u32 more[ENDS] = {0};
    struct list *node;

    while ((node = ready_take(&queue))) {
        u64 i = (u64)(node - end);

        CHECK(i < ENDS && ready[i] && !more[i]);
        CHECK(list_empty(node));
        ready[i] = false;
        if (below(2))
            others_become_ready(ready);
        if (below(2)) {
            more[i] = list_empty(node);
            ready_again(&queue, node);
            ready[i] = true;
        }
    }
    for (u32 i = 0; i < ENDS; i++)
        CHECK(ready[i] == (more[i] != 0));
}

static void test_nobody_is_forgotten(void)
{
    bool ready[ENDS] = {0};

    for (u32 i = 0; i < ENDS; i++)
        list_init(&end[i]);
    for (u32 step = 0; step < STEPS; step++) {
        u64 gone = below(ENDS);
        bool any = false;

        others_become_ready(ready);
        if (!below(5)) {
            list_remove(&end[gone]);
            ready[gone] = false;
        }
        turn(ready);
        for (u32 i = 0; i < ENDS; i++)
            any |= ready[i];
        CHECK(ready_turn(&queue) == any);
    }
}

TESTS(CASE(test_nobody_is_forgotten))
