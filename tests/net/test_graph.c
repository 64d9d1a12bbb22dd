/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many nodes: random connected graphs of lines and ethers keep talking while edges are cut
 * with one path remaining (DN16, DN17, F06, F07); store-and-forward over many hops with
 * cutting of long pieces (DN18); fairness of the output machine (DN12); a late node learns
 * where the switchboard is (DN21); reboots and dead epochs (DN15, F13); remote-processor
 * objects from first use only; the same seed gives the same trace.
 */
#include "base/bytes.h"
#include "net/frame.h"
#include "tests/check.h"
#include "tests/net/graph.h"

#define SECOND 1000000000ull

/* Nodes in a ring of parallel-like lines, so that one edge may always go. */
static struct sim *ring(u32 nodes, u64 seed, u64 rate)
{
    struct sim *s = sim_create(nodes, nodes, seed);

    for (u32 i = 0; i < nodes; i++) {
        sim_medium(s, i, MEDIUM_PARALLEL, 2, rate);
        sim_plug(s, i, i, 0);
        sim_plug(s, (i + 1) % nodes, i, 1);
    }
    sim_start(s);
    return s;
}

/* A line of nodes 0 - 1 - ... - n-1. */
static struct sim *chain(u32 nodes, u64 seed, enum medium_kind kind, u64 rate)
{
    struct sim *s = sim_create(nodes, nodes - 1, seed);

    for (u32 i = 0; i + 1 < nodes; i++) {
        sim_medium(s, i, kind, 2, rate);
        sim_plug(s, i, i, 0);
        sim_plug(s, i + 1, i, 1);
    }
    sim_start(s);
    return s;
}

static void test_edges_cut(void)
{
    enum { NODES = 16, EXTRA = 14, EDGES = NODES - 1 + EXTRA };
    u32 edges[EDGES][2];

    for (u64 seed = 1; seed <= test_length(12, 300); seed++) {
        struct sim *s = graph_create(NODES, EXTRA, seed, false, edges);
        bool cut[EDGES] = {false};

        for (u32 round = 0; round < 8; round++) {
            u32 e = (u32)keyed_below(seed, 77, round, EDGES);

            graph_traffic(s, 60, round);
            sim_run(s, s->now + SECOND / 5);
            cut[e] = !cut[e];
            if (!graph_connected(NODES, EDGES, edges, cut))
                cut[e] = false;
            /* Silently, half of the time in one direction only. */
            sim_fault(s, e,
                      !cut[e] ? "heal"
                              : (keyed_random(seed, 78, round) & 1 ? "cut 0>1" : "cut *>*"));
        }
        if (!sim_settle(s, 1000 * SECOND)) {
            printf("seed %llu: not all arrived\n", (unsigned long long)seed);
            CHECK(false);
        }
        CHECK_EQ(s->violations, 0);
        sim_destroy(s);
    }
}

static void test_conversation_moves(void)
{
    struct sim *s = sim_create(2, 2, 5);
    u64 first, second;

    for (u32 i = 0; i < 2; i++) {
        sim_medium(s, i, MEDIUM_PARALLEL, 2, 100000);
        sim_plug(s, 0, i, 0);
        sim_plug(s, 1, i, 1);
    }
    sim_start(s);
    for (u32 i = 0; i < 150; i++)
        sim_send(s, 0, 1, 1000);
    sim_run(s, SECOND / 2);
    first = s->node[0].device[0].writes;
    second = s->node[0].device[1].writes;
    /* Pull the plug of the one in use, and put it back while pulling the other. */
    sim_link_up(s, &s->node[0].device[first > second ? 0 : 1], false);
    sim_run(s, SECOND);
    CHECK(s->node[0].delivered + s->node[1].delivered > 0);
    sim_link_up(s, &s->node[0].device[first > second ? 0 : 1], true);
    sim_link_up(s, &s->node[0].device[first > second ? 1 : 0], false);
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK_EQ(s->violations, 0);
    CHECK(s->node[0].device[0].writes > 20 && s->node[0].device[1].writes > 20);
    CHECK_EQ(s->node[0].unreachable_told, 0);
    sim_destroy(s);
}

static void test_many_hops(void)
{
    struct sim *s = chain(30, 6, MEDIUM_PARALLEL, 100000);

    for (u32 i = 0; i < 40; i++) {
        sim_send(s, 0, 29, 900);
        sim_send(s, 29, 0, 90);
    }
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK(SIM_SUM(s, forwarded) >= 28 * 80);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* 0 -ether- 1 -parallel- 2 -ether- 3: pieces of 64 KB are cut for the narrow middle. */
static void test_narrow_middle(void)
{
    struct sim *s = sim_create(4, 3, 7);

    sim_medium(s, 0, MEDIUM_ETHER, 2, 0);
    sim_medium(s, 1, MEDIUM_PARALLEL, 2, 500000);
    sim_medium(s, 2, MEDIUM_ETHER, 2, 0);
    for (u32 i = 0; i < 3; i++) {
        sim_plug(s, i, i, 0);
        sim_plug(s, i + 1, i, 1);
    }
    sim_start(s);
    for (u32 i = 0; i < 4; i++)
        CHECK_EQ(sim_send(s, 0, 3, 60000), NET_OK);
    sim_fault(s, 1, "loss 0.1");
    CHECK(sim_settle(s, 200 * SECOND));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

static void test_fairness(void)
{
    struct sim *s = sim_create(9, 1, 8);
    u32 least = ~0u, most = 0;

    sim_medium(s, 0, MEDIUM_ACK_ETHER, 9, 50000);
    for (u32 i = 0; i < 9; i++)
        sim_plug(s, i, 0, i);
    sim_start(s);
    /* One peer gets whole queues of long messages, the others short ones. */
    for (u32 t = 0; t < 400; t++) {
        while (sim_send(s, 0, 1, 1000) == NET_OK)
            ;
        for (u32 i = 2; i < 9; i++)
            sim_send(s, 0, i, 1000);
        sim_run(s, s->now + SECOND / 20);
    }
    for (u32 i = 2; i < 9; i++) {
        least = MIN(least, s->node[i].got[0]);
        most = MAX(most, s->node[i].got[0]);
    }
    CHECK(least > 30);
    CHECK(most < least * 3 / 2);
    CHECK(s->node[1].got[0] < most * 2);
    sim_destroy(s);
}

/* Frames of messages that node 0 sent, by destination, in order. */
static u32 turns[256], turn_count;

static void note_turns(struct sim *s, struct medium *m, const struct medium_event *e)
{
    (void)s;
    (void)m;
    if (e->type == MEDIUM_SENT && e->from == 0 && e->frame[FRAME_KIND] == FRAME_DATA &&
        turn_count < 256)
        turns[turn_count++] = be32_get(e->frame + FRAME_DST);
}

/* While several peers have something to send, none gets two turns in a row (DN10, DN12). */
static void test_turns(void)
{
    struct sim *s = sim_create(4, 1, 14);
    u32 again = 0;

    sim_medium(s, 0, MEDIUM_ACK_ETHER, 4, 20000);
    for (u32 i = 0; i < 4; i++)
        sim_plug(s, i, 0, i);
    sim_start(s);
    sim_run(s, 20 * SECOND);
    for (u32 i = 1; i < 4; i++) /* paths are known, timers measured */
        sim_send(s, 0, i, 100);
    CHECK(sim_settle(s, 10 * SECOND));
    s->watch = note_turns;
    for (u32 i = 1; i < 4; i++) {
        for (u32 k = 0; k < 12; k++)
            sim_send(s, 0, i, 1000);
    }
    CHECK(sim_settle(s, 60 * SECOND));
    CHECK_EQ(turn_count, 36);
    /* The first few leave before the others have been given theirs. */
    for (u32 i = 4; i < 34; i++)
        again += turns[i] == turns[i - 1];
    CHECK(again <= 2);
    sim_destroy(s);
}

/* A dead peer and a full queue to it disturb nobody else (I6, I8, F21). */
static void test_dead_peer(void)
{
    struct sim *s = sim_create(3, 1, 9);

    sim_medium(s, 0, MEDIUM_ETHER, 3, 0);
    for (u32 i = 0; i < 3; i++)
        sim_plug(s, i, 0, i);
    sim_start(s);
    sim_run(s, 20 * SECOND);
    sim_send(s, 0, 1, 100);
    sim_run(s, s->now + SECOND);
    sim_crash(s, 1);
    while (sim_send(s, 0, 1, 1000) == NET_OK)
        ;
    for (u32 i = 0; i < 1000; i++) {
        sim_send(s, 0, 2, 100);
        sim_run(s, s->now + SECOND / 100);
    }
    CHECK_EQ(s->node[2].got[0], 1000);
    CHECK_EQ(s->node[0].unreachable_told, 1);
    sim_declare_dead(s, 0, 1);
    sim_run(s, s->now + SECOND);
    CHECK_EQ(s->node[0].rooms, 1);
    /* Declared dead: it comes back as another boot, and talks. */
    sim_start(s);
    sim_run(s, s->now + SECOND);
    CHECK_EQ(sim_send(s, 0, 1, 100), NET_OK);
    CHECK_EQ(sim_send(s, 1, 0, 100), NET_OK);
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* Nodes go down in the middle of traffic and come back: what is for a boot that is over is let go
 * of, and everything else arrives, once and in its turn. */
static void test_reboots(void)
{
    for (u64 seed = 1; seed <= 10; seed++) {
        struct sim *s = ring(5, seed, 100000);
        u64 reached, sent = 0;

        sim_fault(s, 0, "loss 0.1");
        sim_fault(s, 1, "duplicate 0.3 3s");
        for (u32 round = 0; round < 6; round++) {
            u32 victim = (u32)keyed_below(seed, 1, round, 5);

            graph_traffic(s, 40, round);
            sim_run(s, s->now + keyed_below(seed, 2, round, SECOND));
            sim_crash(s, victim);
            sim_run(s, s->now + keyed_below(seed, 3, round, 3 * SECOND));
            sim_start(s);
            sim_run(s, s->now + 5 * SECOND);
        }
        CHECK(sim_settle(s, 100 * SECOND));
        CHECK_EQ(s->violations, 0);
        CHECK(SIM_SUM(s, misdirected) > 0); /* copies for boots that are over did come */
        reached = s->deliveries;
        for (u32 i = 0; i < 5; i++) {
            for (u32 k = 0; k < 5; k++)
                sent += i != k && sim_send(s, i, k, 300) == NET_OK;
        }
        CHECK_EQ(sent, 20);
        CHECK(sim_settle(s, 100 * SECOND));
        CHECK_EQ(s->deliveries, reached + 20);
        CHECK_EQ(s->violations, 0);
        sim_destroy(s);
    }
}

static void test_switchboard(void)
{
    struct sim *s = chain(6, 11, MEDIUM_ACK_ETHER, 0);
    const char here[] = "process 1.1.77";

    sim_fault(s, 2, "loss 0.3");
    sim_crash(s, 5);
    sim_announce(s, 0, here, sizeof(here));
    sim_run(s, 30 * SECOND);
    for (u32 i = 1; i < 5; i++) {
        CHECK_EQ(s->node[i].announcer, 1);
        CHECK_EQ(s->node[i].announce_len, sizeof(here));
    }
    CHECK_EQ(s->node[5].announcer, 0);
    sim_start(s); /* the late one asks, with no configuration */
    sim_run(s, s->now + 30 * SECOND);
    CHECK_EQ(s->node[5].announcer, 1);
    CHECK(memcmp(s->node[5].announce, here, sizeof(here)) == 0);
    sim_destroy(s);
}

/* Hundreds of nodes: what a newcomer costs does not grow with their number. */
static void test_hundreds(void)
{
    enum { NODES = 300, EXTRA = 150 };
    static u32 edges[NODES - 1 + EXTRA][2];
    struct sim *s = graph_create(NODES, EXTRA, 21, false, edges);
    u64 before;

    sim_announce(s, 0, "here", 4);
    sim_run(s, 60 * SECOND);
    for (u32 i = 1; i < NODES; i++)
        CHECK_EQ(s->node[i].announcer, 1);
    sim_crash(s, 200);
    before = SIM_SUM(s, routing_out) - net_stats(s->node[200].net)->routing_out;
    sim_start(s);
    sim_run(s, s->now + 20 * SECOND);
    CHECK_EQ(s->node[200].announcer, 1);
    CHECK(SIM_SUM(s, routing_out) - before < 100);
    graph_traffic(s, 300, 1);
    CHECK(sim_settle(s, 300 * SECOND));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

static void test_first_use(void)
{
    struct sim *s = sim_create(64, 1, 12);
    size_t before[64];

    sim_medium(s, 0, MEDIUM_ETHER, 64, 0);
    for (u32 i = 0; i < 64; i++)
        sim_plug(s, i, 0, i);
    sim_start(s);
    sim_run(s, 20 * SECOND);
    for (u32 i = 0; i < 64; i++)
        before[i] = s->node[i].heap.in_use;
    sim_send(s, 3, 4, 100);
    CHECK(sim_settle(s, 10 * SECOND));
    for (u32 i = 0; i < 64; i++) {
        if (i != 3 && i != 4)
            CHECK_EQ(s->node[i].heap.in_use, before[i]);
    }
    for (u32 i = 0; i < 64; i++) {
        for (u32 k = 0; k < 64; k++) {
            if (i != k)
                sim_send(s, i, k, 40);
        }
    }
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

static u64 traced(u64 seed, const char *extra, u64 *drops)
{
    u32 edges[20][2];
    struct sim *s = graph_create(12, 9, seed, false, edges);
    u64 trace;

    sim_fault(s, 0, "loss 0.2");
    sim_fault(s, 3, "loss 0.1");
    if (extra)
        sim_fault(s, 5, extra);
    graph_traffic(s, 300, 1);
    CHECK(sim_settle(s, 1000 * SECOND));
    trace = s->trace;
    *drops = medium_stats(s->medium[0])->dropped;
    sim_destroy(s);
    return trace;
}

static void test_same_seed(void)
{
    u64 a, b;

    CHECK_EQ(traced(1, NULL, &a), traced(1, NULL, &b));
    CHECK(traced(1, NULL, &a) != traced(2, NULL, &b));
    CHECK(traced(1, NULL, &a) != traced(1, "loss 0.3", &b));
}

/* A device that takes nothing holds up who is reached by it, and nobody else (F21). */
static void test_device_stuck(void)
{
    struct sim *s = sim_create(3, 2, 15);

    for (u32 i = 0; i < 2; i++) {
        sim_medium(s, i, MEDIUM_ETHER, 2, 0);
        sim_plug(s, 0, i, 0);
        sim_plug(s, i + 1, i, 1);
    }
    sim_start(s);
    sim_run(s, 20 * SECOND);
    for (u32 i = 1; i < 3; i++)
        sim_send(s, 0, i, 100);
    CHECK(sim_settle(s, 10 * SECOND));
    sim_fault(s, 0, "stall 30s");
    while (sim_send(s, 0, 1, 60000) == NET_OK)
        sim_run(s, s->now + SECOND / 1000);
    sim_fault(s, 0, "queue 1000"); /* its ring is full */
    for (u32 i = 0; i < 500; i++) {
        u32 had = s->node[2].got[0];

        CHECK_EQ(sim_send(s, 0, 2, 500), NET_OK);
        sim_run(s, s->now + SECOND / 500);
        CHECK_EQ(s->node[2].got[0], had + 1);
    }
    CHECK(s->node[0].device[0].refusals > 0);
    CHECK_EQ(s->node[1].got[0], 1);
    sim_fault(s, 0, "queue 0");
    CHECK(sim_settle(s, 100 * SECOND));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* What waits in a node for others, by a way that is slower than the one it came by, is bounded; the
 * rest is dropped there, counted, and comes again. */
static void test_through_memory(void)
{
    struct sim *s = sim_create(4, 3, 16);
    size_t before, most = 0;

    sim_medium(s, 0, MEDIUM_ETHER, 2, 0);
    sim_medium(s, 1, MEDIUM_ETHER, 2, 0);
    sim_medium(s, 2, MEDIUM_PARALLEL, 2, 200000);
    for (u32 i = 0; i < 2; i++) { /* two senders, 2 between, 3 behind it */
        sim_plug(s, i, i, 0);
        sim_plug(s, 2, i, 1);
        s->node[i].queue_bytes = 2 << 20;
    }
    sim_plug(s, 2, 2, 0);
    sim_plug(s, 3, 2, 1);
    sim_start(s);
    sim_run(s, 20 * SECOND);
    for (u32 i = 0; i < 2; i++)
        sim_send(s, i, 3, 100);
    CHECK(sim_settle(s, 10 * SECOND));
    before = s->node[2].heap.in_use;
    sim_fault(s, 2, "rate 20000"); /* far less than the senders were told */
    for (u32 i = 0; i < 600; i++)
        sim_send(s, i % 2, 3, 1000);
    while (s->waiting && s->now < 2000 * SECOND && sim_step(s))
        most = MAX(most, s->node[2].heap.in_use);
    CHECK_EQ(s->waiting, 0);
    CHECK(most - before > 200 << 10 && most - before < 320 << 10);
    CHECK(SIM_SUM(s, through_lost) > 0);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* What a node with one device that takes only its own frames says while another looks for a
 * machine that is not there. */
static u64 said_for_another(bool own_only)
{
    struct sim *s = sim_create(3, 1, 14);
    u64 before;

    sim_medium(s, 0, MEDIUM_ETHER, 3, 0);
    for (u32 i = 0; i < 3; i++)
        sim_plug(s, i, 0, i)->device.own_only = own_only;
    sim_start(s);
    sim_run(s, 20 * SECOND);
    sim_crash(s, 2);
    before = net_stats(s->node[1].net)->routing_out;
    sim_send(s, 0, 2, 100);
    sim_run(s, s->now + 20 * SECOND);
    before = net_stats(s->node[1].net)->routing_out - before;
    sim_destroy(s);
    return before;
}

/* A wide flood goes back to a node's only medium, where somebody else may hear it better; not
 * where that would be refused. */
static void test_wide_floods(void)
{
    CHECK(said_for_another(false) > 0);
    CHECK_EQ(said_for_another(true), 0);
}

TESTS(CASE(test_edges_cut), CASE(test_conversation_moves), CASE(test_many_hops),
      CASE(test_narrow_middle), CASE(test_fairness), CASE(test_turns), CASE(test_dead_peer),
      CASE(test_reboots), CASE(test_switchboard), CASE(test_hundreds), CASE(test_first_use),
      CASE(test_same_seed), CASE(test_device_stuck), CASE(test_through_memory),
      CASE(test_wide_floods))
