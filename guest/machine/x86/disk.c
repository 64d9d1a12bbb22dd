/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/disk.h over blkfront or virtio-blk.
 */
#include "base/memory.h"
#include "guest/machine/disk.h"
#include "guest/machine/x86/disk.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "guest/virtio/blk.h"
#include "guest/virtio/message.h"
#include "guest/virtio/pci.h"
#include "splitdrv/vbd.h"

enum { DISKS = 4, BUFFER_PAGES = DEVICE_SECTORS_MOST * DEVICE_SECTOR / FRAME_SIZE };
#define CONNECT_NS 5000000000ull

/* One of both kinds. */
struct disk {
    struct vbd *vbd;
    struct virtio_blk *blk;
    u64 sectors;
    bool readonly;
};

static struct disk disks[DISKS];
static u32 disk_count;
static bool struck; /* a virtio device has something to say */
static struct disk_table *table;
static struct vbd_request vbd_request[DISK_REQUESTS];
static u8 *buffer[DISK_REQUESTS]; /* whole pages for virtio, which takes no other */
static struct disk_request *waiting, **waiting_last = &waiting;

struct disk_table *place_disks(struct node *n)
{
    (void)n;
    return table;
}

bool place_disk_size(struct node *n, u64 disk, u64 *sectors, bool *readonly)
{
    (void)n;
    if (disk >= disk_count)
        return false;
    *sectors = disks[disk].vbd ? disks[disk].vbd->sectors : disks[disk].sectors;
    *readonly = disks[disk].vbd ? disks[disk].vbd->readonly : disks[disk].readonly;
    return true;
}

static u32 index_of(const struct disk_request *r)
{
    return (u32)(r - table->request);
}

static void begin_vbd(struct vbd *v, struct disk_request *r)
{
    static const u8 ops[] = {[DEVICE_READ] = BLKIF_OP_READ,
                             [DEVICE_WRITE] = BLKIF_OP_WRITE,
                             [DEVICE_FLUSH] = BLKIF_OP_FLUSH_DISKCACHE};
    struct vbd_request *q = &vbd_request[index_of(r)];

    *q = (struct vbd_request){
        .op = ops[r->op], .sector = r->sector, .bytes = r->bytes, .data = r->data};
    vbd_begin(v, q);
}

static bool begin_blk(struct virtio_blk *b, struct disk_request *r)
{
    static const u32 types[] = {[DEVICE_READ] = VIRTIO_BLK_T_IN,
                                [DEVICE_WRITE] = VIRTIO_BLK_T_OUT,
                                [DEVICE_FLUSH] = VIRTIO_BLK_T_FLUSH};
    u8 *at = buffer[index_of(r)];

    if (r->op == DEVICE_WRITE)
        memcpy(at, r->data, r->bytes);
    return virtio_blk_begin(b, types[r->op], r->sector, r->bytes / DEVICE_SECTOR, at, r);
}

/* Virtio devices are told when the node has nothing better to do, or next looks at them. */
void place_disk_begin(struct node *n, struct disk_request *r)
{
    struct disk *d = &disks[r->disk];

    (void)n;
    if (d->vbd) {
        begin_vbd(d->vbd, r);
        return;
    }
    r->next = NULL;
    *waiting_last = r;
    waiting_last = &r->next;
}

static struct disk_request *take_waiting(void)
{
    struct disk_request *r = waiting;

    waiting = r->next;
    if (!waiting)
        waiting_last = &waiting;
    return r;
}

/* More slots than requests: a device that takes one not is broken. */
static void begin_waiting(void)
{
    while (waiting) {
        struct disk_request *r = take_waiting();
        struct virtio_blk *b = disks[r->disk].blk;

        if (r->op == DEVICE_FLUSH && !b->flushes)
            disk_request_done(x86.node, r, 0);
        else if (!begin_blk(b, r))
            disk_request_done(x86.node, r, DEMOS_E_REFUSED);
    }
}

static void poll_blk(struct virtio_blk *b)
{
    void *cookie;
    int error;

    while (virtio_blk_end(b, &cookie, &error)) {
        struct disk_request *r = cookie;

        if (r->op == DEVICE_READ)
            memcpy(r->data, buffer[index_of(r)], r->bytes);
        disk_request_done(x86.node, r, error ? DEMOS_E_REFUSED : 0);
    }
    virtqueue_flush(&b->queue);
}

static void poll_vbd(struct vbd *v)
{
    struct vbd_request *q;

    vbd_poll(v);
    while ((q = vbd_end(v)))
        disk_request_done(x86.node, &table->request[q - vbd_request],
                          q->status == BLKIF_RSP_OKAY ? 0 : DEMOS_E_REFUSED);
}

void x86_disks_poll(void)
{
    if (rt_store_present())
        rt_store_poll();
    begin_waiting();
    struck = false;
    for (u32 i = 0; i < disk_count; i++) {
        if (disks[i].vbd)
            poll_vbd(disks[i].vbd);
        else
            poll_blk(disks[i].blk);
    }
}

bool x86_disks_want(void)
{
    if (struck)
        return true;
    for (u32 i = 0; i < disk_count; i++)
        if (disks[i].vbd && vbd_wants(disks[i].vbd))
            return true;
    return false;
}

static bool rest_vbd(struct vbd *v, u64 *deadline)
{
    u64 at = vbd_deadline(v);

    if (at != RT_NEVER)
        *deadline = MIN(*deadline, at - x86.started_ns);
    return vbd_rest(v);
}

bool x86_disks_rest(u64 *deadline)
{
    bool quiet = !waiting && !struck;

    for (u32 i = 0; i < disk_count; i++)
        if (disks[i].vbd)
            quiet = rest_vbd(disks[i].vbd, deadline) && quiet;
    return quiet;
}

static void each_vbd(void (*does)(struct vbd *v))
{
    for (u32 i = 0; i < disk_count; i++)
        if (disks[i].vbd)
            does(disks[i].vbd);
}

void x86_disks_leave(void)
{
    each_vbd(vbd_leave);
}

bool x86_disks_alone(void)
{
    for (u32 i = 0; i < disk_count; i++)
        if (disks[i].vbd && !vbd_alone(disks[i].vbd))
            return false;
    return true;
}

void x86_disks_suspend(void)
{
    each_vbd(vbd_suspend);
}

void x86_disks_resume(void)
{
    each_vbd(vbd_resume);
}

/* --- finding them ------------------------------------------------------------------------------- */

static void find_vbds(void)
{
    while (disk_count < DISKS) {
        struct vbd *v = rt_alloc(sizeof(*v));

        if (!v)
            return;
        if (!vbd_open(v, disk_count, CONNECT_NS)) {
            rt_free(v, sizeof(*v));
            return;
        }
        disks[disk_count++].vbd = v;
    }
}

static void on_message(void *arg)
{
    (void)arg;
    struck = true;
}

static bool open_blk(struct disk *d, u32 devfn)
{
    struct virtio_blk *b;
    struct virtio_place p;

    if (!pci_virtio_take(devfn, VIRTIO_ID_BLOCK, &p, on_message, NULL))
        return false;
    b = rt_alloc(sizeof(*b));
    if (!b)
        return false;
    if (!virtio_blk_open(b, &p)) {
        rt_printf("node: disk at function %u.%u: %s\n", devfn / 8, devfn % 8, b->device.why);
        rt_free(b, sizeof(*b));
        return false;
    }
    *d = (struct disk){.blk = b, .sectors = b->sectors, .readonly = b->readonly};
    return true;
}

static void find_functions(void)
{
    for (u32 devfn = 0; devfn < PCI_FUNCTIONS && disk_count < DISKS; devfn++)
        if (open_blk(&disks[disk_count], devfn))
            disk_count++;
    for (u32 i = 0; disk_count && i < DISK_REQUESTS; i++) {
        buffer[i] = rt_frames(BUFFER_PAGES);
        if (!buffer[i])
            rt_panic("no memory for the disks' buffers");
    }
}

void x86_disks_open(void)
{
    if (rt_host() == RT_NATIVE)
        find_functions();
    else if (rt_store_present())
        find_vbds();
    if (!disk_count)
        return;
    table = rt_alloc(sizeof(*table));
    if (!table)
        rt_panic("no memory for the disks' requests");
    memset(table, 0, sizeof(*table));
    x86.disks = true;
}
