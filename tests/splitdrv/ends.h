/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif's two ends on rings and pages of one test's memory.
 */
#ifndef TESTS_SPLITDRV_ENDS_H
#define TESTS_SPLITDRV_ENDS_H

#include "base/keyed.h"
#include "splitdrv/net.h"
#include "tests/check.h"
#include "tests/splitdrv/world.h"

enum { TX_PAGES = 64, RX_PAGES = 64, FIRST = 4 };

static struct netfront front;
static struct netback back;
static u8 *memory, *tx_ring, *rx_ring, *tx_pages, *rx_pages;
static u8 frame[NET_FRAME_MAX + 1], got[NET_FRAME_MAX + 1];

static inline void open_few(bool persistent)
{
    world_reset();
    memory = aligned_alloc(SPLIT_PAGE, (2 + TX_PAGES + RX_PAGES) * SPLIT_PAGE);
    memset(memory, 0xa5, (2 + TX_PAGES + RX_PAGES) * SPLIT_PAGE);
    tx_ring = memory;
    rx_ring = memory + SPLIT_PAGE;
    tx_pages = memory + 2 * SPLIT_PAGE;
    rx_pages = tx_pages + TX_PAGES * SPLIT_PAGE;
    CHECK(netfront_open(&front, 1, tx_ring, rx_ring, 1, 2, tx_pages, TX_PAGES, rx_pages,
                        RX_PAGES));
    netback_open(&back, 2, tx_ring, rx_ring, 3, 4, persistent);
    netfront_flush(&front);
}

/* With room for the largest frame and much to send, as after a while of that. */
static inline void open_both(bool persistent)
{
    open_few(persistent);
    front.tx_spare = 0;
    netfront_expect(&front, NET_SLOTS_MAX * SPLIT_PAGE);
    netfront_flush(&front);
}

static inline void close_both(void)
{
    netback_close(&back);
    CHECK(netfront_close(&front));
    CHECK_EQ(world_held(), 0);
    free(memory);
}

static inline void fill(u32 seed, size_t len)
{
    for (size_t i = 0; i < len; i++)
        frame[i] = (u8)keyed_random(seed, i / 8, 0);
}

#endif
