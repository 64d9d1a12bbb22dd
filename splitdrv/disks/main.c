/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disk domain. What disks there are stands in the store: /osmosis/disk/<n>/ with `name`,
 * `pci` (a virtio function of the machine, given to us), `module` (a module's command line: that
 * module is the disk), or `bytes` (as many, zero), and optionally `readonly`; faults are numbers
 * below /osmosis/disk/<n>/fault/, and a trace of those that strike is kept in `trace` pages.
 * Front ends come by its own backend directory, each with the key `disk`.
 *
 * Where memory disks lie is told at data/disk/<n> as "GFN BYTES NAME", for whoever reads them
 * when the run has ended.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/machine/trace.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/store.h"
#include "guest/rt/time.h"
#include "splitdrv/backends.h"
#include "splitdrv/disks/device.h"
#include "splitdrv/disks/vbdback.h"

enum { PAST_FRAMES = (sizeof(struct past) + 4095) / 4096 };

static struct {
    struct disk *disks;
    struct split_backend_list vbds;
    struct vbdback *going; /* closed, waiting for their last answers */
    u32 told;
    u64 seed;
    bool disks_changed;
    struct rt_store_watch watch;
    struct osm_ring_header *trace;
} dom;

u64 disks_now(void)
{
    return rt_now_ns();
}

void disk_up_struck(const struct disk *d, enum disk_why why)
{
    trace_put(dom.trace, DISK_T_STRUCK, (u32)d->object, why, d->count);
}

struct disk *disks_at(const char *id)
{
    struct disk *d = dom.disks;

    while (d && strcmp(d->id, id) != 0)
        d = d->next;
    return d;
}

static void on_change(void *arg, const char *path)
{
    (void)path;
    *(bool *)arg = true;
}

/* --- disks -------------------------------------------------------------------------------------- */

static bool key(const char *disk, const char *key, u64 *value)
{
    char path[128];

    format(path, sizeof(path), "/osmosis/disk/%s/%s", disk, key);
    return rt_store_number(0, path, value) >= 0;
}

static bool find_device(struct disk *d)
{
    char path[128], function[16];

    format(path, sizeof(path), "/osmosis/disk/%s/pci", d->id);
    return rt_store_read(0, path, function, sizeof(function)) >= 0 && device_open(d, function);
}

static bool find_module(struct disk *d)
{
    char path[128], name[64];
    struct rt_module m;

    format(path, sizeof(path), "/osmosis/disk/%s/module", d->id);
    if (rt_store_read(0, path, name, sizeof(name)) < 0)
        return false;
    for (u32 i = 0; rt_module(i, &m); i++) {
        if (strcmp(m.cmdline, name) != 0)
            continue;
        /* A module is the domain's own memory; const is what it is to those who share it. */
        d->bytes = rt_at(rt_physical(m.data));
        d->sectors = m.size / BLK_SECTOR;
        d->discards = true;
        return true;
    }
    rt_printf("disks: %s: there is no module %s\n", d->name, name);
    return false;
}

/* Frames that nobody has used since the domain was built are zero, and not there until
 * somebody writes them. */
static bool make_empty(struct disk *d)
{
    u64 bytes = 0;

    if (!key(d->id, "bytes", &bytes) || !bytes || bytes >> 40)
        return false;
    d->bytes = rt_frames_untouched((u32)((bytes + 4095) / 4096));
    d->sectors = bytes / BLK_SECTOR;
    d->discards = true;
    if (!d->bytes)
        rt_printf("disks: %s: no memory for %lu bytes\n", d->name, bytes);
    return d->bytes != NULL;
}

static void tell(const struct disk *d)
{
    char path[32];

    format(path, sizeof(path), "data/disk/%u", dom.told++);
    rt_store_printf(0, path, "%lu %lu %s", rt_physical(d->bytes) >> 12, d->sectors * BLK_SECTOR,
                    d->name);
}

static void add_disk(const char *id)
{
    struct disk *d = rt_alloc(sizeof(*d));
    char path[128], name[DISK_NAME];
    u64 flag = 0;

    if (!d)
        return;
    format(path, sizeof(path), "/osmosis/disk/%s/name", id);
    if (rt_store_read(0, path, name, sizeof(name)) < 0)
        memcpy(name, "?", 2);
    disk_init(d, id, name, dom.seed);
    if (!find_device(d) && !find_module(d) && !make_empty(d)) {
        rt_free(d, sizeof(*d));
        return;
    }
    d->readonly |= key(id, "readonly", &flag) && flag;
    d->next = dom.disks;
    dom.disks = d;
    if (d->bytes)
        tell(d);
    split_backend_list_news(&dom.vbds); /* one of them may have waited for its disk */
}

static u64 fault(const struct disk *d, const char *name)
{
    char path[32];
    u64 value = 0;

    format(path, sizeof(path), "fault/%s", name);
    return key(d->id, path, &value) ? value : 0;
}

/* A memory disk's writes are in a cache from the one reading on, and the power fails at another. */
static void read_power(struct disk *d)
{
    bool cached = fault(d, "powercut");
    u64 lost;

    if (cached == d->cached || !d->past)
        return;
    lost = disk_cache(d, cached);
    if (!cached)
        rt_printf("disks: %s: power failed, %lu sectors are as they were\n", d->name, lost);
}

static void read_faults(struct disk *d)
{
    d->faults = (struct disk_faults){.error = fault(d, "error"),
                                     .torn = fault(d, "torn"),
                                     .lost = fault(d, "lost"),
                                     .stray = fault(d, "misdirected"),
                                     .stale = fault(d, "stale"),
                                     .delay_ns = fault(d, "delay"),
                                     .full = fault(d, "full")};
    if ((d->faults.stale || fault(d, "powercut")) && d->bytes && !d->past)
        d->past = rt_frames(PAST_FRAMES);
    read_power(d);
}

static void take_disk(void *arg, const char *id)
{
    (void)arg;
    if (!disks_at(id))
        add_disk(id);
}

static void follow_disks(void)
{
    rt_store_each("/osmosis/disk", take_disk, NULL);
    for (struct disk *d = dom.disks; d; d = d->next)
        read_faults(d);
}

/* --- front ends --------------------------------------------------------------------------------- */

static struct split_backend *open_vbd(u32 domain, u32 handle)
{
    struct vbdback *v = vbdback_open(domain, handle);

    return v ? &v->end : NULL;
}

static void close_vbd(struct split_backend *e)
{
    struct vbdback *v = container_of(e, struct vbdback, end);

    vbdback_close(v);
    v->next = dom.going;
    dom.going = v;
}

static void reap(void)
{
    for (struct vbdback **at = &dom.going; *at;) {
        struct vbdback *v = *at, *next = v->next;

        if (vbdback_reap(v))
            *at = next;
        else
            at = &v->next;
    }
}

/* --- the loop ----------------------------------------------------------------------------------- */

static void follow_store(void)
{
    struct split_backend *v;

    while (rt_store_poll())
        ;
    if (dom.disks_changed) {
        dom.disks_changed = false;
        follow_disks();
    }
    split_backend_list_follow(&dom.vbds);
    while ((v = split_backend_list_next(&dom.vbds)) != NULL)
        split_device_poll(&v->bus);
    reap();
}

/* One round over what is due and what has something to do; when there is more to do. */
static u64 work(void)
{
    u64 deadline = RT_NEVER;
    bool done;

    devices_run();
    for (struct disk *d = dom.disks; d; d = d->next)
        disk_run(d, rt_now_ns());
    done = vbdback_turn();
    for (struct disk *d = dom.disks; d; d = d->next)
        deadline = MIN(deadline, disk_deadline(d));
    return done && devices_flush() ? deadline : 0;
}

static u64 seed(void)
{
    u64 value;

    return rt_store_number(0, "/osmosis/seed", &value) >= 0 ? value
                                                            : rt_option_number("seed", 1);
}

int rt_main(const struct rt_start *start)
{
    (void)start;
    if (!rt_store_present())
        rt_panic("disks: there is no store to be told from");
    dom.seed = seed();
    dom.trace = trace_open();
    rt_store_watch(&dom.watch, "/osmosis/disk", on_change, &dom.disks_changed);
    dom.vbds = (struct split_backend_list){.kind = "vbd", .open = open_vbd, .close = close_vbd};
    split_backend_list_watch(&dom.vbds);
    rt_shutdown_heed();
    rt_printf("disks: ready\n");
    for (;;) {
        u64 deadline;

        follow_store();
        deadline = work();
        /* What follow_store asked may have brought changes along with the answers. */
        if (deadline && !rt_store_poll())
            rt_wait_until(deadline);
    }
}
