/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenbus handshake (H10, F09): both tables against each other, stepping in any order,
 * reach Connected from every pair of states; the states passed are Xen's 1 2 3 4 5 6; a
 * restart of either side at any edge, with or without goodbye, ends connected again with
 * what was lent let go first; a device taken offline ends closed.
 */
#include "base/keyed.h"
#include "splitdrv/bus.h"
#include "tests/check.h"

struct pair {
    XenbusState state[2];
    bool online, eager;  /* `eager`: of the front end */
    u32 lent, connected; /* balance of BUS_LEND / BUS_CONNECT against BUS_STOP */
    u32 generation[2];   /* which rings each side is on */
    u32 rings, offers;
    char passed[2][64];
};

static void step(struct pair *p, u32 side)
{
    XenbusState own = p->state[side];
    XenbusState other = bus_said(p->state[1 - side], side && p->eager);
    struct bus_step s = bus_next(side ? BUS_BACK : BUS_FRONT, own, other, p->online);
    size_t len = strlen(p->passed[side]);

    switch (s.action) {
    case BUS_OFFER: p->offers++; break;
    case BUS_LEND:
        CHECK_EQ(p->lent, 0);
        p->lent = 1;
        p->generation[0] = ++p->rings;
        break;
    case BUS_CONNECT:
        CHECK_EQ(p->connected, 0);
        p->connected = 1;
        p->generation[1] = p->rings;
        break;
    case BUS_STOP:
        if (side)
            p->connected = 0;
        else
            p->lent = 0;
        break;
    case BUS_RUN: CHECK_EQ(p->lent, 1); break;
    case BUS_NOTHING: break;
    }
    p->state[side] = s.next;
    if (s.next != own && len + 1 < sizeof(p->passed[0]))
        p->passed[side][len] = (char)('0' + s.next);
}

static bool connected(const struct pair *p)
{
    return p->state[0] == XenbusStateConnected && p->state[1] == XenbusStateConnected &&
           p->lent && p->connected && p->generation[0] == p->generation[1];
}

/* The rows above allow neither side to know that rings it lent were never taken. */
static void fresh(struct pair *p, u32 side, XenbusState s)
{
    p->state[side] = s;
    if (side)
        p->connected = 0;
    else
        p->lent = 0;
}

static void settle(struct pair *p, u64 seed, u32 steps)
{
    for (u32 i = 0; i < steps; i++)
        step(p, (u32)keyed_below(seed, 1, i, 2));
}

static void test_plain(void)
{
    struct pair p = {.state = {1, 1}, .online = true};

    settle(&p, 1, 50);
    CHECK(connected(&p));
    CHECK(strcmp(p.passed[0], "34") == 0);
    CHECK(strcmp(p.passed[1], "24") == 0);
    p.online = false; /* the toolstack takes it away */
    settle(&p, 2, 50);
    CHECK_EQ(p.state[0], XenbusStateClosed);
    CHECK_EQ(p.state[1], XenbusStateClosed);
    CHECK_EQ(p.lent + p.connected, 0);
    p.online = true;
    settle(&p, 3, 50);
    CHECK(connected(&p));
}

static void test_restarts(void)
{
    for (u64 seed = 1; seed <= 20000; seed++) {
        struct pair p = {.state = {1, 1}, .online = true, .eager = seed % 2};

        for (u32 round = 0; round < 3; round++) {
            u32 side = (u32)keyed_below(seed, 2, round, 2);

            settle(&p, seed * 8 + round, (u32)keyed_below(seed, 3, round, 12));
            /* It died; the toolstack wrote state 1 anew, or its node was gone for a while. */
            fresh(&p, side,
                  keyed_below(seed, 4, round, 2) ? XenbusStateInitialising
                                                 : XenbusStateUnknown);
        }
        settle(&p, seed * 8 + 7, 60);
        if (!connected(&p)) {
            printf("seed %llu: %d %d after %s and %s\n", (unsigned long long)seed, p.state[0],
                   p.state[1], p.passed[0], p.passed[1]);
            CHECK(false);
            return;
        }
    }
}

/* A front end that goes from 1 to 4 at once, as Linux's netfront does. */
static void test_linux_front(void)
{
    struct pair p = {.state = {1, 1}, .online = true};

    step(&p, 1);
    CHECK_EQ(p.state[1], XenbusStateInitWait);
    p.state[0] = XenbusStateConnected;
    p.lent = p.rings = 1;
    step(&p, 1);
    CHECK_EQ(p.state[1], XenbusStateConnected);
    p.state[0] = XenbusStateClosing;
    step(&p, 1);
    CHECK_EQ(p.state[1], XenbusStateClosing);
    CHECK_EQ(p.connected, 0);
    p.state[0] = XenbusStateClosed;
    step(&p, 1);
    CHECK_EQ(p.state[1], XenbusStateClosed);
}

/* A back end that looks at rings only once it reads Connected, as Linux's netback does. */
static void test_linux_back(void)
{
    struct pair p = {.state = {1, XenbusStateInitWait}, .online = true, .eager = true};

    step(&p, 0);
    CHECK_EQ(p.lent, 1);
    CHECK_EQ(p.state[0], XenbusStateInitialised);
    CHECK_EQ(bus_said(p.state[0], true), XenbusStateConnected);
    CHECK_EQ(bus_said(p.state[0], false), XenbusStateInitialised);
    step(&p, 0); /* and does not take itself for connected before the other says so */
    CHECK_EQ(p.state[0], XenbusStateInitialised);
    p.state[1] = XenbusStateConnected;
    step(&p, 0);
    CHECK_EQ(p.state[0], XenbusStateConnected);
}

static void test_every_pair_is_defined(void)
{
    for (u32 side = 0; side < 2; side++) {
        for (u32 own = 0; own <= 8; own++) {
            for (u32 other = 0; other <= 8; other++) {
                for (u32 online = 0; online < 2; online++) {
                    struct bus_step s = bus_next(side, own, other, online);
                    CHECK(s.next <= 8);
                    CHECK(s.action == BUS_NOTHING || s.next != own);
                }
            }
        }
    }
}

TESTS(CASE(test_plain), CASE(test_restarts), CASE(test_linux_front), CASE(test_linux_back),
      CASE(test_every_pair_is_defined))
