/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One vif's back end. The configuration is the toolstack's (our own directory).
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "net/fabric/vifback.h"
#include "splitdrv/ready.h"

enum { FRAMES_PER_TURN = 64 };
#define PROMPT_NS 25000000ull /* the least after which a node sends again (net/peer_out.c) */

static struct ready_queue queue = READY_QUEUE(queue);
static u8 frame[NET_FRAME_MAX];

void vifback_is_ready(struct vifback *v)
{
    ready_put(&queue, &v->ready);
}

static void on_event(void *arg, u32 port)
{
    (void)port;
    vifback_is_ready(arg);
}

static struct fabric_medium *medium_named(struct fabric *f, const char *name)
{
    for (u32 i = 0; i < f->media; i++) {
        if (strcmp(medium_config(f->medium[i]->medium)->name, name) == 0)
            return f->medium[i];
    }
    return NULL;
}

/* The medium this vif is to be on: as the toolstack says, or the first there is. */
static struct fabric_medium *medium_of(struct vifback *v)
{
    char name[MEDIUM_NAME];

    if (split_read(v->end.bus.own, "medium", name, sizeof(name)) >= 0)
        return medium_named(v->fabric, name);
    return v->fabric->media ? v->fabric->medium[0] : NULL;
}

static bool offer(struct split_device *d)
{
    struct fabric_medium *m = medium_of(d->owner);
    u32 block;

    if (!m)
        return false;
    block = medium_block_max(m->medium);
    if (m->outside)
        block = MIN(block, (u32)FABRIC_OUTSIDE_BLOCK);
    return vif_rings_offer(d, medium_rate(m->medium), block) &&
           split_write(d->own, "feature-multicast-control", 1);
}

static struct fabric_port *attach(struct vifback *v)
{
    struct fabric_medium *m = medium_of(v);
    char port[MEDIUM_NAME];
    u8 address[6];
    u64 machine = 0;

    if (!m || !split_mac(v->end.bus.own, "mac", address))
        return NULL;
    if (split_read(v->end.bus.own, "port", port, sizeof(port)) < 0)
        format(port, sizeof(port), "vif%u.%u", v->end.domain, v->end.handle);
    split_number(v->end.bus.own, "machine", &machine);
    return fabric_attach(v->fabric, medium_config(m->medium)->name, port, v->end.domain,
                         (u32)machine, address);
}

static void stop(struct split_device *d)
{
    struct vifback *v = d->owner;

    list_remove(&v->ready);
    if (v->port)
        fabric_detach(v->port);
    v->port = NULL;
    vif_rings_close(&v->rings);
}

static bool fail(const struct vifback *v, const char *why)
{
    rt_printf("fabric: %s: %s\n", v->end.bus.own, why);
    return false;
}

static bool connect(struct split_device *d)
{
    struct vifback *v = d->owner;
    const char *why = vif_rings_connect(&v->rings, d, on_event, v);

    if (why)
        return fail(v, why);
    v->port = attach(v);
    if (!v->port)
        return fail(v, "no address, or no place left on the medium");
    v->port->owner = v;
    if (v->rings.groups)
        medium_port_groups(v->port->medium->medium, v->port->port, v->rings.net.groups);
    vifback_is_ready(v);
    return true;
}

static const struct split_driver driver = {.offer = offer, .connect = connect, .stop = stop};

struct vifback *vifback_open(struct fabric *f, u32 domain, u32 handle)
{
    struct vifback *v = rt_alloc(sizeof(*v));
    char path[SPLIT_PATH];

    if (!v)
        return NULL;
    v->fabric = f;
    v->end.domain = domain;
    v->end.handle = handle;
    list_init(&v->ready);
    format(path, sizeof(path), "backend/vif/%u/%u", domain, handle);
    if (split_device_open(&v->end.bus, BUS_BACK, path, &driver, v))
        return v;
    rt_free(v, sizeof(*v));
    return NULL;
}

void vifback_close(struct vifback *v)
{
    split_device_close(&v->end.bus);
    list_remove(&v->ready);
    rt_free(v, sizeof(*v));
}

_Static_assert((u32)CHECKSUM_BLANK == SPLIT_CSUM_BLANK, "flags are passed on as they are");
_Static_assert((u32)CHECKSUM_GOOD == SPLIT_CSUM_GOOD, "flags are passed on as they are");

bool vifback_give(struct vifback *v, const u8 *bytes, size_t len, u32 checksum)
{
    if (v->rings.net.broken || !netback_room(&v->rings.net, len) ||
        !netback_put(&v->rings.net, bytes, len, checksum))
        return false;
    vifback_is_ready(v);
    return true;
}

static bool give(struct vifback *v)
{
    const struct fabric_frame *f;
    u32 count = 0;

    while ((f = fabric_next(v->port)) && count++ < FRAMES_PER_TURN) {
        if (!netback_room(&v->rings.net, f->len)) {
            /* It keeps its place until the front end posts buffers and kicks. One longer
             * than the front end could ever take goes nowhere. */
            if (f->len <= NET_FRAME_MAX && !v->rings.net.broken)
                return false;
            fabric_given(v->port);
            continue;
        }
        netback_put(&v->rings.net, f->bytes, f->len, f->checksum);
        fabric_given(v->port);
    }
    return f != NULL;
}

/* Moves frames both ways. True: there is more. */
static bool serve(struct vifback *v, u64 now)
{
    u32 checksum, count = 0;
    bool more = false;
    size_t len;

    if (!v->port || v->rings.net.broken)
        return false;
    while (count++ < FRAMES_PER_TURN &&
           (len = netback_take(&v->rings.net, frame, sizeof(frame), &checksum)) != 0)
        fabric_take(v->port, frame, len, checksum, now);
    more = give(v);
    netback_flush(&v->rings.net);
    if (now - v->prompted_ns >= PROMPT_NS) {
        v->prompted_ns = now;
        netback_prompt(&v->rings.net);
    }
    if (v->rings.net.broken) {
        rt_printf("fabric: %s: %s\n", v->end.bus.own, v->rings.net.broken);
        return false;
    }
    return more || !netback_idle(&v->rings.net);
}

bool vifback_turn(u64 now)
{
    struct list *node;

    while ((node = ready_take(&queue))) {
        struct vifback *v = list_entry(node, struct vifback, ready);

        if (serve(v, now))
            ready_again(&queue, node);
    }
    return !ready_turn(&queue);
}
