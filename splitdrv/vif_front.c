/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif's front end: it lends its rings and buffers, and keeps them over reconnections.
 */
#include "base/format.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "splitdrv/aside.h"
#include "splitdrv/vif.h"

enum { TX_PAGES = 32, RX_PAGES = 64, ETHERNET = 14, MTU = 1500, ASIDE_MOST = 4 };

_Static_assert(2 + TX_PAGES + RX_PAGES <= ASIDE_GRANTS,
               "all of a connection can be kept aside");

struct vif_front {
    struct vif vif;
    struct netfront front;
    void *rings, *buffers; /* frames of ours */
    struct list aside;     /* more such, which a back end had not let go of */
    u32 aside_count;
    grant_ref_t tx_ref, rx_ref;
    u32 tx_port, rx_port; /* one port twice where the back end knows no other way */
};

static struct vif_front *front_of(struct vif *v)
{
    return container_of(v, struct vif_front, vif);
}

static bool put(struct vif *v, const void *block, size_t len)
{
    return netfront_put(&front_of(v)->front, block, len, SPLIT_CSUM_GOOD);
}

static size_t take(struct vif *v, void *block, size_t room)
{
    u32 checksum = 0;
    size_t len = netfront_take(&front_of(v)->front, block, room, &checksum);

    v->device.checked = checksum & SPLIT_CSUM_GOOD;
    return len;
}

static bool room(struct vif *v, size_t len)
{
    return netfront_room(&front_of(v)->front, len);
}

static void flush(struct vif *v)
{
    netfront_flush(&front_of(v)->front);
}

static void prompt(struct vif *v)
{
    netfront_prompt(&front_of(v)->front);
}

static bool idle(struct vif *v)
{
    return netfront_idle(&front_of(v)->front);
}

static const char *broken(struct vif *v)
{
    return front_of(v)->front.broken;
}

static const struct split_net_stats *stats(struct vif *v)
{
    return &front_of(v)->front.stats;
}

static bool group(struct vif *v, const u8 address[6])
{
    return netfront_group(&front_of(v)->front, address);
}

/* Pages that came back are those to lend next. */
static bool regain(struct vif *v)
{
    struct vif_front *f = front_of(v);
    struct aside *a = f->buffers ? NULL : aside_take(&f->aside);

    if (!a)
        return false;
    if (f->rings)
        rt_frames_free(f->rings, 2);
    f->rings = a->rings;
    f->buffers = a->buffers;
    f->aside_count--;
    rt_free(a, sizeof(*a));
    return true;
}

static const struct vif_end end = {.put = put,
                                   .take = take,
                                   .room = room,
                                   .flush = flush,
                                   .prompt = prompt,
                                   .idle = idle,
                                   .broken = broken,
                                   .stats = stats,
                                   .group = group,
                                   .regain = regain,
                                   .anew = XenbusStateInitialising};

/* Of the largest frame: ours says it of the medium; where Linux is the back end, what its
 * bridge passes follows from the interface's MTU. */
static u64 said_block(const struct vif *v)
{
    u64 value;

    if (split_number(v->bus.other, "medium-block", &value))
        return value;
    return ETHERNET + (split_number(v->bus.own, "mtu", &value) ? value : MTU);
}

/* What the back end says of the medium; it may lie, so within what a device can be. */
static void read_medium(struct vif *v)
{
    u64 value = said_block(v);
    u16 block = v->device.block_max;

    if (value >= NET_BLOCK_MIN && value <= NET_BLOCK_MAX)
        block = (u16)value;
    /* Whoever attached the device has made its buffers: they may not become too small. */
    v->device.block_max = v->opened ? MIN(block, v->device.block_max) : block;
    v->device.bytes_per_second = split_number(v->bus.other, "medium-rate", &value) ? value : 0;
}

/* Groups are for back ends like ours, which take however many of them. */
static bool ask_for_groups(struct vif *v)
{
    u64 offered = 0, block;

    split_number(v->bus.other, "feature-multicast-control", &offered);
    v->device.groups = offered && split_number(v->bus.other, "medium-block", &block);
    return split_renew(v->bus.own, "request-multicast-control", v->device.groups);
}

static void close_ports(struct vif_front *f)
{
    if (f->rx_port && f->rx_port != f->tx_port)
        rt_event_close(f->rx_port);
    if (f->tx_port)
        rt_event_close(f->tx_port);
    f->tx_port = f->rx_port = 0;
}

static grant_ref_t unended(grant_ref_t ref)
{
    return ref && !split_ungrant(ref) ? ref : 0;
}

/* Pages a back end still has mapped are not used while it has. Without memory to remember them
 * they never are again. */
static void put_aside(struct vif_front *f)
{
    struct aside *a = rt_alloc(sizeof(*a));

    if (a && aside_add(a, f->tx_ref) && aside_add(a, f->rx_ref) &&
        aside_add_pool(a, &f->front.tx_pool) && aside_add_pool(a, &f->front.rx_pool)) {
        a->rings = f->rings;
        a->buffers = f->buffers;
        list_push_back(&f->aside, &a->others);
        f->aside_count++;
    }
    f->rings = f->buffers = NULL;
}

static void let_go(struct split_device *d)
{
    struct vif_front *f = front_of(d->owner);
    bool all;

    close_ports(f);
    vif_is_down(&f->vif);
    if (!f->tx_ref)
        return;
    all = netfront_close(&f->front);
    f->tx_ref = unended(f->tx_ref);
    f->rx_ref = unended(f->rx_ref);
    if (!all || f->tx_ref || f->rx_ref)
        put_aside(f);
    f->tx_ref = f->rx_ref = 0;
}

static u32 make_port(struct split_device *d)
{
    long port = rt_event_alloc_unbound(d->peer, vif_event, d->owner);

    return port > 0 ? (u32)port : 0;
}

/* A port for each ring, where the back end offers that. */
static bool make_ports(struct vif_front *f, struct split_device *d)
{
    u64 split = 0;

    split_number(d->other, "feature-split-event-channels", &split);
    f->tx_port = make_port(d);
    f->rx_port = split ? make_port(d) : f->tx_port;
    return f->tx_port && f->rx_port;
}

/* What an earlier connection said of its ports goes first. */
static bool say_ports(const struct vif_front *f, const struct split_device *d)
{
    split_forget(d->own, "event-channel");
    split_forget(d->own, "event-channel-tx");
    split_forget(d->own, "event-channel-rx");
    if (f->tx_port == f->rx_port)
        return split_write(d->own, "event-channel", f->tx_port);
    return split_write(d->own, "event-channel-tx", f->tx_port) &&
           split_write(d->own, "event-channel-rx", f->rx_port);
}

/* A back end that lets go of nothing does not get all memory of the domain. */
static bool have_pages(struct vif_front *f)
{
    if (regain(&f->vif))
        return true;
    if (!f->buffers && f->aside_count >= ASIDE_MOST)
        return false;
    f->rings = f->rings ? f->rings : rt_frames(2);
    if (!f->buffers) /* what lies in them is never looked at before it is written */
        f->buffers = rt_frames_untouched(TX_PAGES + RX_PAGES);
    return f->rings && f->buffers;
}

static bool lend(struct split_device *d)
{
    struct vif_front *f = front_of(d->owner);
    u8 *rings, *buffers;
    u64 block;

    if (!have_pages(f) || !make_ports(f, d))
        return false;
    rings = f->rings;
    buffers = f->buffers;
    f->tx_ref = split_grant(d->peer, rings, false);
    f->rx_ref = split_grant(d->peer, rings + SPLIT_PAGE, false);
    if (!f->tx_ref || !f->rx_ref ||
        !netfront_open(&f->front, d->peer, rings, rings + SPLIT_PAGE, f->tx_port, f->rx_port,
                       buffers, TX_PAGES, buffers + TX_PAGES * SPLIT_PAGE, RX_PAGES))
        return false;
    read_medium(&f->vif);
    if (!split_number(d->other, "medium-block", &block)) /* not one of ours, which says */
        netfront_expect(&f->front, f->vif.device.block_max);
    netfront_flush(&f->front);
    return split_renew(d->own, "tx-ring-ref", f->tx_ref) &&
           split_renew(d->own, "rx-ring-ref", f->rx_ref) && say_ports(f, d) &&
           split_renew(d->own, "request-rx-copy", 1) &&
           split_renew(d->own, "feature-rx-notify", 1) &&
           split_renew(d->own, "feature-sg", 1) && ask_for_groups(&f->vif) &&
           split_renew(d->own, "feature-persistent", rt_option_number("persistent", 1) != 0);
}

static void run(struct split_device *d)
{
    vif_is_up(d->owner);
}

static const struct split_driver driver = {
    .lend = lend, .run = run, .stop = let_go, .eager = true};

struct vif *vif_front_open(u32 n)
{
    struct vif_front *f = rt_alloc(sizeof(*f));
    char path[SPLIT_PATH];

    if (!f)
        return NULL;
    vif_init(&f->vif, &end);
    list_init(&f->aside);
    format(path, sizeof(path), "device/vif/%u", n);
    if (split_mac(path, "mac", f->vif.device.address) &&
        split_device_open(&f->vif.bus, BUS_FRONT, path, &driver, &f->vif))
        return &f->vif;
    rt_free(f, sizeof(*f));
    return NULL;
}
