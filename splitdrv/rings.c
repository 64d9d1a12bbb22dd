/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connecting to a front end's rings. Rings, ports and features are the front end's words and
 * believed only as far as they can be used.
 */
#include "splitdrv/rings.h"

bool vif_rings_offer(struct split_device *d, u64 rate, u32 block)
{
    return split_write(d->own, "feature-rx-copy", 1) &&
           split_write(d->own, "feature-rx-flip", 0) && split_write(d->own, "feature-sg", 1) &&
           split_write(d->own, "feature-split-event-channels", 1) &&
           split_write(d->own, "feature-persistent", 1) &&
           split_write(d->own, "medium-rate", rate) &&
           split_write(d->own, "medium-block", block);
}

static u32 bind(struct split_device *d, const char *key, rt_event_fn *fn, void *arg)
{
    u64 remote;
    long port;

    if (!split_number(d->other, key, &remote) || remote > 0xffffffffu)
        return 0;
    port = rt_event_bind_interdomain(d->peer, (u32)remote, fn, arg);
    return port > 0 ? (u32)port : 0;
}

static bool bind_ports(struct vif_rings *r, struct split_device *d, rt_event_fn *fn, void *arg)
{
    r->tx_port = r->rx_port = bind(d, "event-channel", fn, arg);
    if (r->tx_port)
        return true;
    r->tx_port = bind(d, "event-channel-tx", fn, arg);
    r->rx_port = bind(d, "event-channel-rx", fn, arg);
    return r->tx_port && r->rx_port;
}

const char *vif_rings_connect(struct vif_rings *r, struct split_device *d, rt_event_fn *fn,
                              void *arg)
{
    u64 tx, rx, copy = 0, persistent = 0, groups = 0;

    if (!split_number(d->other, "tx-ring-ref", &tx) ||
        !split_number(d->other, "rx-ring-ref", &rx) || tx >> 32 || rx >> 32)
        return "the front end does not say where its rings are";
    split_number(d->other, "request-rx-copy", &copy);
    split_number(d->other, "feature-persistent", &persistent);
    split_number(d->other, "request-multicast-control", &groups);
    r->groups = groups == 1;
    if (!copy)
        return "the front end wants pages flipped, which is history";
    if (!split_map(d->peer, (grant_ref_t)tx, false, &r->tx) ||
        !split_map(d->peer, (grant_ref_t)rx, false, &r->rx))
        return "the rings cannot be mapped";
    if (!bind_ports(r, d, fn, arg))
        return "the event channels cannot be bound";
    netback_open(&r->net, d->peer, r->tx.at, r->rx.at, r->tx_port, r->rx_port, persistent == 1);
    r->open = true;
    return NULL;
}

void vif_rings_close(struct vif_rings *r)
{
    if (r->open)
        netback_close(&r->net);
    r->open = false;
    if (r->tx.at)
        split_unmap(&r->tx);
    if (r->rx.at)
        split_unmap(&r->rx);
    if (r->tx_port)
        rt_event_close(r->tx_port);
    if (r->rx_port && r->rx_port != r->tx_port)
        rt_event_close(r->rx_port);
    r->tx_port = r->rx_port = 0;
}
