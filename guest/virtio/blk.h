/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-blk (linux/virtio_blk.h): requests over whole pages of ours, many at a time.
 */
#ifndef GUEST_VIRTIO_BLK_H
#define GUEST_VIRTIO_BLK_H

#include <linux/virtio_blk.h>
#include "guest/virtio/device.h"

enum { VIRTIO_BLK_PAGES = 32, VIRTIO_BLK_SLOTS = 32 };

struct virtio_blk {
    struct virtio_device device;
    struct virtqueue queue;
    u64 sectors; /* of 512 bytes */
    bool readonly, flushes, discards;
    u8 *page[VIRTIO_BLK_SLOTS]; /* header, status and descriptors of each request */
    u64 page_at[VIRTIO_BLK_SLOTS];
    void *cookie[VIRTIO_BLK_SLOTS];
};

/* False: device.why says what is wrong. */
bool virtio_blk_open(struct virtio_blk *b, const struct virtio_place *p);
/* Begins VIRTIO_BLK_T_IN, _OUT (whole sectors, `data` page-aligned, at most VIRTIO_BLK_PAGES),
 * _FLUSH or _DISCARD. False: no room now. */
bool virtio_blk_begin(struct virtio_blk *b, u32 type, u64 sector, u64 sectors, void *data,
                      void *cookie);
/* The next request that is done: 0, or a negative Xen errno. */
bool virtio_blk_end(struct virtio_blk *b, void **cookie, int *error);

#endif
