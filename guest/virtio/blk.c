/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request is one indirect buffer: a header, the data page by page, a status byte. All but
 * the data lies in a page that the request's slot has for good.
 */
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/virtio/blk.h"
#include "hyp/abi/xen.h"

enum {
    PAGE = 4096,
    SECTOR = 512,
    TABLE = 0,
    HEADER = 2048,
    DISCARD = 2064,
    STATUS = 2080,
    DESCRIPTORS = VIRTIO_BLK_PAGES + 2,
    NOT_SAID = 0xff, /* as a status: by the device it is 0, 1 or 2 */
};

_Static_assert(DESCRIPTORS * sizeof(struct vring_desc) <= HEADER &&
                   sizeof(struct virtio_blk_outhdr) <= DISCARD - HEADER &&
                   sizeof(struct virtio_blk_discard_write_zeroes) <= STATUS - DISCARD,
               "the parts of a request do not overlap");

bool virtio_blk_open(struct virtio_blk *b, const struct virtio_place *p)
{
    static const u64 wanted = 1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_BLK_F_RO |
                              1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_DISCARD;

    *b = (struct virtio_blk){.sectors = 0};
    if (!virtio_open(&b->device, p, wanted) || !virtio_queue_open(&b->device, &b->queue, 0))
        return false;
    b->device.why = "no memory for requests, or no indirect descriptors";
    if (!virtio_agreed(&b->device, VIRTIO_RING_F_INDIRECT_DESC))
        return false;
    for (u32 i = 0; i < VIRTIO_BLK_SLOTS; i++) {
        b->page[i] = rt_frames(1);
        if (!b->page[i] || !virtio_dma(b->page[i], 1, &b->page_at[i]))
            return false;
    }
    virtio_run(&b->device);
    b->sectors = virtio_config64(&b->device, offsetof(struct virtio_blk_config, capacity));
    b->readonly = virtio_agreed(&b->device, VIRTIO_BLK_F_RO);
    b->flushes = virtio_agreed(&b->device, VIRTIO_BLK_F_FLUSH);
    b->discards = virtio_agreed(&b->device, VIRTIO_BLK_F_DISCARD);
    return true;
}

static struct vring_desc *add(struct vring_desc *d, u64 at, u32 len, u16 flags)
{
    *d = (struct vring_desc){.addr = at, .len = len, .flags = flags};
    return d + 1;
}

/* The data's descriptors; NULL: it cannot be reached. */
static struct vring_desc *add_data(struct vring_desc *d, void *data, u32 bytes, u16 flags)
{
    u64 at[VIRTIO_BLK_PAGES];
    u32 pages = (bytes + PAGE - 1) / PAGE;

    if (pages > VIRTIO_BLK_PAGES || (pages && !virtio_dma(data, pages, at)))
        return NULL;
    for (u32 i = 0; i < pages; i++)
        d = add(d, at[i], MIN(bytes - i * PAGE, (u32)PAGE), flags);
    return d;
}

static struct vring_desc *add_discard(struct vring_desc *d, u8 *page, u64 page_at, u64 sector,
                                      u64 sectors)
{
    struct virtio_blk_discard_write_zeroes range = {.sector = sector,
                                                    .num_sectors = (u32)sectors};

    if (sectors >> 32)
        return NULL;
    memcpy(page + DISCARD, &range, sizeof(range));
    return add(d, page_at + DISCARD, sizeof(range), 0);
}

/* The request's table; its length, or 0: it cannot be made. */
static u32 describe(struct virtio_blk *b, u16 slot, u32 type, u64 sector, u64 sectors,
                    void *data)
{
    u8 *page = b->page[slot];
    u64 at = b->page_at[slot];
    struct vring_desc *first = (void *)(page + TABLE), *d = first;
    struct virtio_blk_outhdr header = {.type = type, .sector = sector};

    if (type == VIRTIO_BLK_T_DISCARD)
        header.sector = 0;
    memcpy(page + HEADER, &header, sizeof(header));
    page[STATUS] = NOT_SAID;
    d = add(d, at + HEADER, sizeof(header), 0);
    if (type == VIRTIO_BLK_T_DISCARD)
        d = add_discard(d, page, at, sector, sectors);
    else if (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_OUT)
        d = add_data(d, data, (u32)sectors * SECTOR,
                     type == VIRTIO_BLK_T_IN ? VRING_DESC_F_WRITE : 0);
    if (!d)
        return 0;
    d = add(d, at + STATUS, 1, VRING_DESC_F_WRITE);
    for (struct vring_desc *i = first; i + 1 < d; i++) {
        i->flags |= VRING_DESC_F_NEXT;
        i->next = (u16)(i + 1 - first);
    }
    return (u32)(d - first) * (u32)sizeof(*d);
}

bool virtio_blk_begin(struct virtio_blk *b, u32 type, u64 sector, u64 sectors, void *data,
                      void *cookie)
{
    u16 slot;
    u32 len;

    if (!virtqueue_slot(&b->queue, &slot) || slot >= VIRTIO_BLK_SLOTS)
        return false;
    len = describe(b, slot, type, sector, sectors, data);
    if (!len)
        return false;
    b->cookie[slot] = cookie;
    virtqueue_put(&b->queue, slot, b->page_at[slot], len, VRING_DESC_F_INDIRECT);
    return true;
}

bool virtio_blk_end(struct virtio_blk *b, void **cookie, int *error)
{
    u16 slot;
    u32 len;

    if (!virtqueue_take(&b->queue, &slot, &len))
        return false;
    *cookie = b->cookie[slot];
    switch (b->page[slot][STATUS]) {
    case VIRTIO_BLK_S_OK: *error = 0; break;
    case VIRTIO_BLK_S_UNSUPP: *error = -XEN_EOPNOTSUPP; break;
    default: *error = -XEN_EIO; break;
    }
    return true;
}
