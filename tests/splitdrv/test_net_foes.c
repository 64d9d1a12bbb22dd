/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Netfront and netback against hostile rings (H08, H09): index jumps (F18), requests rewritten behind the
 * reader's back (F19), malformed chains (F20), absent buffers (F21) and bad references (F22) harm nobody;
 * after closing nothing is held.
 */
#include "tests/splitdrv/ends.h"

static void tx(u32 at, grant_ref_t ref, u32 offset, u32 flags, u32 size)
{
    struct netif_tx_request *r = RING_GET_REQUEST(&front.tx, at);

    *r = (struct netif_tx_request){ref, (u16)offset, (u16)flags, (u16)(1000 + at), (u16)size};
}

/* What the back end makes of `count` hand-made slots: lengths taken and error responses. */
static u32 offer(u32 count, u32 *frames)
{
    u32 checksum, errors = 0;

    *frames = 0;
    front.tx.sring->req_prod = count;
    while (netback_take(&back, got, NET_FRAME_MAX, &checksum))
        ++*frames;
    netback_flush(&back);
    for (u32 i = 0; i < front.tx.sring->rsp_prod; i++) {
        struct netif_tx_response *r = RING_GET_RESPONSE(&front.tx, i);
        errors += r->status == NETIF_RSP_ERROR;
        if (r->status != NETIF_RSP_NULL)
            CHECK_EQ(r->id, 1000 + i);
    }
    return errors;
}

static void test_malformed(void)
{
    static const struct {
        u32 slots, offset, flags, size; /* of the first; others follow plainly */
        u32 errors;
        bool broken;
        s32 bad_ref;
    } cases[] = {
        {1, 0, 0, 13, 1, false, 0}, /* shorter than an Ethernet header */
        {1, 0, 0, 0, 1, false, 0},
        {1, 4000, 0, 97, 1, false, 0}, /* crosses its page */
        {1, 65535, 0, 65535, 1, false, 0},
        {1, 0, 0, 100, 1, false, 99999}, /* bad reference */
        {1, 0, 0, 100, 1, false, -1},
        {2, 0, NETTXF_more_data, 100, 2, false, 0},     /* the rest alone is longer */
        {2, 0, NETTXF_more_data, 3000, 2, false, 0},    /* and as long: nothing is left */
        {19, 0, NETTXF_more_data, 65535, 19, false, 0}, /* chain too long */
        {200, 0, NETTXF_more_data, 65535, 200, false, 0},
        {1, 0, NETTXF_more_data, 100, 0, true, 0}, /* cut off */
        {1, 0, NETTXF_extra_info, 100, 0, true, 0},
    };

    for (u32 i = 0; i < ARRAY_SIZE(cases); i++) {
        u32 frames, errors;

        open_both(i % 2);
        for (u32 k = 0; k < cases[i].slots; k++)
            tx(k, cases[i].bad_ref ? (grant_ref_t)cases[i].bad_ref : front.tx_pool.ref[k % 64],
               k ? 0 : cases[i].offset,
               k ? (k + 1 < cases[i].slots ? NETTXF_more_data : 0u) : cases[i].flags,
               k ? 3000 : cases[i].size);
        errors = offer(cases[i].slots, &frames);
        CHECK_EQ(errors, cases[i].errors);
        CHECK_EQ(frames, 0);
        CHECK(!!back.broken == cases[i].broken);
        if (!back.broken) { /* the next frame goes through */
            tx(cases[i].slots, front.tx_pool.ref[0], 10, 0, 1514);
            offer(cases[i].slots + 1, &frames);
            CHECK_EQ(frames, 1);
        }
        close_both();
    }
}

/* As many slots as a chain may have, and slots that share a page. */
static void test_longest_chains(void)
{
    u32 frames, checksum;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        for (u32 i = 0; i < NET_SLOTS_MAX; i++)
            tx(i, front.tx_pool.ref[i], i, i + 1 < NET_SLOTS_MAX ? NETTXF_more_data : 0,
               i ? 100 : 100 * NET_SLOTS_MAX);
        for (u32 i = 0; i < NET_SLOTS_MAX; i++)
            memset(pool_page(&front.tx_pool, i) + i, (int)i + 1, 100);
        front.tx.sring->req_prod = NET_SLOTS_MAX;
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 100 * NET_SLOTS_MAX);
        for (u32 i = 0; i < 100 * NET_SLOTS_MAX; i++)
            CHECK_EQ(got[i], i / 100 + 1);
        tx(18, front.tx_pool.ref[0], 0, NETTXF_more_data,
           200); /* parts of one page, overlapping */
        tx(19, front.tx_pool.ref[0], 50, 0, 100);
        tx(20, front.tx_pool.ref[0], 0, NETTXF_more_data,
           65535); /* more by 4,096 than it says */
        for (u32 i = 21; i < 37; i++)
            tx(i, front.tx_pool.ref[0], 0, i < 36 ? NETTXF_more_data : 0, 4096);
        tx(37, front.tx_pool.ref[0], 0, 0, 60);
        front.tx.sring->req_prod = 38;
        for (u32 i = 0; i < SPLIT_PAGE; i++)
            pool_page(&front.tx_pool, 0)[i] = (u8)i;
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 200);
        CHECK(got[99] == 99 && got[100] == 50 && got[199] == 149);
        CHECK_EQ(offer(38, &frames), 17);
        CHECK_EQ(frames, 1);
        CHECK(!back.broken);
        close_both();
    }
}

static void test_extra_info(void)
{
    u32 frames;
    struct netif_extra_info e = {.type = XEN_NETIF_EXTRA_TYPE_GSO,
                                 .flags = XEN_NETIF_EXTRA_FLAG_MORE};

    open_both(true);
    tx(0, front.tx_pool.ref[0], 0, NETTXF_extra_info | NETTXF_more_data, 2000);
    memcpy(RING_GET_REQUEST(&front.tx, 1), &e, sizeof(e));
    e = (struct netif_extra_info){.type = XEN_NETIF_EXTRA_TYPE_HASH};
    memcpy(RING_GET_REQUEST(&front.tx, 2), &e, sizeof(e));
    tx(3, front.tx_pool.ref[1], 0, 0, 1000);
    tx(4, front.tx_pool.ref[2], 0, 0, 60); /* an ordinary frame behind it */
    CHECK_EQ(offer(5, &frames), 2);
    CHECK_EQ(frames, 1);
    CHECK_EQ(front.tx.sring->rsp_prod, 5);
    CHECK_EQ(RING_GET_RESPONSE(&front.tx, 1)->status, NETIF_RSP_NULL);
    tx(5, front.tx_pool.ref[0], 0, NETTXF_more_data, 300);
    tx(6, front.tx_pool.ref[1], 0, NETTXF_more_data, 0); /* a fragment of nothing */
    tx(7, front.tx_pool.ref[2], 0, 0, 100);
    tx(8, front.tx_pool.ref[2], 0, 0, 60);
    CHECK_EQ(offer(9, &frames), 2 + 3);
    CHECK(frames == 1 && !back.broken);
    tx(9, front.tx_pool.ref[0], 0, NETTXF_extra_info, 300);
    e = (struct netif_extra_info){.type = XEN_NETIF_EXTRA_TYPE_MAX};
    memcpy(RING_GET_REQUEST(&front.tx, 10), &e, sizeof(e));
    offer(11, &frames);
    CHECK(!frames && back.broken); /* what a slot of an unknown type may be nobody can say */
    close_both();
}

static void test_index_jumps(void)
{
    static const u32 jumps[] = {257, 1000, 0x80000000u, 0xffffffffu};
    u32 checksum;

    for (u32 i = 0; i < ARRAY_SIZE(jumps); i++) {
        open_both(true);
        front.tx.sring->req_prod += jumps[i];
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 0);
        CHECK(back.broken);
        CHECK(!netback_put(&back, frame, 64, 0));
        netback_flush(&back);
        CHECK(netback_idle(&back));
        close_both();

        open_both(true);
        front.rx.sring->req_prod += jumps[i];
        if (jumps[i] != 0xffffffffu) { /* one back is a promise withdrawn, no more */
            CHECK(!netback_put(&back, frame, 64, 0));
            CHECK(back.broken);
        }
        close_both();

        open_both(true);
        front.tx.sring->rsp_prod += jumps[i];
        while (netfront_put(&front, frame, 4096, 0))
            ;
        CHECK(front.broken);
        close_both();

        open_both(true);
        front.rx.sring->rsp_prod += jumps[i];
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
        CHECK(front.broken);
        close_both();
    }
}

static void rx(u32 at, u32 id, u32 offset, u32 flags, s32 status)
{
    struct netif_rx_response *r = RING_GET_RESPONSE(&front.rx, at);

    *r = (struct netif_rx_response){(u16)id, (u16)offset, (u16)flags, (s16)status};
    front.rx.sring->rsp_prod = at + 1;
}

/* Extra info that a back end sends unasked: its frame is dropped whole, the buffers whose places
 * it took are posted again, and what comes next is whole. */
static void test_extra_info_from_the_back(void)
{
    struct netif_extra_info e = {.type = XEN_NETIF_EXTRA_TYPE_GSO};
    u32 checksum, at = 0, buffers;

    open_both(true);
    buffers = front.rx_pool.free + (front.rx.req_prod_pvt - front.rx.rsp_cons);
    for (u32 round = 0; round < 3 * NET_RING; round++) {
        u32 extras = 1 + round % 3, more = round % 2 ? NETRXF_more_data : 0;

        rx(at, front.rx_slot[at % NET_RING], 0, NETRXF_extra_info | more, 100);
        for (u32 i = 0; i < extras; i++) {
            e.flags = i + 1 < extras ? XEN_NETIF_EXTRA_FLAG_MORE : 0;
            rx(at + 1 + i, 0, 0, 0, 0);
            memcpy(RING_GET_RESPONSE(&front.rx, at + 1 + i), &e, sizeof(e));
        }
        at += 1 + extras;
        if (more) {
            rx(at, front.rx_slot[at % NET_RING], 0, 0, 100);
            at++;
        }
        rx(at, front.rx_slot[at % NET_RING], 0, 0, 50);
        at++;
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 50);
        CHECK_EQ(front.stats.malformed, round + 1);
        CHECK_EQ(front.rx_pool.free + (front.rx.req_prod_pvt - front.rx.rsp_cons), buffers);
        netfront_flush(&front);
    }
    CHECK(!front.broken);
    rx(at, front.rx_slot[at % NET_RING], 0, NETRXF_extra_info, 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken); /* announced, and missing */
    close_both();

    open_both(true);
    rx(0, front.rx_slot[0], 0, NETRXF_extra_info, 100);
    e.flags = XEN_NETIF_EXTRA_FLAG_MORE; /* without end */
    rx(1, 0, 0, 0, 0);
    memcpy(RING_GET_RESPONSE(&front.rx, 1), &e, sizeof(e));
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken);
    close_both();
}

static void test_hostile_back(void)
{
    u32 checksum, id;

    open_both(true); /* a response for a buffer posted elsewhere */
    id = front.rx_slot[1];
    rx(0, id, 0, 0, 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken);
    close_both();

    open_both(true); /* a replayed one: the buffer is ours again, or posted in another place */
    id = front.rx_slot[0];
    rx(0, id, 0, 0, 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 100);
    rx(1, id, 0, 0, 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken);
    close_both();

    open_both(true); /* the ring said again from its beginning */
    rx(0, front.rx_slot[0], 0, 0, 100);
    rx(1, front.rx_slot[1], 0, 0, 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 100);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 100);
    front.rx.sring->rsp_prod = 1;
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken);
    close_both();

    open_both(true); /* sizes and offsets beyond the page are dropped, the buffer reposted */
    rx(0, front.rx_slot[0], 4000, 0, 97);
    rx(1, front.rx_slot[1], 0, 0, 4097);
    rx(2, front.rx_slot[2], 0, 0, -1);
    rx(3, front.rx_slot[3], 0, 0, 0);
    rx(4, front.rx_slot[4], 0, 0, 50);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 50);
    CHECK_EQ(front.stats.malformed, 4);
    rx(5, front.rx_slot[5], 0, NETRXF_more_data, 100); /* a part of nothing spoils the whole */
    rx(6, front.rx_slot[6], 0, NETRXF_more_data, 0);
    rx(7, front.rx_slot[7], 0, 0, 100);
    rx(8, front.rx_slot[8], 0, 0, 60);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 60);
    CHECK_EQ(front.stats.malformed, 5);
    CHECK(!front.broken);
    close_both();

    open_both(true); /* more than a frame can be, once there are so many buffers */
    netfront_expect(&front, 2 * NET_SLOTS_MAX * SPLIT_PAGE);
    for (u32 i = 0; i < 20; i++)
        rx(i, front.rx_slot[i], 0, i < 19 ? NETRXF_more_data : 0, 4096);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(!front.broken);
    close_both();

    open_both(true); /* a chain that never ends */
    rx(0, front.rx_slot[0], 0, NETRXF_more_data, 4096);
    CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 0);
    CHECK(front.broken);
    close_both();

    for (u32 twice = 0; twice < 2; twice++) { /* tx answers for what was not asked, and twice */
        u32 answers = 1 + twice, put = 2;

        open_both(true);
        CHECK(netfront_put(&front, frame, 64, 0));
        CHECK(netfront_put(&front, frame, 64, 0));
        id = RING_GET_REQUEST(&front.tx, 0)->id;
        for (u32 i = 0; i < answers; i++)
            *RING_GET_RESPONSE(&front.tx, i) = (struct netif_tx_response){twice ? (u16)id : 200,
                                                                          NETIF_RSP_OKAY};
        front.tx.sring->rsp_prod = answers;
        while (netfront_put(&front, frame, 4096, 0))
            put++;
        CHECK(front.broken && put == TX_PAGES);
        close_both();
    }
}

/* Two buffers that are one page: what arrives in the one is lost by the other, and by nobody else. */
static void test_buffers_that_overlap(void)
{
    u32 checksum;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        RING_GET_REQUEST(&front.rx, 1)->gref = RING_GET_REQUEST(&front.rx, 0)->gref;
        for (u32 i = 0; i < 3; i++) {
            memset(frame, (int)i + 1, 200);
            CHECK(netback_put(&back, frame, 200, 0));
        }
        netback_flush(&back);
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 200);
        CHECK(got[0] == 2 && got[199] == 2);
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 200);
        CHECK(got[0] == 0xa5 && got[199] == 0xa5); /* as it was before anything arrived */
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 200);
        CHECK(got[0] == 3 && got[199] == 3);
        CHECK(!front.broken && !back.broken);
        close_both();
    }
}

/* The peer rewrites the request at the moment its page is asked for (F19, XSA-155). */
static void rewrite(void)
{
    struct netif_tx_request *r = RING_GET_REQUEST(&front.tx, 0);

    r->size = 65535;
    r->offset = 4095;
    r->flags = NETTXF_more_data;
    front.tx.sring->req_prod = 0x7fffffff;
}

static void test_double_fetch(void)
{
    u32 checksum;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        fill(5, 200);
        netfront_put(&front, frame, 200, 0);
        netfront_flush(&front);
        world.meddle = rewrite;
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 200);
        CHECK(memcmp(frame, got, 200) == 0);
        CHECK_EQ(netback_take(&back, got, NET_FRAME_MAX, &checksum), 0);
        CHECK(back.broken);
        close_both();
    }
}

/* And the buffer that it posted, while a frame is put into it. */
static void rewrite_buffer(void)
{
    *RING_GET_REQUEST(&front.rx, 0) = (struct netif_rx_request){.id = 77, .gref = 99999};
}

static void test_double_fetch_of_buffers(void)
{
    u32 checksum;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        fill(6, 9000);
        world.meddle = rewrite_buffer;
        CHECK(netback_put(&back, frame, 9000, 0));
        world.meddle = NULL;
        netback_flush(&back);
        CHECK_EQ(netfront_take(&front, got, NET_FRAME_MAX, &checksum), 9000);
        CHECK(memcmp(frame, got, 9000) == 0);
        CHECK(!front.broken && !back.broken);
        close_both();
    }
}

static void test_failing_hypervisor(void)
{
    u32 checksum, arrived = 0;

    for (u32 persistent = 0; persistent < 2; persistent++) {
        open_both(persistent);
        world.fail_every = 3;
        for (u32 i = 0; i < 1000; i++) {
            if (!netfront_put(&front, frame, 5000, 0))
                break;
            netfront_flush(&front);
            arrived += netback_take(&back, got, NET_FRAME_MAX, &checksum) != 0;
            netback_put(&back, frame, 5000, 0);
            netback_flush(&back);
            netfront_take(&front, got, NET_FRAME_MAX, &checksum);
            netfront_flush(&front);
        }
        CHECK(!front.broken && !back.broken);
        close_both();
    }
    CHECK(arrived > 500);
}

TESTS(CASE(test_malformed), CASE(test_longest_chains), CASE(test_extra_info),
      CASE(test_index_jumps), CASE(test_extra_info_from_the_back), CASE(test_hostile_back),
      CASE(test_buffers_that_overlap), CASE(test_double_fetch),
      CASE(test_double_fetch_of_buffers), CASE(test_failing_hypervisor))
