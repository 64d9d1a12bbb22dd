/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-net (linux/virtio_net.h): whole frames, in and out, over pages of ours; no checksums or
 * segments are left to the device.
 */
#ifndef GUEST_VIRTIO_NET_H
#define GUEST_VIRTIO_NET_H

#include <linux/virtio_net.h>
#include "guest/virtio/device.h"

enum { VIRTIO_NET_SLOTS = 16, VIRTIO_NET_PAGES = 17, VIRTIO_NET_FRAME = 65535 };

/* One direction: each slot has its pages, and a page with a descriptor of each, for good. */
struct virtio_net_way {
    struct virtqueue queue;
    u8 *pages[VIRTIO_NET_SLOTS];
    struct vring_desc *table[VIRTIO_NET_SLOTS];
    u64 table_at[VIRTIO_NET_SLOTS];
};

struct virtio_net {
    struct virtio_device device;
    struct virtio_net_way in, out;
    u64 refused; /* frames that were too long, too short, or found no room */
};

/* False: device.why says what is wrong. */
bool virtio_net_open(struct virtio_net *n, const struct virtio_place *p);
/* The next frame that has come, copied to `frame`; its length, or 0: none. */
u32 virtio_net_take(struct virtio_net *n, void *frame, u32 room);
/* Sends a frame. False: no room now, or it is too long. */
bool virtio_net_put(struct virtio_net *n, const void *frame, u32 len);
/* Tells the device what it was given. */
void virtio_net_flush(struct virtio_net *n);

#endif
