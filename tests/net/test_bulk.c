/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk transfer (DL22, F03): blocks labelled with their offset in any order, one
 * acknowledgement per transfer and no intermediate ones, resumption when a page is missing
 * at either end, repetition of just what was lost, over narrow relays and slow lines; the
 * window protocol goes on beside it.
 */
#include "tests/check.h"
#include "tests/net/sim.h"

#define SECOND 1000000000ull

static void begin(struct sim *s, u32 slot, u32 from, u32 to, u64 len, u32 not_now)
{
    u64 id = 100 + slot;

    s->node[from].bulk[slot] = (struct sim_bulk){
        .id = id, .len = len, .pattern = id, .source = true, .not_now = not_now};
    s->node[to].bulk[slot] = (struct sim_bulk){
        .id = id, .len = len, .pattern = id, .not_now = not_now, .bytes = calloc(1, len + 1)};
    CHECK_EQ(net_bulk_expect(s->node[to].net, from + 1, id, len), NET_OK);
    CHECK_EQ(net_bulk_send(s->node[from].net, to + 1, id, len), NET_OK);
    sim_touch(&s->node[from]);
    sim_touch(&s->node[to]);
}

static bool both_done(struct sim *s, u32 slot, u32 from, u32 to)
{
    return s->node[from].bulk[slot].done && s->node[to].bulk[slot].done;
}

static void finish(struct sim *s, u32 slot, u32 from, u32 to, u64 limit)
{
    struct sim_bulk *a = &s->node[from].bulk[slot], *b = &s->node[to].bulk[slot];
    u64 end = s->now + limit, wrong = 0;
    u32 steps = 0;

    while (!both_done(s, slot, from, to) && s->now < end) {
        if (!sim_step(s) || ++steps % 16 == 0) { /* the missing page has come */
            net_bulk_resume(s->node[from].net, a->id);
            net_bulk_resume(s->node[to].net, b->id);
            sim_touch(&s->node[from]);
            sim_touch(&s->node[to]);
        }
    }
    CHECK(a->done && b->done);
    CHECK_EQ(a->result, 0);
    CHECK_EQ(b->result, 0);
    for (u64 i = 0; i < b->len; i++)
        wrong += b->bytes[i] != (u8)keyed_random(b->pattern, i / 8, 0);
    CHECK_EQ(wrong, 0);
    CHECK_EQ(s->violations, 0);
}

static void test_one_acknowledgement(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 1);

    begin(s, 0, 0, 1, 1 << 20, 0);
    finish(s, 0, 0, 1, 10 * SECOND);
    CHECK_EQ(SIM_SUM(s, bulk_acks), 1);
    CHECK_EQ(SIM_SUM(s, bulk_asks), 0);
    CHECK_EQ(SIM_SUM(s, acks_out), 0);
    CHECK_EQ(SIM_SUM(s, bulk_out), SIM_SUM(s, bulk_in));
    CHECK(SIM_SUM(s, bulk_out) <= 17); /* 64 KB blocks */
    sim_destroy(s);
}

/* A device that has no room is not offered a block that was read out and checked for nothing. */
static void test_read_out_once(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 2);

    sim_run(s, SECOND);
    sim_fault(s, 0, "queue 150000");
    sim_fault(s, 0, "stall 1s");
    begin(s, 0, 0, 1, 1 << 20, 0);
    finish(s, 0, 0, 1, 10 * SECOND);
    CHECK(s->node[0].device[0].refusals > 0);
    CHECK_EQ(s->node[0].bulk[0].reads, SIM_SUM(s, bulk_out));
    sim_destroy(s);
}

static void test_any_order(void)
{
    for (u64 seed = 1; seed <= 20; seed++) {
        struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, seed);

        sim_fault(s, 0, "reorder 0.8 200ms");
        sim_fault(s, 0, "duplicate 0.3 300ms");
        begin(s, 0, 0, 1, 300000 + seed, 0);
        finish(s, 0, 0, 1, 100 * SECOND);
        CHECK_EQ(SIM_SUM(s, bulk_acks), 1);
        sim_destroy(s);
    }
}

static void test_losses(void)
{
    static const char *const loss[] = {"loss 0.01", "loss 0.1", "loss 0.3", "burst 0.05 0.1"};

    for (u32 i = 0; i < ARRAY_SIZE(loss); i++) {
        struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, 30 + i);

        sim_fault(s, 0, loss[i]);
        sim_fault(s, 0, "corrupt 0.05 4");
        begin(s, 0, 0, 1, 1 << 20, 0);
        finish(s, 0, 0, 1, 1000 * SECOND);
        /* Repeated is what was lost, and little more. */
        CHECK(SIM_SUM(s, bulk_out) < 700 * 2 * 10 / 8);
        sim_destroy(s);
    }
}

static void test_sizes(void)
{
    static const u64 sizes[] = {0, 1, 1023, 1024, 1025, 65536, 100000};

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, 40 + i);

        sim_fault(s, 0, "loss 0.2");
        begin(s, 0, 1, 0, sizes[i], 0);
        finish(s, 0, 1, 0, 100 * SECOND);
        sim_destroy(s);
    }
}

static void test_missing_pages(void)
{
    struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, 50);

    begin(s, 0, 0, 1, 200000, 40);
    finish(s, 0, 0, 1, 1000 * SECOND);
    CHECK(s->node[0].bulk[0].not_now == 0 || s->node[1].bulk[0].not_now == 0);
    sim_destroy(s);
}

static void test_slow_line_shared(void)
{
    struct sim *s = sim_two(MEDIUM_PARALLEL, 0, 60);
    u64 start = s->now;

    begin(s, 0, 0, 1, 50000, 0);
    for (u32 i = 0; i < 20; i++)
        sim_send(s, 0, 1, 200);
    CHECK(sim_settle(s, 30 * SECOND)); /* messages are not behind the whole transfer */
    CHECK(!s->node[1].bulk[0].done);
    CHECK(s->now - start < 9 * SECOND);
    finish(s, 0, 0, 1, 100 * SECOND);
    CHECK(s->now - start < (50000 + 20 * 264) / 5000 * SECOND * 6 / 5);
    sim_destroy(s);
}

static void test_over_narrow_relay(void)
{
    struct sim *s = sim_create(3, 2, 70);

    sim_medium(s, 0, MEDIUM_ETHER, 2, 0);
    sim_medium(s, 1, MEDIUM_PARALLEL, 2, 100000);
    sim_plug(s, 0, 0, 0);
    sim_plug(s, 1, 0, 1);
    sim_plug(s, 1, 1, 0);
    sim_plug(s, 2, 1, 1);
    sim_start(s);
    sim_fault(s, 1, "loss 0.05");
    begin(s, 0, 0, 2, 300000, 0);
    begin(s, 1, 2, 0, 100000, 0);
    finish(s, 0, 0, 2, 300 * SECOND);
    finish(s, 1, 2, 0, 300 * SECOND);
    sim_destroy(s);
}

static void test_peer_reboots(void)
{
    struct sim *s = sim_two(MEDIUM_PARALLEL, 0, 80);

    begin(s, 0, 0, 1, 100000, 0);
    begin(s, 1, 1, 0, 100000, 0);
    sim_run(s, 3 * SECOND);
    sim_crash(s, 1);
    sim_run(s, 4 * SECOND);
    sim_start(s);
    sim_run(s, 30 * SECOND);
    for (u32 i = 0; i < 2; i++) {
        CHECK(s->node[0].bulk[i].done);
        CHECK_EQ(s->node[0].bulk[i].result, NET_UNREACHABLE);
    }
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

static void test_cancel(void)
{
    struct sim *s = sim_two(MEDIUM_PARALLEL, 0, 90);

    begin(s, 0, 0, 1, 100000, 0);
    sim_run(s, 3 * SECOND);
    net_bulk_cancel(s->node[0].net, 100);
    net_bulk_cancel(s->node[1].net, 100);
    net_bulk_cancel(s->node[1].net, 100);
    sim_touch(&s->node[0]);
    sim_run(s, 60 * SECOND);
    CHECK(!s->node[0].bulk[0].done && !s->node[1].bulk[0].done);
    CHECK_EQ(net_deadline(s->node[0].net), ~0ull);
    sim_destroy(s);
}

TESTS(CASE(test_one_acknowledgement), CASE(test_read_out_once), CASE(test_any_order),
      CASE(test_losses), CASE(test_sizes), CASE(test_missing_pages),
      CASE(test_slow_line_shared), CASE(test_over_narrow_relay), CASE(test_peer_reboots),
      CASE(test_cancel))
