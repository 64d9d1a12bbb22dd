/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who has to hear of whom (P27): on a medium that knows who wants which group of addresses, a machine that
 * comes up wakes those who talk with it, look for it, announce something or pass on, and nobody else;
 * all the same everybody is found, again and again, after every reboot and from medium to medium.
 */
#include "base/bytes.h"
#include "base/keyed.h"
#include "net/frame.h"
#include "tests/check.h"
#include "tests/net/sim.h"

enum { NODES_MOST = 128 };
#define SECOND 1000000000ull

static u64 heard, to_all; /* arrivals of routing frames at groups; such frames to everybody */

static void count(struct sim *s, struct medium *m, const struct medium_event *e)
{
    bool routing = e->frame[FRAME_KIND] == FRAME_ROUTE && e->frame[FRAME_TO] & 1;

    (void)s, (void)m;
    if (!routing)
        return;
    heard += e->type == MEDIUM_DELIVERED;
    to_all += e->type == MEDIUM_SENT && e->frame[FRAME_TO] == 0xff;
}

/* What a vif tells the fabric. */
static void tell(struct sim *s)
{
    static const u64 all[NET_GROUPS / 64] = {[0 ... NET_GROUPS / 64 - 1] = ~0ull};
    static const u64 none[NET_GROUPS / 64];

    for (u32 i = 0; i < s->nodes; i++) {
        for (u32 k = 0; k < s->node[i].devices; k++) {
            struct sim_device *d = &s->node[i].device[k];
            const struct net_groups *w = s->node[i].running ? d->device.wants : NULL;

            medium_port_groups(d->medium, d->port, !w ? none : w->all ? all : w->bit);
        }
    }
}

static void step_until(struct sim *s, u64 until)
{
    while (s->now < until && sim_step(s))
        tell(s);
}

static bool settle(struct sim *s)
{
    u64 end = s->now + 30 * SECOND;

    while (!sim_all_arrived(s) && s->now < end && sim_step(s))
        tell(s);
    return sim_all_arrived(s);
}

static struct sim_device *plug(struct sim *s, u32 node, u32 medium, u32 port)
{
    struct sim_device *d = sim_plug(s, node, medium, port);

    d->device.groups = d->device.own_only = true;
    return d;
}

static struct sim *ether(u32 nodes, u64 seed)
{
    struct sim *s = sim_create(nodes, 1, seed);

    sim_medium(s, 0, MEDIUM_ETHER, nodes, 0);
    for (u32 i = 0; i < nodes; i++)
        plug(s, i, 0, i);
    s->watch = count;
    heard = to_all = 0;
    return s;
}

/* Each asks who announces something; that one alone hears them all, and tells each. */
static void test_a_crowd_wakes_one(void)
{
    struct sim *s = ether(NODES_MOST, 3);

    sim_start(s);
    tell(s);
    step_until(s, SECOND / 2);
    CHECK_EQ(heard, 0); /* there is nobody yet who wants to */
    sim_announce(s, 0, "here", 4);
    step_until(s, 20 * SECOND);
    for (u32 i = 1; i < NODES_MOST; i++)
        CHECK_EQ(s->node[i].announcer, 1);
    CHECK(to_all <= 8);
    CHECK(heard < 15 * NODES_MOST); /* of NODES_MOST squared */
    sim_destroy(s);
}

/* Machines that look for each other hear of each other, in whatever order they come up. */
static void test_whoever_is_looked_for_is_found(void)
{
    struct sim *s = ether(16, 4);

    sim_start(s);
    tell(s);
    step_until(s, 5 * SECOND);
    for (u32 i = 0; i < 16; i++)
        CHECK_EQ(sim_send(s, i, (i + 5) % 16, 40), NET_OK);
    CHECK(settle(s));
    for (u32 i = 0; i < 16; i += 3) {
        sim_crash(s, i);
        CHECK_EQ(sim_send(s, (i + 11) % 16, i, 40), NET_OK); /* looks for who is not there */
        step_until(s, s->now + SECOND);
        sim_start(s);
        tell(s);
        step_until(s, s->now + SECOND / 10);
        CHECK(s->node[(i + 11) % 16].reachable_told >
              1); /* the newcomer's first word was heard */
        CHECK(settle(s));
    }
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* Who is on two media wants to hear everything: it may be on the way. */
static void test_between_two_media(void)
{
    struct sim *s = sim_create(7, 2, 5);

    sim_medium(s, 0, MEDIUM_ETHER, 4, 0);
    sim_medium(s, 1, MEDIUM_ETHER, 4, 0);
    for (u32 i = 0; i < 4; i++)
        plug(s, i, 0, i);
    for (u32 i = 3; i < 7; i++)
        plug(s, i, 1, i - 3);
    sim_start(s);
    tell(s);
    CHECK(s->node[3].device[0].device.wants->all && !s->node[2].device[0].device.wants->all);
    CHECK_EQ(sim_send(s, 0, 6, 40), NET_OK);
    CHECK(settle(s));
    CHECK_EQ(sim_send(s, 5, 1, 40), NET_OK);
    CHECK(settle(s));
    CHECK_EQ(s->violations, 0);
    sim_destroy(s);
}

/* Crashes, restarts and losses at random among nodes that talk at random. */
static void test_any_order(void)
{
    for (u32 seed = 1; seed <= 20; seed++) {
        struct sim *s = ether(12, seed);

        sim_start(s);
        tell(s);
        sim_fault(s, 0, "loss 0.1");
        for (u32 k = 0; k < 60; k++) {
            u64 draw = keyed_random(seed, 1, k);
            u32 from = (u32)(draw % 12), to = (u32)(draw / 12 % 12);

            if (draw / 144 % 5 == 0) {
                sim_crash(s, from);
                step_until(s, s->now + SECOND / 2);
                sim_start(s);
                tell(s);
            } else if (from != to) {
                sim_send(s, from, to, 40 + (u32)(draw / 1000 % 3000));
            }
            step_until(s, s->now + draw / 5000 % (SECOND / 5));
        }
        sim_fault(s, 0, "clear");
        CHECK(settle(s));
        CHECK_EQ(s->violations, 0);
        sim_destroy(s);
    }
}

/* A machine's group is one of the addresses for many, and the same for everybody. */
static void test_addresses(void)
{
    u8 address[6];

    for (u32 g = 0; g < NET_GROUPS; g++) {
        net_group_address(address, g);
        CHECK(address[0] & 1 && !address_equal(address, frame_everybody));
        CHECK_EQ(net_group_of(address), g);
    }
    for (u64 k = 0; k < 1000; k++) {
        u64 any = keyed_random(7, 1, k);

        memcpy(address, &any, 6);
        CHECK(net_group_of(address) < NET_GROUPS);
    }
}

TESTS(CASE(test_a_crowd_wakes_one), CASE(test_whoever_is_looked_for_is_found),
      CASE(test_between_two_media), CASE(test_any_order), CASE(test_addresses))
