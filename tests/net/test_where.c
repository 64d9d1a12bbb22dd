/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many nodes on one medium (DN16, DN21, P27): who looks for a machine asks a neighbour that announces
 * something before everybody; whoever asks everybody lets others' questions be answered first. What the
 * neighbour does not know, or does not say, is found all the same.
 */
#include "base/bytes.h"
#include "base/crc32c.h"
#include "net/frame.h"
#include "tests/check.h"
#include "tests/net/sim.h"

#define SECOND 1000000000ull

static u64 to_all, to_one, asked,
    told; /* frames of ROUTE to everybody and to one, of WHERE, of THERE */

static void count(struct sim *s, struct medium *m, const struct medium_event *e)
{
    u8 kind = e->frame[FRAME_KIND];
    bool all = e->frame[FRAME_TO] & 1;

    (void)s, (void)m;
    if (e->type != MEDIUM_SENT)
        return;
    to_all += kind == FRAME_ROUTE && all;
    to_one += kind == FRAME_ROUTE && !all;
    asked += kind == FRAME_WHERE;
    told += kind == FRAME_THERE;
}

static void count_from_now(void)
{
    to_all = to_one = asked = told = 0;
}

static struct sim *ether(u32 nodes, u64 seed)
{
    struct sim *s = sim_create(nodes, 1, seed);

    sim_medium(s, 0, MEDIUM_ETHER, nodes, 0);
    for (u32 i = 0; i < nodes; i++)
        sim_plug(s, i, 0, i);
    s->watch = count;
    count_from_now();
    return s;
}

static struct sim *with_announcer(u32 nodes, u64 seed)
{
    struct sim *s = ether(nodes, seed);

    sim_start(s);
    sim_announce(s, 0, "here", 4);
    sim_run(s, 20 * SECOND);
    count_from_now();
    return s;
}

static void test_a_neighbour_is_asked_first(void)
{
    enum { NODES = 60 };
    struct sim *s = with_announcer(NODES, 3);

    for (u32 i = 1; i < NODES; i++) /* now the announcer talks with all */
        sim_send(s, i, 0, 40);
    CHECK(sim_settle(s, 10 * SECOND));
    count_from_now();
    for (u32 i = 1; i + 1 < NODES; i++)
        sim_send(s, i, i + 1, 40);
    CHECK(sim_settle(s, 10 * SECOND));
    CHECK_EQ(to_all, 0);
    /* Of two neighbours who look for each other at once, one may be found by its question. */
    CHECK(asked > NODES / 2 && asked <= NODES && asked == told && to_one <= asked);
    for (u32 i = 1; i + 1 < NODES; i++)
        sim_send(s, i + 1, i, 40);
    CHECK(sim_settle(s, 10 * SECOND));
    CHECK_EQ(to_all, 0);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* A new boot of the announcer knows nobody. */
static void test_who_does_not_know_says_so(void)
{
    struct sim *s = with_announcer(8, 4);

    sim_crash(s, 0);
    sim_start(s);
    sim_announce(s, 0, "here", 4);
    sim_run(s, s->now + 20 * SECOND);
    count_from_now();
    sim_send(s, 3, 4, 40);
    CHECK(sim_settle(s, SECOND / 20)); /* before it would ask again */
    CHECK(asked == 1 && told == 1 && to_all == 1);
    sim_destroy(s);
}

static void test_nobody_answers(void)
{
    struct sim *s = with_announcer(8, 5);

    sim_crash(s, 0);
    sim_send(s, 3, 4, 40);
    CHECK(sim_settle(s, SECOND));
    CHECK(asked == 1 && told == 0 && to_all >= 1);
    sim_destroy(s);
}

/* Who gets data of a neighbour that it knows no way to asks that one. */
static void test_data_shows_the_way(void)
{
    struct sim *s = with_announcer(40, 6);

    sim_send(s, 3, 0, 40);
    CHECK(sim_settle(s, SECOND));
    sim_crash(s, 0);
    sim_start(s);
    sim_run(s, s->now + 20 * SECOND);
    count_from_now();
    sim_send(s, 3, 0, 40);
    CHECK(sim_settle(s, 10 * SECOND));
    sim_send(s, 0, 3, 40);
    CHECK(sim_settle(s, 10 * SECOND));
    CHECK(to_all == 0 && to_one == 1);
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* All come up at once, and nobody has anything to announce yet: each has asked all, and the repetitions
 * wait until the medium is quieter; when somebody has, all hear it. */
static void test_a_crowd(void)
{
    enum { NODES = 200 };
    struct sim *s = ether(NODES, 7);

    sim_start(s);
    sim_run(s, SECOND / 2);
    CHECK(to_all >= NODES && to_all < NODES + NODES / 2);
    sim_announce(s, 0, "here", 4);
    sim_run(s, s->now + 20 * SECOND);
    for (u32 i = 1; i < NODES; i++)
        CHECK_EQ(s->node[i].announcer, 1);
    sim_destroy(s);
}

/* Answers that nobody asked for, to addresses of no machine or of many. */
static void test_nobody_asked(void)
{
    struct sim *s = with_announcer(6, 8);
    u8 f[NET_HEADER + 6] = {0};

    sim_send(s, 2, 3, 40);
    CHECK(sim_settle(s, SECOND));
    sim_run(s, s->now + SECOND);
    count_from_now();
    memcpy(f + FRAME_TO, s->node[2].device[0].device.address, 6);
    memcpy(f + FRAME_FROM, s->node[4].device[0].device.address, 6);
    be16_put(f + FRAME_TYPE, FRAME_ETHERTYPE);
    f[FRAME_VER] = FRAME_VERSION;
    f[FRAME_KIND] = FRAME_THERE;
    be32_put(f + FRAME_SRC, 5);
    be32_put(f + FRAME_SRC_EPOCH, s->node[4].epoch);
    be32_put(f + FRAME_DST, 3);
    be32_put(f + FRAME_DST_EPOCH, s->node[2].epoch);
    be16_put(f + FRAME_BODY, 6);
    for (u32 wanted = 0; wanted < 8; wanted++) {
        be32_put(f + FRAME_ACK, wanted);
        f[NET_HEADER] = wanted & 1 ? 0xff : 2;
        be32_put(f + FRAME_CRC, 0);
        be32_put(f + FRAME_CRC, crc32c(false, 0, f, sizeof(f)));
        sim_inject(s, 0, 4, f, sizeof(f));
        sim_run(s, s->now + SECOND);
    }
    CHECK_EQ(to_all + to_one, 0);
    sim_destroy(s);
}

TESTS(CASE(test_a_neighbour_is_asked_first), CASE(test_who_does_not_know_says_so),
      CASE(test_nobody_answers), CASE(test_data_shows_the_way), CASE(test_a_crowd),
      CASE(test_nobody_asked))
