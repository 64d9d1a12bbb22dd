/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A front end says which groups of addresses it wants (feature-multicast-control of
 * xen/io/netif.h): what the back end makes of that, between frames, when the ring is full, and of
 * front ends that say it otherwise than they should.
 */
#include "net/frame.h"
#include "tests/splitdrv/ends.h"

static bool wanted(u32 group)
{
    return net_group_in(back.groups, group);
}

static u32 count(void)
{
    u32 sum = 0;

    for (u32 g = 0; g < NET_GROUPS; g++)
        sum += wanted(g);
    return sum;
}

static size_t take(void)
{
    u32 checksum;
    size_t len;

    netfront_flush(&front);
    len = netback_take(&back, got, sizeof(got), &checksum);
    netback_flush(&back);
    return len;
}

static void test_between_frames(void)
{
    u8 address[6];

    open_few(true);
    CHECK_EQ(count(), 0);
    for (u32 i = 0; i < 3 * NET_RING; i++) {
        net_group_address(address, i % NET_GROUPS);
        CHECK(netfront_group(&front, address));
        CHECK(netfront_put(&front, frame, 60 + i, 0));
        CHECK_EQ(take(), 60 + i);
        CHECK(wanted(i % NET_GROUPS) && !back.broken && !front.broken);
        CHECK_EQ(take(), 0);
    }
    CHECK_EQ(count(), 3 * NET_RING);
    CHECK_EQ(back.stats.malformed, 0);
    CHECK(netfront_group(&front, frame_everybody));
    CHECK_EQ(take(), 0);
    CHECK_EQ(count(), NET_GROUPS);
    netback_open(&back, 2, tx_ring, memory + SPLIT_PAGE, 3, 4, true);
    CHECK_EQ(count(), 0); /* another connection */
    close_both();
}

/* What finds no room is said later; nothing is lost, and nothing is lent for it. */
static void test_no_room(void)
{
    u8 address[6];
    u32 said = 0;

    open_few(true);
    for (u32 round = 0; said < NET_GROUPS; round++) {
        CHECK(round < NET_GROUPS);
        while (said < NET_GROUPS) {
            net_group_address(address, said);
            if (!netfront_group(&front, address))
                break;
            said++;
        }
        CHECK_EQ(take(), 0);
        CHECK(!front.broken && !back.broken);
    }
    CHECK_EQ(count(), NET_GROUPS);
    close_both();
}

static void request(RING_IDX at, u16 flags, u16 size)
{
    *RING_GET_REQUEST(&front.tx, at) = (struct netif_tx_request){
        .gref = front.tx_pool.ref[at % TX_PAGES], .flags = flags, .id = (u16)at, .size = size};
}

static void extra(RING_IDX at, u8 type, u8 flags)
{
    struct netif_extra_info e = {
        .type = type, .flags = flags, .u.mcast.addr = {3, 5, 0, 0, 0, 9}};

    memcpy(RING_GET_REQUEST(&front.tx, at), &e, sizeof(e));
}

/* Offers requests up to `prod`; the responses that have come. */
static RING_IDX offer(RING_IDX prod)
{
    u32 checksum;

    front.tx.sring->req_prod = prod;
    while (netback_take(&back, got, sizeof(got), &checksum))
        ;
    netback_flush(&back);
    return front.tx.sring->rsp_prod;
}

static void test_said_otherwise(void)
{
    open_few(true);
    request(0, NETTXF_extra_info, 0); /* no longer wanted: it may come all the same */
    extra(1, XEN_NETIF_EXTRA_TYPE_MCAST_DEL, 0);
    CHECK_EQ(offer(2), 2);
    CHECK_EQ(RING_GET_RESPONSE(&front.tx, 0)->status, NETIF_RSP_OKAY);
    CHECK_EQ(RING_GET_RESPONSE(&front.tx, 1)->status, NETIF_RSP_NULL);
    request(2, NETTXF_extra_info, 0); /* two at once: the header knows none such */
    extra(3, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, XEN_NETIF_EXTRA_FLAG_MORE);
    extra(4, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0);
    CHECK_EQ(offer(5), 5);
    CHECK_EQ(RING_GET_RESPONSE(&front.tx, 2)->status, NETIF_RSP_ERROR);
    request(5, NETTXF_extra_info | NETTXF_more_data, 200); /* with a frame's rest behind it */
    extra(6, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0);
    request(7, 0, 100);
    CHECK_EQ(offer(8), 8);
    CHECK_EQ(RING_GET_RESPONSE(&front.tx, 5)->status, NETIF_RSP_ERROR);
    CHECK_EQ(count(), 0);
    request(8, NETTXF_extra_info, 60); /* a frame that bears it is none: so says the header */
    extra(9, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0);
    CHECK_EQ(offer(10), 10);
    CHECK_EQ(back.stats.frames_in, 0);
    CHECK(wanted(9) && count() == 1 && !back.broken);
    request(10, NETTXF_extra_info, 0); /* announced, and missing */
    offer(11);
    CHECK(back.broken);
    close_both();
}

/* Nobody keeps the back end for ever by saying it again and again. */
static void test_without_end(void)
{
    u32 checksum;

    open_few(true);
    for (u32 i = 0; i < NET_RING; i += 2) {
        request(i, NETTXF_extra_info, 0);
        extra(i + 1, XEN_NETIF_EXTRA_TYPE_MCAST_ADD, 0);
    }
    front.tx.sring->req_prod = NET_RING;
    CHECK_EQ(netback_take(&back, got, sizeof(got), &checksum), 0);
    CHECK(back.tx.req_cons == NET_RING && !back.broken);
    CHECK_EQ(count(), 1);
    close_both();
}

TESTS(CASE(test_between_frames), CASE(test_no_room), CASE(test_said_otherwise),
      CASE(test_without_end))
