/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network split driver, both ends (xen/io/netif.h): frames of up to 65,535 bytes in up
 * to 18 slots, extra-info slots, one kick per batch by event indexes, one or two event
 * channels. Pure but for splitdrv/platform.h; both ends take the other for hostile: every
 * index is read once and bounded, every slot copied before it is looked at. An end that
 * finds the ring impossible sets `broken` to a sentence and touches it no more.
 *
 * Call order for either end: take and put frames, then flush once; before sleeping ask
 * `_idle`, which arms the events and says whether something came in between.
 */
#ifndef SPLITDRV_NET_H
#define SPLITDRV_NET_H

#include "net/net.h"
#include "splitdrv/cache.h"
#include "splitdrv/pool.h"

enum { NET_FRAME_MAX = 65535, NET_SLOTS_MAX = XEN_NETIF_NR_SLOTS_MIN, NET_RING = 256 };

/* What a frame's checksum is: carried along, filled in where the frame leaves. */
enum split_checksum {
    SPLIT_CSUM_BLANK = 1, /* the transport checksum is not computed */
    SPLIT_CSUM_GOOD = 2,  /* the data has been validated */
};

struct split_net_stats {
    u64 frames_in, frames_out, bytes_in, bytes_out;
    u64 kicks;     /* notifications sent */
    u64 malformed; /* frames refused with an error response */
    u64 no_buffer; /* frames that found no room on the ring */
    u64 again;  /* of the kicks: for what the other end was told of before, and did not take */
    u64 copies; /* calls of the hypervisor to copy */
};

struct netback {
    domid_t peer;
    const char *broken;
    netif_tx_back_ring_t tx;
    netif_rx_back_ring_t rx;
    u32 tx_port, rx_port; /* equal when not split */
    bool persistent;
    bool tx_dirty, rx_dirty;
    RING_IDX rx_due;  /* what had been put there at the last prompt */
    RING_IDX rx_wish; /* the front end, which slept, has been told that so much is wanted */
    u64 groups[NET_GROUPS / 64]; /* that the front end wants (feature-multicast-control) */
    struct split_net_stats stats;
    struct cache tx_cache, rx_cache; /* last: netback_open */
};

/* The rings are the front end's pages, mapped; they need not be sane. *b is zero, or closed. */
void netback_open(struct netback *b, domid_t peer, void *tx_ring, void *rx_ring, u32 tx_port,
                  u32 rx_port, bool persistent);
void netback_close(struct netback *b);
/* The next frame that the front end sends: its length, 0 when there is none. `room` is to
 * be NET_FRAME_MAX; checksum gets enum split_checksum. Malformed frames are skipped. */
size_t netback_take(struct netback *b, void *frame, size_t room, u32 *checksum);
/* Gives a frame to the front end; false when it has posted too few buffers. */
bool netback_put(struct netback *b, const void *frame, size_t len, u32 checksum);
void netback_flush(struct netback *b);
/* True when there is nothing to take; a kick will come when there is. */
bool netback_idle(struct netback *b);
/* True when a frame of `len` bytes finds room; if not, a kick will come (if the front end
 * promised feature-rx-notify). A front end that sleeps is woken: ours posts few buffers, and
 * more as it finds them wanted. */
bool netback_room(struct netback *b, size_t len);
/* Now and then: kicks again when what was there at the last call has still not been taken. An
 * event can get lost, and the other end's index then holds all further kicks back. */
void netback_prompt(struct netback *b);

struct netfront {
    domid_t peer;
    const char *broken;
    netif_tx_front_ring_t tx;
    netif_rx_front_ring_t rx;
    u32 tx_port, rx_port;
    bool tx_dirty, rx_dirty;
    struct pool tx_pool, rx_pool;
    RING_IDX tx_due; /* what had been asked at the last prompt */
    u32 tx_spare;    /* pages of the pool not used yet: none is while others are answered */
    u32 rx_want;     /* buffers to have posted */
    u32 tx_full, rx_full;  /* how often that was too little since it last grew */
    u16 rx_slot[NET_RING]; /* id of the buffer posted at each place of the ring */
    struct split_net_stats stats;
};

/* The rings are pages of ours, already granted; buffers are lent here. tx_pages of at
 * least 16 carry the largest frames. Few of them are used at first. False: grants ran out. */
bool netfront_open(struct netfront *f, domid_t peer, void *tx_ring, void *rx_ring, u32 tx_port,
                   u32 rx_port, void *tx_pages, u32 tx_count, void *rx_pages, u32 rx_count);
/* Frames of `len` bytes are to be expected: for a back end that would not say that it wants more. */
void netfront_expect(struct netfront *f, size_t len);
/* False while the back end still maps buffers: keep them and try again. */
bool netfront_close(struct netfront *f);
/* False: no room now; a kick comes when there is. */
bool netfront_put(struct netfront *f, const void *frame, size_t len, u32 checksum);
/* Says that frames for this group of addresses are wanted; ff:ff:ff:ff:ff:ff, to ours: all. False: no
 * room now. */
bool netfront_group(struct netfront *f, const u8 address[6]);
size_t netfront_take(struct netfront *f, void *frame, size_t room, u32 *checksum);
void netfront_flush(struct netfront *f);
bool netfront_idle(struct netfront *f);
/* Takes back what was sent; true when a frame of `len` bytes finds room. */
bool netfront_room(struct netfront *f, size_t len);
/* When answers are overdue: kicks again when what was sent before the last call is not answered. */
void netfront_prompt(struct netfront *f);

#endif
