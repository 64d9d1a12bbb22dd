/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio network driver against a device of this file's (H11): what goes out comes in, whole,
 * in order and once, whatever its length; a device that lies about lengths is not believed (F20).
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/virtio/net.h"
#include "tests/check.h"

enum { FRAMES = 2000, HEADER = 12, PAGE = 4096, PAGES = 640 };

static struct virtio_net net;
static u8 sent[VIRTIO_NET_FRAME], got[VIRTIO_NET_FRAME + 1];
static u8 wire[VIRTIO_NET_PAGES * PAGE];
static u16 in_seen, out_seen;
static u8 pages[PAGES * PAGE] __attribute__((aligned(PAGE)));
static u32 kicks, used;

/* --- what the driver needs of the world */

void *rt_frames(u32 count)
{
    u8 *at = pages + (size_t)used * PAGE;

    used += count;
    CHECK(used <= PAGES);
    memset(at, 0, (size_t)count * PAGE);
    return at;
}

bool virtio_dma(void *at, u32 count, u64 *address)
{
    for (u32 i = 0; i < count; i++)
        address[i] = (u64)at + i * PAGE;
    return true;
}

bool virtio_open(struct virtio_device *d, const struct virtio_place *p, u64 wanted)
{
    *d = (struct virtio_device){.at = *p, .features = wanted};
    return true;
}

bool virtio_queue_open(struct virtio_device *d, struct virtqueue *q, u16 index)
{
    (void)d;
    virtqueue_init(q, rt_frames(1), QUEUE_SIZE);
    q->index = index;
    return true;
}

void virtio_run(struct virtio_device *d)
{
    (void)d;
}

void virtio_kick(struct virtqueue *q)
{
    (void)q;
    kicks++;
}

u8 virtio_config8(const struct virtio_device *d, u32 offset)
{
    (void)d;
    return (u8)(0x50 + offset);
}

/* --- the device */

/* Goes through a buffer's pages: reads them into `wire`, or writes them from it. */
static u32 pass(const struct virtqueue *q, u16 slot, u16 flags)
{
    const struct vring_desc *d = &q->desc[slot], *table = (void *)d->addr;
    u32 len = 0, count = d->len / (u32)sizeof(*d);

    CHECK(d->flags == VRING_DESC_F_INDIRECT && count && count <= VIRTIO_NET_PAGES);
    for (u32 i = 0; i < count; i++) {
        bool more = i + 1 < count;

        CHECK_EQ(table[i].flags, flags | (more ? VRING_DESC_F_NEXT : 0));
        CHECK(!more || (table[i].next == i + 1 && table[i].len == PAGE));
        if (flags & VRING_DESC_F_WRITE)
            memcpy((void *)table[i].addr, wire + len, table[i].len);
        else
            memcpy(wire + len, (void *)table[i].addr, table[i].len);
        len += table[i].len;
    }
    return len;
}

static void done(struct virtqueue *q, u16 slot, u32 len)
{
    u16 at = q->used->idx;

    q->used->ring[at % QUEUE_SIZE] = (struct vring_used_elem){slot, len};
    q->used->idx = (u16)(at + 1);
}

/* One frame from the driver's one queue to its other; `lie`: of so many bytes. False: there
 * is none, or no room for it. */
static bool turn(u32 lie)
{
    struct virtqueue *in = &net.in.queue, *out = &net.out.queue;
    u16 slot;
    u32 len;

    if (out_seen == out->avail->idx || in_seen == in->avail->idx)
        return false;
    slot = out->avail->ring[out_seen++ % QUEUE_SIZE];
    len = pass(out, slot, 0);
    for (u32 i = 0; i < HEADER; i++)
        CHECK_EQ(wire[i], 0);
    done(out, slot, 0);
    slot = in->avail->ring[in_seen++ % QUEUE_SIZE];
    CHECK_EQ(pass(in, slot, VRING_DESC_F_WRITE), net.pages * PAGE);
    done(in, slot, lie ? lie : len);
    return true;
}

static void fresh_for(u32 frame)
{
    struct virtio_place place = {.type = VIRTIO_ID_NET};

    in_seen = out_seen = 0;
    used = 0;
    CHECK(virtio_net_open(&net, &place, frame));
}

static void fresh(void)
{
    fresh_for(VIRTIO_NET_FRAME);
}

static u32 length(u64 number)
{
    u32 most = keyed_random(1, 2, number) & 1 ? VIRTIO_NET_FRAME : 1600;

    return 1 + (u32)keyed_below(1, 1, number, most);
}

static void fill(u64 number)
{
    for (u32 i = 0; i < length(number); i++)
        sent[i] = (u8)(number + 3 * i + i / 256);
}

/* --- tests */

static void test_frames(void)
{
    u64 put = 0, taken = 0;

    fresh();
    while (taken < FRAMES) {
        u32 len;

        for (fill(put); put < FRAMES && virtio_net_put(&net, sent, length(put)); fill(put))
            put++;
        virtio_net_flush(&net);
        for (u64 n = 1 + keyed_below(1, 3, taken, 8); n-- && turn(0);)
            ;
        while ((len = virtio_net_take(&net, got, sizeof(got)))) {
            CHECK_EQ(len, length(taken));
            fill(taken++);
            CHECK(memcmp(got, sent, len) == 0);
        }
    }
    CHECK_EQ(put, FRAMES);
    CHECK(kicks > 0);
}

static void test_too_long(void)
{
    fresh();
    CHECK(!virtio_net_put(&net, got, VIRTIO_NET_FRAME + 1));
    CHECK(!virtio_net_put(&net, got, 0));
    CHECK_EQ(net.refused, 2);
    for (u32 i = 0; i < VIRTIO_NET_SLOTS; i++)
        CHECK(virtio_net_put(&net, got, 60));
    CHECK(!virtio_net_put(&net, got, 60));
}

/* Ordinary Ethernet takes a page a frame, and no more is written into it than that. */
static void test_ordinary_frames(void)
{
    u8 mac[6];

    fresh_for(1514);
    CHECK_EQ(net.pages, 1);
    CHECK_EQ(used, 2 + 2 * 2 * VIRTIO_NET_SLOTS);
    CHECK(virtio_net_address(&net, mac) && mac[0] == 0x50 && mac[5] == 0x55);
    CHECK(!virtio_net_put(&net, sent, 1515));
    CHECK(virtio_net_put(&net, sent, 1514) && turn(0));
    CHECK_EQ(virtio_net_take(&net, got, sizeof(got)), 1514);
    CHECK(virtio_net_put(&net, sent, 1514) && turn(HEADER + 1515));
    CHECK_EQ(virtio_net_take(&net, got, sizeof(got)), 0);
}

/* The device tells of frames that come, and of those that are gone only when room is wanted. */
static void test_when_it_is_told(void)
{
    u16 *out;

    fresh();
    out = &net.out.queue.avail->flags;
    CHECK_EQ(net.in.queue.avail->flags, 0);
    CHECK_EQ(*out, VRING_AVAIL_F_NO_INTERRUPT);
    CHECK(virtio_net_room(&net) && virtio_net_idle(&net));
    while (virtio_net_put(&net, sent, 60))
        ;
    CHECK(!virtio_net_room(&net));
    CHECK_EQ(*out, 0);
    CHECK(turn(0) && !virtio_net_idle(&net));
    CHECK(virtio_net_room(&net));
    CHECK_EQ(*out, VRING_AVAIL_F_NO_INTERRUPT);
    CHECK_EQ(virtio_net_take(&net, got, sizeof(got)), 60);
    CHECK(virtio_net_idle(&net));
}

static void test_lies(void)
{
    static const u32 lies[] = {1, HEADER, HEADER + VIRTIO_NET_FRAME + 1, 0xffffffff};

    fresh();
    for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
        CHECK(virtio_net_put(&net, sent, 60));
        CHECK(turn(lies[i]));
        CHECK_EQ(virtio_net_take(&net, got, sizeof(got)), 0);
    }
    CHECK_EQ(net.refused, ARRAY_SIZE(lies));
    CHECK(virtio_net_put(&net, sent, 60) && turn(0));
    CHECK_EQ(virtio_net_take(&net, got, 50), 0); /* longer than who asks has room for */
    done(&net.in.queue, 99, 60);
    CHECK_EQ(virtio_net_take(&net, got, sizeof(got)), 0);
    CHECK(net.in.queue.broken);
}

TESTS(CASE(test_frames), CASE(test_too_long), CASE(test_ordinary_frames),
      CASE(test_when_it_is_told), CASE(test_lies))
