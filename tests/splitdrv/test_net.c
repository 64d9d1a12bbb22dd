/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netfront and netback against each other (H08, H09): frames of 14 bytes to 64 KB arrive intact with their
 * checksum flags, one kick per batch, indexes wrap at 2^32; buffers come as they are needed; after closing
 * nothing is held. Both with persistent grants and with grant copies.
 */
#include "splitdrv/aside.h"
#include "tests/splitdrv/ends.h"

static void test_all_sizes(void)
{
    static const size_t sizes[] = {14, 60, 1514, 4095, 4096, 4097, 8192, 65534, 65535};

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        for (u32 i = 0; i < 40 * ARRAY_SIZE(sizes); i++) {
            size_t len = sizes[i % ARRAY_SIZE(sizes)];
            u32 checksum = 99;

            fill(i, len);
            CHECK(netfront_put(&front, frame, len, i % 3));
            netfront_flush(&front);
            memset(got, 0, len);
            CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), len);
            CHECK(memcmp(frame, got, len) == 0);
            CHECK_EQ(checksum, i % 3);
            CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 0);
            CHECK(netback_put(&back, frame, len, SPLIT_CSUM_BLANK));
            netback_flush(&back);
            memset(got, 0, len);
            CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), len);
            CHECK(memcmp(frame, got, len) == 0);
            CHECK(checksum & SPLIT_CSUM_BLANK);
            netfront_flush(&front);
        }
        /* Persistent grants: mapped once each, never copied by the hypervisor. */
        if (persistent) {
            CHECK_EQ(world.copy_calls, 0);
            CHECK(world.map_calls <= TX_PAGES + RX_PAGES);
        } else {
            CHECK_EQ(world.map_calls, 0);
        }
        CHECK(!front.broken && !back.broken);
        close_both();
    }
}

/* All indexes of a ring, moved to a lap shortly before 2^32. */
#define LATE(tag)                               \
    do {                                        \
        front.tag.req_prod_pvt -= NET_RING;     \
        front.tag.rsp_cons -= NET_RING;         \
        front.tag.sring->req_prod -= NET_RING;  \
        front.tag.sring->rsp_prod -= NET_RING;  \
        front.tag.sring->req_event -= NET_RING; \
        front.tag.sring->rsp_event -= NET_RING; \
        back.tag.req_cons -= NET_RING;          \
        back.tag.rsp_prod_pvt -= NET_RING;      \
    } while (0)

static void test_wrap(void)
{
    u32 checksum;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        LATE(tx);
        LATE(rx);
        for (u32 i = 0; i < 2 * NET_RING; i++) {
            size_t len = i % 3 ? 100 : 9000; /* three slots, also across the wrap */

            fill(i, len);
            CHECK(netfront_put(&front, frame, len, 0));
            netfront_flush(&front);
            CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), len);
            CHECK(memcmp(frame, got, len) == 0);
            CHECK(netback_idle(&back));
            CHECK(netback_put(&back, got, len, 0));
            netback_flush(&back);
            memset(got, 0, len);
            CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), len);
            CHECK(memcmp(frame, got, len) == 0);
            CHECK(netfront_idle(&front));
            netfront_flush(&front);
        }
        CHECK(!front.broken && !back.broken);
        CHECK(front.tx.req_prod_pvt < 2000 && front.rx.rsp_cons < 2000);
        /* Each end slept between two frames: a kick for each. */
        CHECK_EQ(world.kicks[1], 2 * NET_RING);
        CHECK_EQ(world.kicks[4], 2 * NET_RING);
        close_both();
    }
}

static void test_one_kick_per_batch(void)
{
    u32 checksum, taken = 0;

    open_both(true);
    while (netback_take(&back, got, NET_FRAME_MAX, &checksum))
        ;
    CHECK(netback_idle(&back));
    world.kicks[1] = 0;
    for (u32 i = 0; i < 32; i++)
        CHECK(netfront_put(&front, frame, 64, 0));
    netfront_flush(&front);
    CHECK_EQ(world.kicks[1], 1);
    /* The back end is awake now: more of them need no kick. */
    for (u32 i = 0; i < 16; i++)
        CHECK(netfront_put(&front, frame, 64, 0));
    netfront_flush(&front);
    CHECK_EQ(world.kicks[1], 1);
    do {
        while (netback_take(&back, got, NET_FRAME_MAX, &checksum))
            taken++;
        netback_flush(&back);
    } while (!netback_idle(&back));
    CHECK_EQ(taken, 48);
    /* Nobody waits for the tx answers: no kick for them. */
    CHECK_EQ(world.kicks[3], 0);
    close_both();
}

/* An event is lost, and the event index holds back those that would follow (F10): what is not
 * taken between two prompts is told of again, what is taken is not. */
static void test_lost_kicks(void)
{
    u32 checksum;

    open_both(true);
    CHECK(netback_idle(&back) && netfront_idle(&front));
    world.kicks[1] = world.kicks[4] = 0;
    for (u32 i = 0; i < 4; i++) {
        netfront_put(&front, frame, 64, 0);
        netfront_flush(&front);
        CHECK_EQ(world.kicks[1], 1);
    }
    netfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 1);
    netfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 2);
    CHECK_EQ(front.stats.again, 1);
    for (u32 i = 0; i < 4; i++) {
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 64);
        CHECK(netback_put(&back, got, 64, 0));
        netback_flush(&back);
        CHECK_EQ(world.kicks[4], 1);
    }
    netfront_prompt(&front);
    CHECK_EQ(world.kicks[1], 2);
    netback_prompt(&back);
    CHECK_EQ(world.kicks[4], 1);
    netback_prompt(&back);
    CHECK_EQ(world.kicks[4], 2);
    CHECK_EQ(back.stats.again, 1);
    while (netfront_take(&front, got, NET_FRAME_MAX, &checksum))
        ;
    CHECK(netfront_idle(&front));
    netback_prompt(&back);
    CHECK_EQ(world.kicks[4], 2);
    close_both();
}

/* As many as the front end has buffers for. */
static u32 fill_back(void)
{
    u32 sent = 0;

    while (netback_room(&back, 4000)) {
        CHECK(netback_put(&back, frame, 4000, 0));
        sent++;
    }
    netback_flush(&back);
    return sent;
}

static void test_room_and_wake(void)
{
    u32 checksum, sent = 0, refused = 0;

    open_few(true);
    while (refused < 1000 && sent < TX_PAGES) { /* until all are used: 3, 7, 15, 31 */
        if (netfront_put(&front, frame, 4000, 0))
            sent++;
        else
            refused++;
        CHECK(sent > FIRST || refused < FIRST);
    }
    CHECK_EQ(refused, TX_PAGES - FIRST - 4);
    CHECK(!netfront_put(&front, frame, 4000, 0));
    netfront_flush(&front);
    for (u32 i = 0; i < sent; i++)
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 4000);
    netback_flush(&back);
    CHECK_EQ(world.kicks[3], 1);
    CHECK(netfront_room(&front, 4000));
    /* And the other way: no buffers, a promise of a kick, buffers again; who is met by that time and
     * again has twice as many, up to all there are. */
    for (u32 room = FIRST; room < RX_PAGES; room *= 2) {
        for (u32 times = 0; times < room; times++) {
            CHECK_EQ(fill_back(), room);
            for (u32 i = 0; i < room; i++)
                CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 4000);
            netfront_flush(&front);
        }
    }
    CHECK_EQ(fill_back(), RX_PAGES);
    CHECK(!netback_put(&back, frame, 64, 0));
    netback_flush(&back);
    world.kicks[2] = 0;
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 4000);
    netfront_flush(&front);
    CHECK_EQ(world.kicks[2], 1);
    CHECK(netback_room(&back, 4000));
    close_both();
}

/* Pages of `pages` that hold anything but what they began with. */
static u32 touched(const u8 *pages, u32 count)
{
    u32 sum = 0;

    for (u32 i = 0; i < count * SPLIT_PAGE; i++) {
        if (pages[i] != 0xa5) {
            sum++;
            i |= SPLIT_PAGE - 1;
        }
    }
    return sum;
}

/* Whoever is asked and answers, however often, needs few pages: they serve again (P27). */
static void test_few_pages_serve_again(void)
{
    u32 checksum;

    open_few(true);
    memset(frame, 0, 64);
    for (u32 i = 0; i < 200; i++) {
        CHECK(netfront_put(&front, frame, 64, 0));
        netfront_flush(&front);
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 64);
        CHECK(netback_put(&back, got, 64, 0));
        netback_flush(&back);
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 64);
    }
    CHECK_EQ(touched(tx_pages, TX_PAGES), FIRST);
    CHECK_EQ(touched(rx_pages, RX_PAGES), FIRST);
    /* Room for the largest frame is there, and asking for it takes nothing. */
    CHECK(netfront_room(&front, NET_FRAME_MAX));
    CHECK(netfront_put(&front, frame, 64, 0));
    CHECK(netfront_room(&front, NET_FRAME_MAX));
    CHECK_EQ(touched(tx_pages, TX_PAGES), FIRST);
    CHECK(netfront_put(&front, frame, NET_FRAME_MAX, 0));
    CHECK(!netfront_room(&front, 64));
    close_both();
}

/* A frame for which too little is posted: a front end that sleeps is woken, once, or by the next
 * prompt when that event was lost; one that is awake sees it before it sleeps. */
static void test_more_is_wished_for(void)
{
    enum { LARGE = 60000, SLOTS = 15 };
    u32 checksum;

    for (u32 asleep = 0; asleep < 2; asleep++) {
        open_few(true);
        CHECK(netback_put(&back, frame, 64, 0));
        netback_flush(&back);
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 64);
        CHECK(!asleep || netfront_idle(&front));
        world.kicks[2] = world.kicks[4] = 0;
        CHECK(!netback_room(&back, LARGE) && !netback_room(&back, LARGE));
        CHECK_EQ(world.kicks[4], asleep);
        netback_prompt(&back);
        CHECK(!netback_room(&back, LARGE));
        CHECK_EQ(world.kicks[4], 2 * asleep);
        CHECK(netfront_idle(&front));
        CHECK_EQ(world.kicks[2], 1); /* there are as many now */
        CHECK_EQ(front.rx.req_prod_pvt - front.rx.rsp_cons, SLOTS);
        CHECK(netback_room(&back, LARGE));
        close_both();
    }
}

/* Who would not say that it wants more is given it at once; nobody gets more than there is. */
static void test_frames_that_are_expected(void)
{
    open_few(true);
    netfront_expect(&front, 60000);
    netfront_flush(&front);
    CHECK(netback_room(&back, 60000));
    front.rx.sring->req_event = front.rx.req_prod_pvt + 0x40000000;
    CHECK(netfront_idle(&front));
    CHECK_EQ(front.rx.req_prod_pvt, RX_PAGES);
    CHECK(!front.broken);
    close_both();
}

/* Frames of 63 KiB take sixteen buffers, which are there when they were wished for; there are soon
 * as many as there can be. */
static void test_room_for_large_frames(void)
{
    enum { LARGE = 63 << 10 };
    u32 checksum, room[4];

    open_few(true);
    CHECK(!netback_room(&back, LARGE) && netfront_idle(&front));
    for (u32 i = 0; i < ARRAY_SIZE(room); i++) {
        for (room[i] = 0; netback_room(&back, LARGE); room[i]++)
            CHECK(netback_put(&back, frame, LARGE, 0));
        netback_flush(&back);
        for (u32 at = 0; at < room[i]; at++)
            CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), LARGE);
        netfront_flush(&front);
    }
    CHECK_EQ(room[0], 1);
    CHECK_EQ(room[1], 2);
    CHECK_EQ(room[2], 2);
    CHECK_EQ(room[3], 4);
    close_both();
}

static void test_mapped_pages_stay(void)
{
    u32 checksum;

    open_both(true);
    netfront_put(&front, frame, 200, 0);
    netfront_flush(&front);
    CHECK(netback_take(&back, got, NET_FRAME_MAX, &checksum));
    CHECK(!netfront_close(&front)); /* the back end still maps one */
    netback_close(&back);
    CHECK(netfront_close(&front));
    CHECK_EQ(world_held(), 0);
    free(memory);
}

/* Set aside until the back end has let go: the next set is lent meanwhile, and the first is used
 * again (H10). */
static void test_mapped_pages_come_back(void)
{
    struct aside first = {.rings = frame, .buffers = got}, none = {.count = 0};
    struct list sets;
    u32 checksum;

    list_init(&sets);
    CHECK(!aside_take(&sets));
    open_both(true);
    netfront_put(&front, frame, 200, 0);
    netfront_flush(&front);
    CHECK(netback_take(&back, got, NET_FRAME_MAX, &checksum));
    CHECK(!netfront_close(&front));
    CHECK(aside_add(&first, 0) && aside_add_pool(&first, &front.tx_pool) &&
          aside_add_pool(&first, &front.rx_pool));
    CHECK_EQ(first.count, 1); /* references that could be ended may be another's by now */
    CHECK(netfront_close(&front));
    list_push_back(&sets, &first.others);
    CHECK(!aside_take(&sets));
    list_push_back(&sets, &none.others);
    CHECK(aside_take(&sets) == &none); /* one that hangs does not hold the others up */
    CHECK(!aside_take(&sets));
    netback_close(&back);
    CHECK(aside_take(&sets) == &first && first.rings == frame && first.buffers == got);
    CHECK(list_empty(&sets));
    CHECK_EQ(world_held(), 0);
    for (u32 i = 0; i < ASIDE_GRANTS; i++)
        CHECK(aside_add(&first, 1));
    CHECK(!aside_add(&first, 1));
    free(memory);
}

TESTS(CASE(test_all_sizes), CASE(test_wrap), CASE(test_one_kick_per_batch),
      CASE(test_lost_kicks), CASE(test_room_and_wake), CASE(test_room_for_large_frames),
      CASE(test_few_pages_serve_again), CASE(test_more_is_wished_for),
      CASE(test_frames_that_are_expected), CASE(test_mapped_pages_stay),
      CASE(test_mapped_pages_come_back))
