/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end's life over the store, and the four functions. Blocks written between two
 * rests leave with one kick. While the back end is away, blocks are swallowed: the protocol
 * above repeats what mattered.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/vif.h"

enum { BLOCK_DEFAULT = 1514 + NET_HEADER };

static void on_event(void *arg, u32 port)
{
    struct vif *v = arg;

    (void)port;
    v->interrupts |= NET_INT_RECEIVED | (v->refused ? NET_INT_WRITTEN : 0u);
}

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct vif *v = d->owner;

    if (!v->up)
        return true;
    if (netfront_put(&v->front, block, len, 0))
        return true;
    netfront_flush(&v->front);
    v->refused = !v->front.broken;
    return v->front.broken;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct vif *v = d->owner;
    u32 checksum;

    return v->up ? netfront_take(&v->front, block, room, &checksum) : 0;
}

static u32 status(struct net_device *d)
{
    struct vif *v = d->owner;

    return v->up ? NET_STATUS_UP | NET_STATUS_BROADCAST | NET_STATUS_CAN_WRITE : 0;
}

static u32 pending(struct net_device *d)
{
    struct vif *v = d->owner;
    u32 taken = v->interrupts;

    v->interrupts = 0;
    if (taken & NET_INT_WRITTEN)
        v->refused = false;
    return taken;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

/* What the back end says of the medium; it may lie, so within what a device can be. */
static void read_medium(struct vif *v)
{
    u64 value;
    u16 block = BLOCK_DEFAULT;

    if (split_number(v->bus.other, "medium-block", &value) && value >= NET_BLOCK_MIN &&
        value <= NET_BLOCK_MAX)
        block = (u16)value;
    /* Whoever attached the device has made its buffers: they may not become too small. */
    v->device.block_max = v->opened ? MIN(block, v->device.block_max) : block;
    v->device.bytes_per_second = split_number(v->bus.other, "medium-rate", &value) ? value : 0;
}

static void let_go(struct split_device *d)
{
    struct vif *v = d->owner;

    if (v->port)
        rt_event_close(v->port);
    v->port = 0;
    v->interrupts |= v->up ? NET_INT_STATUS : 0u;
    v->up = false;
    if (!v->tx_ref)
        return;
    /* Pages a back end that died still has mapped are never lent or used again. */
    if (!netfront_close(&v->front) || !rt_grant_end(v->tx_ref) || !rt_grant_end(v->rx_ref))
        v->rings = v->buffers = NULL;
    v->tx_ref = v->rx_ref = 0;
}

static bool lend(struct split_device *d)
{
    struct vif *v = d->owner;
    u8 *rings, *buffers;
    long port;

    v->rings = v->rings ? v->rings : rt_frames(2);
    if (!v->buffers) /* what lies in them is never looked at before it is written */
        v->buffers = rt_frames_untouched(VIF_TX_PAGES + VIF_RX_PAGES);
    port = rt_event_alloc_unbound(d->peer, on_event, v);
    if (!v->rings || !v->buffers || port < 0)
        return false;
    rings = v->rings;
    buffers = v->buffers;
    v->port = (u32)port;
    v->tx_ref = split_grant(d->peer, rings, false);
    v->rx_ref = split_grant(d->peer, rings + SPLIT_PAGE, false);
    if (!v->tx_ref || !v->rx_ref ||
        !netfront_open(&v->front, d->peer, rings, rings + SPLIT_PAGE, v->port, v->port, buffers,
                       VIF_TX_PAGES, buffers + VIF_TX_PAGES * SPLIT_PAGE, VIF_RX_PAGES))
        return false;
    netfront_flush(&v->front);
    read_medium(v);
    return split_renew(d->own, "tx-ring-ref", v->tx_ref) &&
           split_renew(d->own, "rx-ring-ref", v->rx_ref) &&
           split_renew(d->own, "event-channel", v->port) &&
           split_renew(d->own, "request-rx-copy", 1) &&
           split_renew(d->own, "feature-rx-notify", 1) &&
           split_renew(d->own, "feature-sg", 1) && split_renew(d->own, "feature-persistent", 1);
}

static void run(struct split_device *d)
{
    struct vif *v = d->owner;

    v->up = true;
    v->interrupts |= NET_INT_STATUS | NET_INT_RECEIVED;
}

static const struct split_driver driver = {.lend = lend, .run = run, .stop = let_go};

bool vif_open(struct vif *v, u32 n, u64 wait_ns)
{
    char path[SPLIT_PATH];
    u64 end = rt_now_ns() + wait_ns;

    *v = (struct vif){.device = {.ops = &ops, .owner = v, .block_max = BLOCK_DEFAULT}};
    format(path, sizeof(path), "device/vif/%u", n);
    if (!split_mac(path, v->device.address) ||
        !split_device_open(&v->bus, BUS_FRONT, path, &driver, v))
        return false;
    while (!v->up && rt_now_ns() < end) {
        if (!rt_store_poll() && !v->bus.changed)
            rt_wait_until(end);
        split_device_poll(&v->bus);
    }
    v->opened = true;
    return true;
}

void vif_poll(struct vif *v)
{
    split_device_poll(&v->bus);
    if (v->up && v->front.broken) { /* the back end misbehaved: start over with it */
        let_go(&v->bus);
        v->bus.state = XenbusStateInitialising;
        split_write(v->bus.own, "state", XenbusStateInitialising);
        v->bus.changed = true;
    }
}

bool vif_listen(struct vif *v)
{
    if (v->up && !netfront_idle(&v->front))
        v->interrupts |= NET_INT_RECEIVED;
    return !v->interrupts;
}

bool vif_rest(struct vif *v)
{
    if (!v->up)
        return !v->interrupts;
    netfront_flush(&v->front);
    if (v->refused && netfront_room(&v->front, v->device.block_max))
        v->interrupts |= NET_INT_WRITTEN;
    return vif_listen(v);
}
