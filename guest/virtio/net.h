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
    u32 frame_max, pages; /* the longest frame, and how many pages of a slot it takes */
    u64 refused;          /* frames that were too long, too short, or found no room */
};

/* For frames of up to `frame_max` bytes. False: device.why says what is wrong. */
bool virtio_net_open(struct virtio_net *n, const struct virtio_place *p, u32 frame_max);
/* The address that the device has, or false: it says none. */
bool virtio_net_address(const struct virtio_net *n, u8 mac[6]);
/* The next frame that has come, copied to `frame`; its length, or 0: none. */
u32 virtio_net_take(struct virtio_net *n, void *frame, u32 room);
/* Sends a frame. False: no room now, or it is too long. */
bool virtio_net_put(struct virtio_net *n, const void *frame, u32 len);
/* Whether one more finds room; if not, the device interrupts when there is. */
bool virtio_net_room(struct virtio_net *n);
/* Whether no frame has come. */
bool virtio_net_idle(const struct virtio_net *n);
/* Tells the device what it was given. */
void virtio_net_flush(struct virtio_net *n);

#endif
