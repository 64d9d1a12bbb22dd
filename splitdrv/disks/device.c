/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jobs of a disk as requests of its device, in their order; what finds no room waits.
 */
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/virtio/blk.h"
#include "splitdrv/disks/device.h"

struct device {
    struct device *next;
    struct virtio_blk blk;
    struct blk_job *first, **last; /* not yet begun */
};

static struct device *devices;
static bool struck;

static void on_interrupt(void *arg, u32 port)
{
    (void)arg;
    (void)port;
    struck = true;
}

/* Devices may share a line, which is bound once. */
static bool bind_line(const struct device *d)
{
    u64 irq = d->blk.device.at.irq;

    for (const struct device *o = devices; o; o = o->next)
        if (o->blk.device.at.irq == irq)
            return true;
    return virtio_irq_bind(irq, on_interrupt, NULL);
}

bool device_open(struct disk *disk, const char *function)
{
    struct device *d = rt_alloc(sizeof(*d));
    struct virtio_place place;

    if (!d)
        return false;
    *d = (struct device){.next = devices};
    d->last = &d->first;
    if (!virtio_place_read(&place, function) ||
        !bind_line(&(struct device){.blk.device.at = place})) {
        rt_printf("disks: %s: function %s is not ours\n", disk->name, function);
    } else if (!virtio_blk_open(&d->blk, &place)) {
        rt_printf("disks: %s: function %s: %s\n", disk->name, function, d->blk.device.why);
    } else {
        disk->device = devices = d;
        disk->sectors = d->blk.sectors;
        disk->readonly = d->blk.readonly;
        disk->discards = d->blk.discards;
        return true;
    }
    rt_free(d, sizeof(*d));
    return false;
}

static bool begin(struct device *d, struct blk_job *j)
{
    static const u32 types[] = {[BLKIF_OP_READ] = VIRTIO_BLK_T_IN,
                                [BLKIF_OP_WRITE] = VIRTIO_BLK_T_OUT,
                                [BLKIF_OP_FLUSH_DISKCACHE] = VIRTIO_BLK_T_FLUSH,
                                [BLKIF_OP_DISCARD] = VIRTIO_BLK_T_DISCARD};

    return virtio_blk_begin(&d->blk, types[j->op], j->sector, j->sectors, j->data, j);
}

/* A device without a cache has nothing to flush. */
void disk_down_begin(void *device, struct blk_job *j)
{
    struct device *d = device;

    if (j->op == BLKIF_OP_FLUSH_DISKCACHE && !d->blk.flushes) {
        disk_done(j, 0);
        return;
    }
    if (!d->first && begin(d, j))
        return;
    j->next = NULL;
    *d->last = j;
    d->last = &j->next;
}

/* What cannot be begun while the device has nothing else never can. */
static void begin_waiting(struct device *d)
{
    struct blk_job *j;

    while ((j = d->first)) {
        bool idle = d->blk.queue.free_count == d->blk.queue.size, begun = begin(d, j);

        if (!begun && !idle && !d->blk.queue.broken)
            return;
        d->first = j->next;
        if (!d->first)
            d->last = &d->first;
        if (!begun)
            disk_done(j, -XEN_EIO);
    }
}

/* A line is quiet when all its devices have been asked, and may strike again from then on. */
static void quieten(void)
{
    struck = false;
    for (struct device *d = devices; d; d = d->next)
        virtio_interrupted(&d->blk.device);
    for (struct device *d = devices; d; d = d->next)
        virtio_irq_done(d->blk.device.at.irq);
}

void devices_run(void)
{
    void *job;
    int error;

    if (struck)
        quieten();
    for (struct device *d = devices; d; d = d->next) {
        while (virtio_blk_end(&d->blk, &job, &error))
            disk_done(job, error);
        begin_waiting(d);
    }
}

bool devices_flush(void)
{
    for (struct device *d = devices; d; d = d->next)
        virtqueue_flush(&d->blk.queue);
    return !struck;
}
