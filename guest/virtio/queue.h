/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One split virtqueue (virtio 1.1, 2.6; linux/virtio_ring.h). Each descriptor stands for one
 * buffer: its number is the buffer's, from putting it in to taking it back. Pure but for
 * virtio_kick. What the device says is bounded, as a ring's other end always is.
 */
#ifndef GUEST_VIRTIO_QUEUE_H
#define GUEST_VIRTIO_QUEUE_H

#include <linux/virtio_ring.h>
#include "base/types.h"

enum { QUEUE_SIZE = 64, QUEUE_PAGE = 4096 };

struct virtqueue {
    struct vring_desc *desc;
    struct vring_avail *avail;
    struct vring_used *used;
    u16 size, next_avail, last_used, told;
    u16 free[QUEUE_SIZE];
    u16 free_count;
    bool out[QUEUE_SIZE]; /* with the device */
    const char *broken;
    volatile u16 *doorbell;
    u16 index;
};

/* Where the parts lie in the page. */
enum { QUEUE_DESC = 0, QUEUE_AVAIL = 1024, QUEUE_USED = 2048 };

/* Over a zeroed page; `size`: a power of two, at most QUEUE_SIZE. */
void virtqueue_init(struct virtqueue *q, void *page, u16 size);
/* A free buffer number; false: all are with the device. */
bool virtqueue_slot(struct virtqueue *q, u16 *slot);
/* Gives the device `len` bytes at machine address `address`; flags VRING_DESC_F_WRITE (it
 * writes them) or _INDIRECT (they are descriptors). */
void virtqueue_put(struct virtqueue *q, u16 slot, u64 address, u32 len, u16 flags);
/* The next buffer the device is done with, free again, and how much it wrote. */
bool virtqueue_take(struct virtqueue *q, u16 *slot, u32 *len);
/* Whether nothing is there to be taken. */
bool virtqueue_idle(const struct virtqueue *q);
/* Whether the device is to interrupt for what it is done with, as it does at first. */
void virtqueue_listen(struct virtqueue *q, bool on);
/* Rings the doorbell if something was put in since, and the device wants to know. */
void virtqueue_flush(struct virtqueue *q);

/* Found by the linker. */
void virtio_kick(struct virtqueue *q);

#endif
