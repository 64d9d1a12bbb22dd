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
static bool make_slot(struct virtio_net_way *w, u32 slot, u32 pages)
{
    u64 at[VIRTIO_NET_PAGES];

    w->pages[slot] = rt_frames(pages);
    w->table[slot] = rt_frames(1);
    if (!w->table[slot] || !w->pages[slot] || !virtio_dma(w->pages[slot], pages, at) ||
        !virtio_dma(w->table[slot], 1, &w->table_at[slot]))
        return false;
    for (u32 i = 0; i < pages; i++)
        w->table[slot][i].addr = at[i];
    return true;
}

static bool open_way(struct virtio_net *n, struct virtio_net_way *w, u16 index)
{
    if (!virtio_queue_open(&n->device, &w->queue, index))
        return false;
    n->device.why = "no memory for frames";
    for (u32 i = 0; i < VIRTIO_NET_SLOTS; i++)
        if (!make_slot(w, i, n->pages))
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
    give(&n->in, slot, n->pages * PAGE, VRING_DESC_F_WRITE);
}

static bool slot_of(struct virtio_net_way *w, u16 *slot)
{
    return virtqueue_slot(&w->queue, slot) && *slot < VIRTIO_NET_SLOTS;
}

bool virtio_net_open(struct virtio_net *n, const struct virtio_place *p, u32 frame_max)
{
    u16 slot;

    frame_max = MIN(frame_max, (u32)VIRTIO_NET_FRAME);
    *n = (struct virtio_net){.frame_max = frame_max,
                             .pages = (HEADER + frame_max + PAGE - 1) / PAGE};
    if (!virtio_open(&n->device, p,
                     1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_NET_F_MAC))
        return false;
    n->device.why = "no indirect descriptors";
    if (!virtio_agreed(&n->device, VIRTIO_RING_F_INDIRECT_DESC) ||
        !open_way(n, &n->in, QUEUE_IN) || !open_way(n, &n->out, QUEUE_OUT))
        return false;
    virtqueue_listen(&n->out.queue, false);
    virtio_run(&n->device);
    while (slot_of(&n->in, &slot))
        await(n, slot);
    return true;
}

bool virtio_net_address(const struct virtio_net *n, u8 mac[6])
{
    for (u32 i = 0; virtio_agreed(&n->device, VIRTIO_NET_F_MAC) && i < 6; i++)
        mac[i] = virtio_config8(&n->device, offsetof(struct virtio_net_config, mac) + i);
    return virtio_agreed(&n->device, VIRTIO_NET_F_MAC);
}

u32 virtio_net_take(struct virtio_net *n, void *frame, u32 room)
{
    u16 slot;
    u32 len;

    while (virtqueue_take(&n->in.queue, &slot, &len)) {
        bool good = len > HEADER && len - HEADER <= MIN(room, n->frame_max);

        if (good)
            memcpy(frame, n->in.pages[slot] + HEADER, len - HEADER);
        await(n, slot);
        if (good)
            return len - HEADER;
        n->refused++;
    }
    return 0;
}

/* A slot for one more frame, what has gone being taken back. */
static bool slot_out(struct virtio_net *n, u16 *slot)
{
    u32 written;

    while (virtqueue_take(&n->out.queue, slot, &written))
        ;
    return slot_of(&n->out, slot);
}

bool virtio_net_room(struct virtio_net *n)
{
    u16 slot;
    bool any = slot_out(n, &slot);

    if (!any) {
        virtqueue_listen(&n->out.queue, true);
        any = slot_out(n, &slot);
    }
    if (any)
        virtqueue_listen(&n->out.queue, false);
    return any;
}

bool virtio_net_idle(const struct virtio_net *n)
{
    return virtqueue_idle(&n->in.queue);
}

bool virtio_net_put(struct virtio_net *n, const void *frame, u32 len)
{
    u16 slot;

    if (!len || len > n->frame_max || !slot_out(n, &slot)) {
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
