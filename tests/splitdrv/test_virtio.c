/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio driver against a device of this file's (H17): random reads, writes, flushes and
 * discards against a shadow, answered in any order, doorbells only where wanted; a device that
 * gives back what it does not have is not believed (F18, F20). The disk domain's disk over it: a
 * flush is answered when the device has flushed, and not before.
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/virtio/blk.h"
#include "hyp/abi/xen.h"
#include "splitdrv/disks/device.h"
#include "tests/check.h"

enum { SECTORS = 2048, SECTOR = 512, PAGES = 32 };

static u8 disk[SECTORS * SECTOR], shadow[SECTORS * SECTOR];
static struct virtio_blk blk;
static u32 kicks, flushes;
static struct virtqueue *queue; /* the driver's */
static u8 *queue_page;
static u16 seen;
static u64 lacks; /* features that the device has not */
static u32 answers;

/* --- what the driver needs of the world */

void *rt_frames(u32 count)
{
    void *at = aligned_alloc(4096, (size_t)count * 4096);

    memset(at, 0, (size_t)count * 4096);
    return at;
}

void *rt_alloc(size_t size)
{
    return malloc(size);
}

void rt_free(void *at, size_t size)
{
    (void)size;
    free(at);
}

void rt_printf(const char *fmt, ...)
{
    (void)fmt;
}

bool virtio_place_read(struct virtio_place *p, const char *function)
{
    *p = (struct virtio_place){.irq = (u64)function[0]};
    return true;
}

bool virtio_irq_bind(u64 irq, void (*fn)(void *arg, u32 port), void *arg)
{
    (void)arg;
    return irq && fn;
}

void virtio_irq_done(u64 irq)
{
    CHECK(irq != 0);
}

bool virtio_interrupted(const struct virtio_device *d)
{
    return d->at.irq != 0;
}

void disk_up_answer(struct blk_job *j, int error)
{
    CHECK_EQ(error, 0);
    CHECK_EQ(j->op == BLKIF_OP_FLUSH_DISKCACHE, j->sectors == 0);
    answers++;
}

void disk_up_struck(const struct disk *d, enum disk_why why)
{
    CHECK(d->device && !why);
}

bool virtio_dma(void *at, u32 count, u64 *address)
{
    for (u32 i = 0; i < count; i++)
        address[i] = (u64)at + i * 4096;
    return true;
}

bool virtio_open(struct virtio_device *d, const struct virtio_place *p, u64 wanted)
{
    *d = (struct virtio_device){.at = *p,
                                .features = wanted & ~(1ull << VIRTIO_BLK_F_RO | lacks)};
    return true;
}

bool virtio_queue_open(struct virtio_device *d, struct virtqueue *q, u16 index)
{
    (void)d;
    (void)index;
    queue_page = rt_frames(1);
    virtqueue_init(q, queue_page, QUEUE_SIZE);
    queue = q;
    return true;
}

void virtio_run(struct virtio_device *d)
{
    (void)d;
}

u64 virtio_config64(const struct virtio_device *d, u32 offset)
{
    (void)d;
    CHECK_EQ(offset, 0);
    return SECTORS;
}

void virtio_kick(struct virtqueue *q)
{
    (void)q;
    kicks++;
}

/* --- the device */

static u8 carry_out(const struct vring_desc *d, u32 count)
{
    const struct virtio_blk_outhdr *h = (void *)d[0].addr;
    u8 *at = disk + h->sector * SECTOR;

    CHECK(!(d[0].flags & VRING_DESC_F_WRITE) && d[0].len == sizeof(*h));
    for (u32 i = 1; i < count; i++) {
        CHECK_EQ(d[i - 1].next, i);
        if (h->type == VIRTIO_BLK_T_OUT) {
            CHECK(!(d[i].flags & VRING_DESC_F_WRITE));
            memcpy(at, (void *)d[i].addr, d[i].len);
        } else if (h->type == VIRTIO_BLK_T_IN) {
            CHECK(d[i].flags & VRING_DESC_F_WRITE);
            memcpy((void *)d[i].addr, at, d[i].len);
        } else {
            const struct virtio_blk_discard_write_zeroes *range = (void *)d[i].addr;

            CHECK_EQ(h->type, VIRTIO_BLK_T_DISCARD);
            memset(disk + range->sector * SECTOR, 0, (size_t)range->num_sectors * SECTOR);
        }
        at += d[i].len;
    }
    flushes += h->type == VIRTIO_BLK_T_FLUSH;
    return h->type == VIRTIO_BLK_T_IN && h->sector >= SECTORS - 8 ? VIRTIO_BLK_S_IOERR : 0;
}

static void serve(u16 slot)
{
    struct vring_desc *d = &queue->desc[slot];
    const struct vring_desc *table = (void *)d->addr;
    u32 count = d->len / 16;
    u16 at = queue->used->idx;

    CHECK(d->flags == VRING_DESC_F_INDIRECT && count >= 2);
    CHECK(table[count - 1].flags == VRING_DESC_F_WRITE && table[count - 1].len == 1);
    *(u8 *)table[count - 1].addr = carry_out(table, count - 1);
    queue->used->ring[at % QUEUE_SIZE] = (struct vring_used_elem){slot, 1};
    queue->used->idx = (u16)(at + 1);
}

/* Serves all that is there, the last first. */
static void serve_all(void)
{
    u16 end = queue->avail->idx;

    for (u16 i = end; i != seen; i--)
        serve(queue->avail->ring[(u16)(i - 1) % QUEUE_SIZE]);
    seen = end;
}

static void open_it(void)
{
    kicks = flushes = seen = 0;
    CHECK(virtio_blk_open(&blk, &(struct virtio_place){.common = 0}));
    CHECK(blk.sectors == SECTORS && blk.flushes && blk.discards && !blk.readonly);
}

static void close_it(void)
{
    free(queue_page);
    for (u32 i = 0; i < VIRTIO_BLK_SLOTS; i++)
        free(blk.page[i]);
}

static void test_random(void)
{
    static u8 *buffer[VIRTIO_BLK_SLOTS];
    static u64 from[VIRTIO_BLK_SLOTS], len[VIRTIO_BLK_SLOTS];

    open_it();
    for (u32 i = 0; i < VIRTIO_BLK_SLOTS; i++)
        buffer[i] = aligned_alloc(4096, PAGES * 4096);
    for (u32 round = 0; round < 2000; round++) {
        u32 count = 1 + (u32)keyed_below(1, round, 0, VIRTIO_BLK_SLOTS), ended = 0;
        u32 type = keyed_random(1, round, 1) & 1 ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT;
        void *cookie;
        int error;

        /* Of one kind and apart from each other, so that any order is right. */
        for (u32 i = 0; i < count; i++) {
            len[i] = 1 + keyed_below(1, round, 100 + i, 60);
            from[i] = i * 60;
            memset(buffer[i], (int)(round + i), len[i] * SECTOR);
            if (type == VIRTIO_BLK_T_OUT)
                memcpy(shadow + from[i] * SECTOR, buffer[i], len[i] * SECTOR);
            CHECK(virtio_blk_begin(&blk, type, from[i], len[i], buffer[i], buffer[i]));
        }
        virtqueue_flush(&blk.queue);
        virtqueue_flush(&blk.queue);
        CHECK_EQ(kicks, round + 1);
        serve_all();
        while (virtio_blk_end(&blk, &cookie, &error)) {
            u32 i = count - 1 - ended++;

            CHECK_EQ(error, 0);
            CHECK(cookie == buffer[i]);
            if (type == VIRTIO_BLK_T_IN)
                CHECK(memcmp(buffer[i], shadow + from[i] * SECTOR, len[i] * SECTOR) == 0);
        }
        CHECK_EQ(ended, count);
    }
    CHECK(memcmp(disk, shadow, sizeof(disk)) == 0);
    for (u32 i = 0; i < VIRTIO_BLK_SLOTS; i++)
        free(buffer[i]);
    close_it();
}

static int one(u32 type, u64 sector, u64 sectors, void *data)
{
    void *cookie;
    int error = 1;

    CHECK(virtio_blk_begin(&blk, type, sector, sectors, data, &error));
    serve_all();
    CHECK(virtio_blk_end(&blk, &cookie, &error) && cookie == &error);
    return error;
}

static void test_others(void)
{
    u8 *page = rt_frames(1);

    open_it();
    memset(disk, 1, sizeof(disk));
    CHECK_EQ(one(VIRTIO_BLK_T_FLUSH, 0, 0, NULL), 0);
    CHECK_EQ(flushes, 1);
    CHECK_EQ(one(VIRTIO_BLK_T_DISCARD, 5, 2, NULL), 0);
    CHECK(disk[5 * 512 - 1] == 1 && !disk[5 * 512] && !disk[7 * 512 - 1] && disk[7 * 512] == 1);
    CHECK_EQ(one(VIRTIO_BLK_T_IN, SECTORS - 8, 8, page), -XEN_EIO);
    CHECK(!virtio_blk_begin(&blk, VIRTIO_BLK_T_OUT, 0, 8 * PAGES + 1, page, NULL));
    blk.queue.used->flags = VRING_USED_F_NO_NOTIFY;
    kicks = 0;
    one(VIRTIO_BLK_T_IN, 0, 1, page);
    virtqueue_flush(&blk.queue);
    CHECK_EQ(kicks, 0);
    for (u32 i = 0; i < VIRTIO_BLK_SLOTS; i++)
        CHECK(virtio_blk_begin(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, NULL, NULL));
    CHECK(!virtio_blk_begin(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, NULL, NULL));
    free(page);
    close_it();
}

static void test_hostile_device(void)
{
    static const struct {
        u32 id;
        u16 idx;
    } lies[] = {{0, 1}, {QUEUE_SIZE, 1}, {~0u, 1}, {63, QUEUE_SIZE + 2}};
    void *cookie;
    int error;

    for (u32 i = 0; i < ARRAY_SIZE(lies); i++) {
        open_it();
        CHECK(!virtio_blk_end(&blk, &cookie, &error));
        blk.queue.used->ring[0].id = lies[i].id;
        blk.queue.used->idx = lies[i].idx;
        CHECK(!virtio_blk_end(&blk, &cookie, &error));
        CHECK(blk.queue.broken);
        CHECK(!virtio_blk_begin(&blk, VIRTIO_BLK_T_FLUSH, 0, 0, NULL, NULL));
        close_it();
    }
}

/* H17: write and flush as jobs of a disk; more than the device has room for wait their turn. */
static void test_flushes_of_a_disk(void)
{
    static struct blk_job job[VIRTIO_BLK_SLOTS + 5];
    struct disk d;
    u8 *page = rt_frames(1);

    flushes = seen = 0;
    disk_init(&d, "0", "n-0", 1);
    CHECK(device_open(&d, "5-0") && d.sectors == SECTORS && d.discards && !d.readonly);
    for (u32 i = 0; i < ARRAY_SIZE(job); i++) {
        job[i] = (struct blk_job){.op = BLKIF_OP_FLUSH_DISKCACHE};
        if (!i)
            job[i] = (struct blk_job){.op = BLKIF_OP_WRITE, .sectors = 1, .data = page};
        disk_begin(&d, &job[i], 0);
    }
    devices_run();
    CHECK(!answers && !flushes && devices_flush());
    serve_all();
    CHECK_EQ(flushes, VIRTIO_BLK_SLOTS - 1);
    devices_run();
    CHECK_EQ(answers, VIRTIO_BLK_SLOTS);
    CHECK(devices_flush());
    serve_all();
    devices_run();
    CHECK(answers == ARRAY_SIZE(job) && flushes == answers - 1);

    lacks = 1ull << VIRTIO_BLK_F_FLUSH; /* it has no cache: there is nothing to wait for */
    seen = 0;
    CHECK(device_open(&d, "6-0"));
    disk_begin(&d, &job[1], 0);
    CHECK(answers == ARRAY_SIZE(job) + 1 && flushes == answers - 2);
    lacks = 0;
    free(page);
}

TESTS(CASE(test_random), CASE(test_others), CASE(test_hostile_device),
      CASE(test_flushes_of_a_disk))
