/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One virtual block device: found, connected, served, let go. Which disk it is stands at
 * `disk` in its back end's directory; `mode` r makes it read-only for this front end. A disk
 * that may be written has one front end at a time.
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "base/format.h"
#include "splitdrv/disks/vbdback.h"
#include "splitdrv/ready.h"

enum { REQUESTS_PER_TURN = 16, INFO_READONLY = 4, BUFFER_PAGES = BLK_JOBS * BLK_INDIRECT };

static struct ready_queue queue = READY_QUEUE(queue);

static void on_event(void *arg, u32 port)
{
    struct vbdback *v = arg;

    (void)port;
    ready_put(&queue, &v->ready);
}

void split_disk_begin(void *disk, struct blk_job *j)
{
    disk_begin(disk, j, disks_now());
}

/* An answer may be what a device that was closed has waited for. */
void disk_up_answer(struct blk_job *j, int error)
{
    struct vbdback *v = container_of(j->owner, struct vbdback, blk);

    blkback_answer(j, error);
    if (!v->port)
        split_device_news(&v->end.bus);
    else if (!v->running)
        ready_put(&queue, &v->ready);
}

static struct disk *disk_of(const struct vbdback *v)
{
    char id[DISK_NAME];

    return split_read(v->end.bus.own, "disk", id, sizeof(id)) >= 0 ? disks_at(id) : NULL;
}

static bool readonly(const struct vbdback *v, const struct disk *d)
{
    char mode[4] = "";

    split_read(v->end.bus.own, "mode", mode, sizeof(mode));
    return d->readonly || mode[0] == 'r';
}

/* Not while the disk still has jobs of the last connection. */
static bool offer(struct split_device *bus)
{
    struct vbdback *v = bus->owner;
    struct disk *d = disk_of(v);

    if (!d || v->blk.busy)
        return false;
    return split_write(bus->own, "feature-flush-cache", 1) &&
           split_write(bus->own, "feature-barrier", 0) &&
           split_write(bus->own, "feature-persistent", 1) &&
           split_write(bus->own, "feature-max-indirect-segments", BLK_INDIRECT) &&
           split_write(bus->own, "feature-discard", d->discards && !readonly(v, d)) &&
           split_write(bus->own, "discard-granularity", BLK_SECTOR) &&
           split_write(bus->own, "discard-alignment", 0);
}

static void stop(struct split_device *bus)
{
    struct vbdback *v = bus->owner;

    list_remove(&v->ready);
    if (v->disk)
        blkback_close(&v->blk);
    if (v->disk && v->disk->writer == v)
        v->disk->writer = NULL;
    v->disk = NULL;
    if (v->ring.at)
        split_unmap(&v->ring);
    if (v->port)
        rt_event_close(v->port);
    v->port = 0;
}

static bool fail(const struct vbdback *v, const char *why)
{
    rt_printf("disks: %s: %s\n", v->end.bus.own, why);
    return false;
}

/* The layout of the front end's requests; false: one we do not know. */
static bool layout_of(const struct vbdback *v, enum blk_layout *layout)
{
    char protocol[32];

    *layout = BLK_LAYOUT_64;
    if (split_read(v->end.bus.other, "protocol", protocol, sizeof(protocol)) < 0 ||
        strcmp(protocol, XEN_IO_PROTO_ABI_X86_64) == 0)
        return true;
    *layout = BLK_LAYOUT_32;
    return strcmp(protocol, XEN_IO_PROTO_ABI_X86_32) == 0;
}

static bool bind(struct vbdback *v)
{
    u64 ref, remote;
    long port;

    if (!split_number(v->end.bus.other, "ring-ref", &ref) || ref >> 32 ||
        !split_number(v->end.bus.other, "event-channel", &remote) || remote >> 32)
        return fail(v, "the front end does not say where its ring is");
    if (!split_map(v->end.bus.peer, (grant_ref_t)ref, false, &v->ring))
        return fail(v, "the ring cannot be mapped");
    port = rt_event_bind_interdomain(v->end.bus.peer, (u32)remote, on_event, v);
    if (port <= 0)
        return fail(v, "the event channel cannot be bound");
    v->port = (u32)port;
    return true;
}

static bool describe(const struct vbdback *v, const struct blk_disk *d)
{
    return split_write(v->end.bus.own, "sectors", d->sectors) &&
           split_write(v->end.bus.own, "sector-size", BLK_SECTOR) &&
           split_write(v->end.bus.own, "info", d->readonly ? INFO_READONLY : 0);
}

static bool connect(struct split_device *bus)
{
    struct vbdback *v = bus->owner;
    struct disk *d = disk_of(v);
    struct blk_disk what = {.disk = d, .sectors = d ? d->sectors : 0};
    enum blk_layout layout;
    u64 persistent = 0;

    if (!d)
        return fail(v, "there is no such disk");
    what.readonly = readonly(v, d);
    if (!what.readonly && d->writer)
        return fail(v, "somebody else writes this disk");
    v->buffers = v->buffers ? v->buffers : rt_frames(BUFFER_PAGES);
    if (!v->buffers)
        return fail(v, "no memory");
    if (!layout_of(v, &layout))
        return fail(v, "the front end's protocol is unknown");
    split_number(bus->other, "feature-persistent", &persistent);
    if (!bind(v) || !describe(v, &what))
        return false;
    blkback_open(&v->blk, bus->peer, v->ring.at, v->port, layout, persistent == 1, &what,
                 v->buffers);
    v->disk = d;
    if (!what.readonly)
        d->writer = v;
    ready_put(&queue, &v->ready);
    return true;
}

static const struct split_driver driver = {.offer = offer, .connect = connect, .stop = stop};

struct vbdback *vbdback_open(u32 domain, u32 handle)
{
    struct vbdback *v = rt_alloc(sizeof(*v));
    char path[SPLIT_PATH];

    if (!v)
        return NULL;
    *v = (struct vbdback){.end = {.domain = domain, .handle = handle}};
    list_init(&v->ready);
    format(path, sizeof(path), "backend/vbd/%u/%u", domain, handle);
    if (split_device_open(&v->end.bus, BUS_BACK, path, &driver, v))
        return v;
    rt_free(v, sizeof(*v));
    return NULL;
}

void vbdback_close(struct vbdback *v)
{
    split_device_close(&v->end.bus);
    stop(&v->end.bus);
    v->gone = true;
}

bool vbdback_reap(struct vbdback *v)
{
    if (v->blk.busy)
        return false;
    list_remove(&v->ready); /* its last answers have put it there */
    if (v->buffers)
        rt_frames_free(v->buffers, BUFFER_PAGES);
    rt_free(v, sizeof(*v));
    return true;
}

/* True: there is more. */
static bool serve(struct vbdback *v)
{
    bool more;

    if (!v->port || v->blk.broken)
        return false;
    v->running = true;
    more = blkback_run(&v->blk, REQUESTS_PER_TURN);
    v->running = false;
    blkback_flush(&v->blk);
    if (v->blk.broken) {
        fail(v, v->blk.broken);
        return false;
    }
    return more || !blkback_idle(&v->blk);
}

bool vbdback_turn(void)
{
    struct list *node;

    while ((node = ready_take(&queue))) {
        if (serve(list_entry(node, struct vbdback, ready)))
            ready_again(&queue, node);
    }
    return !ready_turn(&queue);
}
