/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame is one indirect buffer: a header of zeros, and the frame behind it, over the pages of
 * its slot.
 */
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/virtio/net.h"

enum { PAGE = 4096, HEADER = sizeof(struct virtio_net_hdr_v1), QUEUE_IN = 0, QUEUE_OUT = 1 };

_Static_assert(HEADER + VIRTIO_NET_FRAME <= VIRTIO_NET_PAGES * PAGE, "a frame fits its pages");

/* A slot's pages and the table of them. */
static bool make_slot(struct virtio_net_way *w, u32 slot)
{
    u64 at[VIRTIO_NET_PAGES];

    w->pages[slot] = rt_frames(VIRTIO_NET_PAGES);
    w->table[slot] = rt_frames(1);
    if (!w->table[slot] || !w->pages[slot] ||
        !virtio_dma(w->pages[slot], VIRTIO_NET_PAGES, at) ||
        !virtio_dma(w->table[slot], 1, &w->table_at[slot]))
        return false;
    for (u32 i = 0; i < VIRTIO_NET_PAGES; i++)
        w->table[slot][i].addr = at[i];
    return true;
}

static bool open_way(struct virtio_net *n, struct virtio_net_way *w, u16 index)
{
    if (!virtio_queue_open(&n->device, &w->queue, index))
        return false;
    n->device.why = "no memory for frames";
    for (u32 i = 0; i < VIRTIO_NET_SLOTS; i++)
        if (!make_slot(w, i))
            return false;
    return true;
}

/* Gives the device the first `bytes` of a slot's pages. */
static void give(struct virtio_net_way *w, u16 slot, u32 bytes, u16 flags)
{
    u32 count = (bytes + PAGE - 1) / PAGE;

    for (u32 i = 0; i < count; i++) {
        struct vring_desc *d = &w->table[slot][i];

        d->len = MIN(bytes - i * PAGE, (u32)PAGE);
        d->flags = (u16)(flags | (i + 1 < count ? VRING_DESC_F_NEXT : 0));
        d->next = (u16)(i + 1);
    }
    virtqueue_put(&w->queue, slot, w->table_at[slot], count * (u32)sizeof(struct vring_desc),
                  VRING_DESC_F_INDIRECT);
}

static void await(struct virtio_net *n, u16 slot)
{
    give(&n->in, slot, VIRTIO_NET_PAGES * PAGE, VRING_DESC_F_WRITE);
}

static bool slot_of(struct virtio_net_way *w, u16 *slot)
{
    return virtqueue_slot(&w->queue, slot) && *slot < VIRTIO_NET_SLOTS;
}

bool virtio_net_open(struct virtio_net *n, const struct virtio_place *p)
{
    u16 slot;

    *n = (struct virtio_net){.refused = 0};
    if (!virtio_open(&n->device, p, 1ull << VIRTIO_RING_F_INDIRECT_DESC))
        return false;
    n->device.why = "no indirect descriptors";
    if (!(n->device.features >> VIRTIO_RING_F_INDIRECT_DESC & 1) ||
        !open_way(n, &n->in, QUEUE_IN) || !open_way(n, &n->out, QUEUE_OUT))
        return false;
    virtio_run(&n->device);
    while (slot_of(&n->in, &slot))
        await(n, slot);
    return true;
}

u32 virtio_net_take(struct virtio_net *n, void *frame, u32 room)
{
    u16 slot;
    u32 len;

    while (virtqueue_take(&n->in.queue, &slot, &len)) {
        bool good = len > HEADER && len - HEADER <= MIN(room, (u32)VIRTIO_NET_FRAME);

        if (good)
            memcpy(frame, n->in.pages[slot] + HEADER, len - HEADER);
        await(n, slot);
        if (good)
            return len - HEADER;
        n->refused++;
    }
    return 0;
}

bool virtio_net_put(struct virtio_net *n, const void *frame, u32 len)
{
    u16 slot;
    u32 written;

    while (virtqueue_take(&n->out.queue, &slot, &written))
        ;
    if (!len || len > VIRTIO_NET_FRAME || !slot_of(&n->out, &slot)) {
        n->refused++;
        return false;
    }
    memcpy(n->out.pages[slot] + HEADER, frame, len);
    give(&n->out, slot, HEADER + len, 0);
    return true;
}

void virtio_net_flush(struct virtio_net *n)
{
    virtqueue_flush(&n->in.queue);
    virtqueue_flush(&n->out.queue);
}
