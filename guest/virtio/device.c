/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of a virtio device. They are little-endian, and so are we.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include "base/format.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/virtio/device.h"

typedef volatile struct virtio_pci_common_cfg common_cfg;

static common_cfg *common(const struct virtio_place *p)
{
    return rt_at(p->common);
}

bool virtio_place_read(struct virtio_place *p, const char *function)
{
    const struct {
        const char *key;
        u64 *value;
    } keys[] = {{"common", &p->common},        {"notify", &p->notify}, {"isr", &p->isr},
                {"config", &p->config},        {"irq", &p->irq},       {"type", &p->type},
                {"multiplier", &p->multiplier}};
    char path[64];

    for (u32 i = 0; i < ARRAY_SIZE(keys); i++) {
        format(path, sizeof(path), "device/virtio/%s/%s", function, keys[i].key);
        if (rt_store_number(0, path, keys[i].value) < 0)
            return false;
    }
    return true;
}

static bool reach(u64 at)
{
    return rt_map_range(at & ~4095ull, 2 * 4096, true);
}

void virtio_reset(const struct virtio_place *p)
{
    if (!reach(p->common))
        return;
    common(p)->device_status = 0;
    while (common(p)->device_status)
        ;
}

static u64 offered(common_cfg *c)
{
    u64 features = 0;

    for (u32 half = 0; half < 2; half++) {
        c->device_feature_select = half;
        features |= (u64)c->device_feature << 32 * half;
    }
    return features;
}

static void choose(common_cfg *c, u64 features)
{
    for (u32 half = 0; half < 2; half++) {
        c->guest_feature_select = half;
        c->guest_feature = (u32)(features >> 32 * half);
    }
}

static bool fail(struct virtio_device *d, const char *why)
{
    d->why = why;
    return false;
}

bool virtio_open(struct virtio_device *d, const struct virtio_place *p, u64 wanted)
{
    common_cfg *c = common(p);

    *d = (struct virtio_device){.at = *p};
    if (rt_host() == RT_NATIVE && !p->message) /* whose lines nobody has routed */
        return fail(d, "it sends no messages for interrupts, or there are too many devices");
    if (!reach(p->common) || !reach(p->notify) || !reach(p->isr) || !reach(p->config))
        return fail(d, "no tables for its registers");
    virtio_reset(p);
    c->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
    c->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;
    d->features = offered(c) & (wanted | 1ull << VIRTIO_F_VERSION_1);
    if (!virtio_agreed(d, VIRTIO_F_VERSION_1))
        return fail(d, "it is older than virtio 1.0");
    choose(c, d->features);
    c->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                       VIRTIO_CONFIG_S_FEATURES_OK;
    if (!(c->device_status & VIRTIO_CONFIG_S_FEATURES_OK))
        return fail(d, "it does not take the features it offered");
    return true;
}

bool virtio_queue_open(struct virtio_device *d, struct virtqueue *q, u16 index)
{
    common_cfg *c = common(&d->at);
    u8 *page = rt_frames(1);
    u64 at;
    u16 size;

    if (!page || !virtio_dma(page, 1, &at))
        return fail(d, "no memory for a queue");
    c->queue_select = index;
    size = MIN(c->queue_size, (u16)QUEUE_SIZE);
    if (!size || size & (size - 1))
        return fail(d, "it has no such queue");
    virtqueue_init(q, page, size);
    q->index = index;
    q->doorbell = rt_at(d->at.notify + c->queue_notify_off * d->at.multiplier);
    c->queue_size = size;
    if (d->at.message)
        c->queue_msix_vector = 0;
    c->queue_desc_lo = (u32)(at + QUEUE_DESC);
    c->queue_desc_hi = (u32)(at >> 32);
    c->queue_avail_lo = (u32)(at + QUEUE_AVAIL);
    c->queue_avail_hi = (u32)(at >> 32);
    c->queue_used_lo = (u32)(at + QUEUE_USED);
    c->queue_used_hi = (u32)(at >> 32);
    c->queue_enable = 1;
    return true;
}

void virtio_kick(struct virtqueue *q)
{
    *q->doorbell = q->index;
}

void virtio_run(struct virtio_device *d)
{
    common(&d->at)->device_status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
                                    VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK;
}

bool virtio_interrupted(const struct virtio_device *d)
{
    return *(volatile u8 *)rt_at(d->at.isr) != 0;
}

u8 virtio_config8(const struct virtio_device *d, u32 offset)
{
    return *(volatile u8 *)rt_at(d->at.config + offset);
}

u32 virtio_config32(const struct virtio_device *d, u32 offset)
{
    return *(volatile u32 *)rt_at(d->at.config + offset);
}

/* The device may change it between the halves; its generation says so. */
u64 virtio_config64(const struct virtio_device *d, u32 offset)
{
    common_cfg *c = common(&d->at);
    u64 value;
    u8 before;

    do {
        before = c->config_generation;
        value = virtio_config32(d, offset) | (u64)virtio_config32(d, offset + 4) << 32;
    } while (c->config_generation != before);
    return value;
}
