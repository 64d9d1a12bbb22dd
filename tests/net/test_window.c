/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two nodes and one line: order, no loss and no duplicate under every fault of the medium
 * (DL24, DN15, F01-F06), across the wrap of sequence numbers, at 5 KB/s and at 1 Gb/s; any
 * flipped bit is discarded and counted, never delivered (DN11); acknowledgements ride on
 * answers; an unguaranteed message causes no acknowledgement (DN19); memory is bounded, both ways; a
 * window of w lets through w times as much.
 */
#include "base/bytes.h"
#include "net/frame.h"
#include "tests/check.h"
#include "tests/net/sim.h"

#define SECOND 1000000000ull

/* Sends `count` messages each way as fast as the queues take them. */
static void pour(struct sim *s, u32 count, u32 len_limit)
{
    u32 left[2] = {count, count};

    while (left[0] || left[1]) {
        for (u32 i = 0; i < 2; i++) {
            while (left[i]) {
                u32 len = 24 + (u32)keyed_below(s->seed, i, left[i], len_limit);
                if (sim_send(s, i, 1 - i, len) != NET_OK)
                    break;
                left[i]--;
            }
        }
        for (u32 k = 0; k < 16; k++)
            sim_step(s);
        if (s->now > 100000 * SECOND)
            break;
    }
    CHECK(sim_settle(s, 100000 * SECOND));
    CHECK_EQ(s->violations, 0);
}

static void test_clean(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 1);

    pour(s, 2000, 1000);
    CHECK_EQ(s->node[0].delivered, 2000);
    CHECK_EQ(SIM_SUM(s, retransmits), 0);
    CHECK_EQ(SIM_SUM(s, timeouts), 0);
    sim_destroy(s);
}

static void test_slow_line(void)
{
    struct sim *s = sim_two(MEDIUM_PARALLEL, 0, 2);
    u64 start, bytes = 200 * (24 + 500 + NET_HEADER);

    sim_run(s, 20 * SECOND);
    start = s->now;
    pour(s, 200, 1000);
    /* At most a tenth of the line goes to anything but messages and their headers. */
    CHECK((s->now - start) * 5000 / SECOND < bytes * 11 / 10 + 5000);
    CHECK_EQ(SIM_SUM(s, retransmits), 0);
    sim_destroy(s);
}

static void test_serial(void)
{
    struct sim *s = sim_two(MEDIUM_SERIAL, 0, 3);

    sim_fault(s, 0, "biterror 0.00002");
    pour(s, 100, 1500);
    sim_destroy(s);
}

static void test_soak(void)
{
    static const char *const faults[][4] = {
        {"loss 0.01"},
        {"loss 0.05", "duplicate 0.05 1ms"},
        {"loss 0.1", "reorder 0.2 5ms", "corrupt 0.02 3"},
        {"loss 0.3", "duplicate 0.1 50ms", "reorder 0.3 20ms", "corrupt 0.05 8"},
        {"burst 0.02 0.2", "jitter 3ms"},
        {"truncate 0.05", "pad 0.1", "delay 30ms"},
    };

    for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
        struct sim *s = sim_two(MEDIUM_ETHER, 0, 10 + i);

        for (u32 k = 0; k < 4 && faults[i][k]; k++)
            sim_fault(s, 0, faults[i][k]);
        pour(s, (u32)test_length(15000, 1000000), 200);
        CHECK(SIM_SUM(s, retransmits) > 0 || i == 5);
        sim_destroy(s);
    }
}

static void test_large_messages(void)
{
    struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, 30);

    sim_fault(s, 0, "loss 0.2");
    sim_fault(s, 0, "reorder 0.2 2ms");
    CHECK_EQ(sim_send(s, 0, 1, NET_MESSAGE_MAX), NET_OK);
    CHECK(sim_settle(s, 100 * SECOND));
    pour(s, 60, NET_MESSAGE_MAX - 24);
    sim_destroy(s);
}

static void test_sizes(void)
{
    static const u32 sizes[] = {24,   1023, 1024, 1025,  1535,  1536,  1537,
                                2047, 2048, 2049, 65535, 65536, 65537, NET_MESSAGE_MAX};
    struct sim *s = sim_two(MEDIUM_ACK_ETHER, 0, 31);

    for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
        CHECK_EQ(sim_send(s, 0, 1, sizes[i]), NET_OK);
        CHECK(sim_settle(s, 100 * SECOND));
    }
    CHECK_EQ(net_send(s->node[0].net, 2, NET_GUARANTEED, "", 1, NULL, NET_MESSAGE_MAX),
             NET_TOO_LONG);
    CHECK_EQ(net_send(s->node[0].net, 1, NET_GUARANTEED, "", 1, NULL, 0), NET_BAD);
    sim_destroy(s);
}

static u64 flips_sent;

static void test_any_bit(void)
{
    for (u32 seed = 0; seed < 40; seed++) {
        struct sim *s = sim_two(MEDIUM_ETHER, 0, 100 + seed);
        u64 damaged;

        sim_fault(s, 0, "corrupt 1 1 0>1");
        for (u32 i = 0; i < 5; i++)
            sim_send(s, 0, 1, 64);
        sim_run(s, 3 * SECOND);
        damaged = medium_stats(s->medium[0])->changed;
        flips_sent += damaged;
        CHECK(damaged > 0);
        CHECK_EQ(s->node[1].delivered, 0);
        CHECK(net_stats(s->node[1].net)->blocks_in > 0);
        CHECK_EQ(net_stats(s->node[1].net)->corrupt, net_stats(s->node[1].net)->blocks_in);
        sim_fault(s, 0, "corrupt off");
        CHECK(sim_settle(s, 100 * SECOND));
        sim_destroy(s);
    }
    CHECK(flips_sent > 300);
}

static void test_full_and_room(void)
{
    struct sim *s = sim_two(MEDIUM_PARALLEL, 0, 40);
    u32 taken = 0;
    size_t before = s->node[0].heap.in_use;

    while (sim_send(s, 0, 1, 1000) == NET_OK)
        taken++;
    CHECK(taken > 100 && taken < 400);
    CHECK(s->node[0].heap.in_use - before < 300 * 1024);
    CHECK_EQ(s->node[0].rooms, 0);
    CHECK(sim_settle(s, 1000 * SECOND));
    CHECK_EQ(s->node[0].rooms, 1);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

static void test_acks_ride(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 50);

    s->node[1].echo = true;
    for (u32 i = 0; i < 100; i++) {
        CHECK_EQ(sim_send(s, 0, 1, 64), NET_OK);
        while (s->node[0].delivered != i + 1 && sim_step(s))
            ;
    }
    /* Only the last answer has nothing to ride on. */
    CHECK_EQ(SIM_SUM(s, acks_out), 0);
    sim_run(s, s->now + SECOND);
    CHECK_EQ(SIM_SUM(s, acks_out), 1);
    CHECK_EQ(SIM_SUM(s, retransmits), 0);
    sim_destroy(s);
}

static void test_unguaranteed(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 60);
    u8 m[64] = {0};
    u64 before;

    CHECK_EQ(net_send(s->node[0].net, 2, NET_UNGUARANTEED, m, 64, NULL, 0), NET_UNREACHABLE);
    sim_touch(&s->node[0]);
    sim_run(s, 20 * SECOND);
    before = SIM_SUM(s, blocks_out);
    for (u32 i = 0; i < 100; i++)
        CHECK_EQ(net_send(s->node[0].net, 2, NET_UNGUARANTEED, m, 32, m, 32), NET_OK);
    CHECK_EQ(net_send(s->node[0].net, NET_EVERYBODY, NET_UNGUARANTEED, m, 64, NULL, 0), NET_OK);
    CHECK_EQ(net_send(s->node[0].net, 2, NET_UNGUARANTEED, m, 64, m, NET_UNGUARANTEED_MAX),
             NET_TOO_LONG);
    sim_run(s, s->now + 10 * SECOND);
    CHECK_EQ(s->node[1].plain, 101);
    CHECK_EQ(SIM_SUM(s, blocks_out) - before, 101);
    sim_fault(s, 0, "loss 0.5");
    for (u32 i = 0; i < 100; i++)
        net_send(s->node[0].net, 2, NET_UNGUARANTEED, m, 64, NULL, 0);
    sim_run(s, s->now + 10 * SECOND);
    CHECK(s->node[1].plain < 190 && s->node[1].plain > 120);
    sim_destroy(s);
}

static void test_silent_when_idle(void)
{
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 70);
    u64 before;

    pour(s, 10, 100);
    sim_run(s, s->now + 100 * SECOND);
    before = SIM_SUM(s, blocks_out);
    CHECK(!sim_step(s) || SIM_SUM(s, blocks_out) == before);
    sim_run(s, s->now + 3600 * SECOND);
    CHECK_EQ(SIM_SUM(s, blocks_out), before);
    CHECK_EQ(net_deadline(s->node[0].net), ~0ull);
    sim_destroy(s);
}

/* One that does not look for half a minute costs those beside it nothing (F12). */
static void test_pause(void)
{
    struct sim *s = sim_create(3, 1, 80);
    u64 paused;

    sim_medium(s, 0, MEDIUM_ETHER, 3, 0);
    for (u32 i = 0; i < 3; i++)
        sim_plug(s, i, 0, i);
    sim_start(s);
    sim_run(s, 20 * SECOND);
    for (u32 i = 0; i < 20; i++) {
        sim_send(s, 0, 1, 100);
        sim_send(s, 0, 2, 100);
    }
    CHECK(sim_settle(s, 10 * SECOND));
    s->node[1].slow_until = paused = s->now + 30 * SECOND;
    while (sim_send(s, 0, 1, 1000) == NET_OK)
        ;
    for (u32 i = 0; i < 1000; i++) {
        u32 had = s->node[2].got[0];

        CHECK_EQ(sim_send(s, 0, 2, 100), NET_OK);
        sim_run(s, s->now + SECOND / 500);
        CHECK_EQ(s->node[2].got[0], had + 1); /* within two milliseconds, as before */
    }
    CHECK(s->now < paused);
    CHECK_EQ(s->node[1].got[0], 20);
    CHECK(sim_settle(s, 300 * SECOND));
    CHECK_EQ(s->violations, 0);
    CHECK(s->node[0].unreachable_told <= 1);
    sim_destroy(s);
}

enum { KEPT = 64 };
static struct {
    u8 bytes[1100];
    size_t len;
} kept[KEPT];
static u32 kept_count;

static void keep_data(struct sim *s, struct medium *m, const struct medium_event *e)
{
    (void)s, (void)m;
    if (e->type != MEDIUM_SENT || e->from || e->frame[FRAME_KIND] != FRAME_DATA ||
        kept_count == KEPT)
        return;
    memcpy(kept[kept_count].bytes, e->frame, e->len);
    kept[kept_count++].len = e->len;
}

/* Frames with numbers from before the wrap come again when the conversation is past it, however
 * far: none is taken for a new one (F02). */
static void test_old_frames_after_the_wrap(void)
{
    static const u32 further[] = {100, 28, 1, 1, 30, 1, 1, 500};
    struct sim *s = sim_two(MEDIUM_ETHER, 0, 90);
    u32 sent = 0;

    s->watch = keep_data;
    for (u32 i = 0; i < KEPT; i++, sent++)
        CHECK_EQ(sim_send(s, 0, 1, 24 + i), NET_OK);
    CHECK(sim_settle(s, 10 * SECOND));
    CHECK_EQ(kept_count, KEPT);
    CHECK(be32_get(kept[0].bytes + FRAME_SEQ) > 0xffffff00u);
    for (u32 i = 0; i < ARRAY_SIZE(further); i++) {
        u64 before;

        for (u32 k = 0; k < further[i]; k++, sent++) {
            CHECK_EQ(sim_send(s, 0, 1, 100), NET_OK);
            CHECK(sim_settle(s, 10 * SECOND));
        }
        before = net_stats(s->node[1].net)->duplicate;
        for (u32 k = 0; k < KEPT; k++)
            sim_inject(s, 0, 0, kept[k].bytes, kept[k].len);
        sim_run(s, s->now + SECOND);
        CHECK_EQ(net_stats(s->node[1].net)->duplicate, before + KEPT);
        CHECK_EQ(s->node[1].delivered, sent);
    }
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* How many messages a second a window of so many lets through, on a way of 10 ms there and back. */
static u64 throughput(u32 window)
{
    struct sim *s = sim_create(2, 1, 91);
    u64 start;

    sim_medium(s, 0, MEDIUM_ETHER, 2, 0);
    sim_plug(s, 0, 0, 0);
    sim_plug(s, 1, 0, 1);
    s->node[0].window = window;
    sim_start(s);
    sim_run(s, 20 * SECOND);
    sim_fault(s, 0, "delay 5ms");
    s->node[1].echo = true; /* acknowledgements ride at once */
    for (u32 i = 0; i < 320; i++)
        CHECK_EQ(sim_send(s, 0, 1, 100), NET_OK);
    start = s->now;
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK_EQ(SIM_SUM(s, timeouts), 0);
    start = s->now - start;
    sim_destroy(s);
    return 320 * SECOND / start;
}

/* DN15: what is in flight at once is what the window says, so a long way is used so much better. */
static void test_throughput_grows_with_the_window(void)
{
    u64 one = throughput(1);

    CHECK(one > 90 && one < 105);
    for (u32 window = 2; window <= 32; window *= 2) {
        u64 many = throughput(window);

        CHECK(many > one * window * 8 / 10);
        CHECK(many < one * window * 12 / 10);
    }
    CHECK(throughput(0) > one * 25); /* the most is what there is when nothing is said */
}

/* Runs until all has arrived; the most that a node's heap held meanwhile. */
static size_t most_held(struct sim *s, u32 node)
{
    size_t most = 0;

    while (s->waiting && s->now < 1000 * SECOND && sim_step(s))
        most = MAX(most, s->node[node].heap.in_use);
    CHECK_EQ(s->waiting, 0);
    return most;
}

/* A sender with far more room than its receiver cannot make that one hold more than its own bound
 * for what comes before its turn; all arrives all the same. */
static void test_incoming_memory(void)
{
    struct sim *s = sim_create(2, 1, 92);
    size_t before, most;

    sim_medium(s, 0, MEDIUM_ETHER, 2, 0);
    sim_plug(s, 0, 0, 0);
    sim_plug(s, 1, 0, 1);
    s->node[0].queue_bytes = 3 << 20;
    sim_start(s);
    sim_run(s, 20 * SECOND);
    before = s->node[1].heap.in_use;
    sim_fault(s, 0, "loss 0.3 0>1");
    for (u32 i = 0; i < 40; i++)
        CHECK_EQ(sim_send(s, 0, 1, 60000), NET_OK);
    most = most_held(s, 1) - before;
    CHECK(most > 100 << 10);
    CHECK(most < (256 + 64 + 16) << 10);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

TESTS(CASE(test_clean), CASE(test_slow_line), CASE(test_serial), CASE(test_soak),
      CASE(test_large_messages), CASE(test_sizes), CASE(test_any_bit), CASE(test_full_and_room),
      CASE(test_acks_ride), CASE(test_unguaranteed), CASE(test_silent_when_idle),
      CASE(test_pause), CASE(test_old_frames_after_the_wrap),
      CASE(test_throughput_grows_with_the_window), CASE(test_incoming_memory))
