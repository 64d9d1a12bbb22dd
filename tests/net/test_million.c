/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A million guaranteed messages, counted by the ledger, over random connected graphs of 2 to
 * 1,000 nodes on every kind of medium, while every fault there is comes and goes on their edges
 * and cards are pulled (F01-F07, DL24, DN15-DN18): each arrives once, in order and unchanged, as
 * long as one path remains, and numbers pass the wrap. Each fault is seen to have struck.
 */
#include "tests/check.h"
#include "tests/net/graph.h"

#define SECOND 1000000000ull

enum { NODES_MOST = 1000, EDGES_MOST = 2 * NODES_MOST, PAIRS_MOST = 64 };

/* Faults that leave a way through, and those that leave none for a while. */
static const char *const nuisances[] = {
    "loss 0.1",        "burst 0.05 0.3", "drop",         "duplicate 0.1 20ms", "pad 0.2",
    "reorder 0.2 5ms", "corrupt 0.1 4",  "truncate 0.1", "delay 5ms",          "jitter 8ms",
    "biterror 0.0001", "rate 20000",     "queue 2000",   "stall 200ms",        "recorder 2",
};
static const char *const outages[] = {
    "cut 0>1", "cut 1>0", "cut *>*", "partition 0|1", "flap 30ms *>*", "unplug",
};

static u64 struck[MEDIUM_WHYS], unplugged;
static u64 numbers[EDGES_MOST]; /* of the last frame that port 0 sent */

static void note(struct sim *s, struct medium *m, const struct medium_event *e)
{
    (void)s;
    if (e->type == MEDIUM_SENT && !e->from)
        numbers[medium_config(m)->id - 1] = e->number;
    struck[e->why]++;
}

struct storm {
    struct sim *s;
    u32 edges, edge[EDGES_MOST][2];
    bool down[EDGES_MOST], unplugged[EDGES_MOST];
    u32 pairs, pair[PAIRS_MOST][2];
};

/* The two ends' devices of an edge, found by the owner of its ports. */
static void plug(struct storm *t, u32 e, bool in)
{
    if (t->unplugged[e] == !in)
        return;
    t->unplugged[e] = !in;
    for (u32 port = 0; port < 2; port++)
        sim_link_up(t->s, medium_port_owner(t->s->medium[e], port), in);
}

static void strike(struct storm *t, u32 e, u32 which)
{
    char line[32];

    if (strcmp(nuisances[which], "drop") == 0) {
        for (u32 i = 1; i < 4; i++) {
            snprintf(line, sizeof(line), "drop %llu 0>1",
                     (unsigned long long)numbers[e] + 3 * i);
            sim_fault(t->s, e, line);
        }
    } else if (strcmp(nuisances[which], "recorder 2") != 0 ||
               medium_config(t->s->medium[e])->kind == MEDIUM_ACK_ETHER) {
        sim_fault(t->s, e, nuisances[which]);
    }
}

static void cut(struct storm *t, u32 e, u32 which)
{
    t->down[e] = true;
    if (!graph_connected(t->s->nodes, t->edges, t->edge, t->down)) {
        t->down[e] = false;
    } else if (strcmp(outages[which], "unplug") == 0) {
        plug(t, e, false);
        unplugged++;
    } else {
        sim_fault(t->s, e, outages[which]);
    }
}

/* One edge in three has one trouble or two, others than before. */
static void weather(struct storm *t, u64 round)
{
    for (u32 e = 0; e < t->edges; e++) {
        u64 draw = keyed_random(t->s->seed, 31 + round, e);

        if (t->down[e])
            plug(t, e, true);
        t->down[e] = false;
        sim_fault(t->s, e, "clear");
        if (draw % 3)
            continue;
        strike(t, e, (u32)(draw >> 8) % ARRAY_SIZE(nuisances));
        if (draw >> 40 & 1)
            strike(t, e, (u32)(draw >> 16) % ARRAY_SIZE(nuisances));
        if (draw >> 41 & 1)
            cut(t, e, (u32)(draw >> 24) % ARRAY_SIZE(outages));
    }
}

/* Short messages both ways between each pair; how many were taken. */
static u64 talk(struct storm *t, u32 each, u64 round)
{
    u64 taken = 0;

    for (u32 p = 0; p < 2 * t->pairs; p++) {
        u32 from = t->pair[p / 2][p % 2], to = t->pair[p / 2][1 - p % 2];

        for (u32 i = 0; i < each; i++) {
            u32 len = 24 + (u32)keyed_below(t->s->seed, round, p * each + i, 80);

            if (sim_send(t->s, from, to, len) != NET_OK)
                break;
            taken++;
        }
    }
    return taken;
}

static void begin(struct storm *t, u32 nodes, u32 extra, u32 pairs, u64 seed)
{
    memset(t, 0, sizeof(*t));
    t->edges = nodes - 1 + extra;
    t->s = graph_create(nodes, extra, seed, true, t->edge);
    t->s->watch = note;
    t->pairs = pairs;
    for (u32 p = 0; p < pairs; p++) {
        t->pair[p][0] = (u32)keyed_below(seed, 41, p, nodes);
        t->pair[p][1] = (t->pair[p][0] + 1 + (u32)keyed_below(seed, 42, p, nodes - 1)) % nodes;
    }
    for (u32 e = 0; e < t->edges; e++) /* every third card asks for no room */
        ((struct sim_device *)medium_port_owner(t->s->medium[e], 0))->rude = e % 3 == 0;
    sim_announce(t->s, 0, "here", 4);
    sim_run(t->s, 5 * SECOND);
}

/* Messages that arrived in one graph. */
static u64 storm(u32 nodes, u32 extra, u32 pairs, u32 each, u32 rounds, u64 seed)
{
    static struct storm t;
    u64 sent = 0, arrived;

    begin(&t, nodes, extra, pairs, seed);
    for (u32 round = 0; round < rounds; round++) {
        weather(&t, round);
        sent += talk(&t, each, round);
        sim_run(t.s, t.s->now + SECOND);
    }
    weather(&t, rounds);
    if (!sim_settle(t.s, 2000 * SECOND)) {
        printf("%u nodes, seed %llu: %llu of %llu have not arrived\n", nodes,
               (unsigned long long)seed, (unsigned long long)t.s->waiting,
               (unsigned long long)sent);
        CHECK(false);
    }
    CHECK_EQ(t.s->violations, 0);
    arrived = t.s->deliveries;
    CHECK_EQ(arrived, sent);
    sim_destroy(t.s);
    return arrived;
}

static void test_million(void)
{
    static const struct {
        u32 nodes, extra, pairs, each, rounds, graphs;
    } plan[] = {
        {2, 1, 1, 400, 50, 8},
        {16, 14, 16, 100, 20, 11},
        {100, 60, 24, 100, 6, 1},
        {1000, 300, 12, 200, 2, 1},
    };
    u64 total = 0;

    for (u32 i = 0; i < ARRAY_SIZE(plan); i++) {
        for (u64 g = 1; g <= test_length(plan[i].graphs, 20 * plan[i].graphs); g++)
            total += storm(plan[i].nodes, plan[i].extra, plan[i].pairs, plan[i].each,
                           plan[i].rounds, 100 * plan[i].nodes + g);

        printf("up to %u nodes: %llu messages\n", plan[i].nodes, (unsigned long long)total);
    }
    CHECK(total >= 1000000);
    CHECK(unplugged > 0);
    for (u32 why = MEDIUM_QUEUE; why < MEDIUM_WHYS; why++) {
        if (why != MEDIUM_MEMORY && why != MEDIUM_TOO_LONG && !struck[why]) {
            printf("never: %s\n", medium_why_name(why));
            CHECK(false);
        }
    }
}

TESTS(CASE(test_million))
