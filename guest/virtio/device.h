/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio 1.x device by its memory registers (linux/virtio_pci.h, struct
 * virtio_pci_common_cfg): from reset to running. Where the registers are is found by pci.h,
 * or told by the control domain to the driver domain it gave the device.
 */
#ifndef GUEST_VIRTIO_DEVICE_H
#define GUEST_VIRTIO_DEVICE_H

#include "guest/virtio/queue.h"

/* Machine addresses of a device's registers. */
struct virtio_place {
    u64 common, notify, isr, config;
    u64 multiplier; /* bytes between two queues' doorbells */
    u64 irq, type;  /* VIRTIO_ID_* */
    bool message;   /* it interrupts by its first message (message.h), not by a line */
};

struct virtio_device {
    struct virtio_place at;
    u64 features; /* agreed upon */
    const char *why;
};

static inline bool virtio_agreed(const struct virtio_device *d, u32 feature)
{
    return d->features >> feature & 1;
}

/* Reads the place from the store, below our own device/virtio/<function>. */
bool virtio_place_read(struct virtio_place *p, const char *function);

/* Makes the registers reachable, resets, and agrees upon those of `wanted` there are. False:
 * `why` says what is wrong. */
bool virtio_open(struct virtio_device *d, const struct virtio_place *p, u64 wanted);
/* Sets a queue up over a fresh page. */
bool virtio_queue_open(struct virtio_device *d, struct virtqueue *q, u16 index);
void virtio_run(struct virtio_device *d);
/* Stops it: it reaches no memory when this returns. */
void virtio_reset(const struct virtio_place *p);
/* Whether it has raised its interrupt line; asking lowers it. */
bool virtio_interrupted(const struct virtio_device *d);
u8 virtio_config8(const struct virtio_device *d, u32 offset);
u32 virtio_config32(const struct virtio_device *d, u32 offset);
u64 virtio_config64(const struct virtio_device *d, u32 offset);

/* The machine address of memory of ours: of `count` pages from `at` on. False: it cannot be had. */
bool virtio_dma(void *at, u32 count, u64 *address);

/* Our interrupt line; `fn` runs inside rt_wait and must end with virtio_irq_done. */
bool virtio_irq_bind(u64 irq, void (*fn)(void *arg, u32 port), void *arg);
void virtio_irq_done(u64 irq);

#endif
