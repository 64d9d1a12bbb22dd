/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes' interfaces: the four device functions over ports of the fabric, which believes, carries
 * and delivers frames as it does for domains.
 */
#include <string.h>
#include "guest/machine/campaign/world.h"

static bool room(const struct world_port *p, size_t len)
{
    return medium_room(p->fabric->medium->medium, p->fabric->port, p->world->sim->now) >= len;
}

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct world_port *p = d->owner;
    u8 frame[FABRIC_OUTSIDE_BLOCK];

    if (!p->fabric || len > sizeof(frame))
        return true; /* lost, as on a line that is not plugged in */
    if (!room(p, len)) {
        p->refused = true;
        return false;
    }
    memcpy(frame, block, len);
    fabric_take(p->fabric, frame, len, 0, p->world->sim->now);
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t most)
{
    struct world_port *p = d->owner;
    const struct fabric_frame *f = p->fabric ? fabric_next(p->fabric) : NULL;
    size_t len;

    if (!f)
        return 0;
    len = MIN(f->len, most);
    memcpy(block, f->bytes, len);
    fabric_given(p->fabric);
    return len;
}

static u32 status(struct net_device *d)
{
    const struct world_port *p = d->owner;

    return p->fabric ? NET_STATUS_UP | NET_STATUS_BROADCAST | NET_STATUS_CAN_WRITE : 0;
}

static u32 pending(struct net_device *d)
{
    struct world_port *p = d->owner;
    u32 bits = p->pending;

    if (p->refused && p->fabric && room(p, p->device.block_max)) {
        p->refused = false;
        bits |= NET_INT_WRITTEN;
    }
    p->pending = 0;
    return bits;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len, u32 checksum)
{
    (void)p;
    (void)frame;
    (void)len;
    (void)checksum;
    return false; /* it waits in the fabric until the node has its turn */
}

void fabric_up_ready(struct fabric_port *f)
{
    struct world_port *p = f->owner;

    p->pending |= NET_INT_RECEIVED;
    p->world->due[p->node] = 0;
}

/* Nothing is captured. */
void capture_up_bytes(struct capture *c, const void *bytes, size_t len)
{
    (void)c;
    (void)bytes;
    (void)len;
}

static void changed(struct world_port *p)
{
    p->pending |= NET_INT_STATUS;
    p->world->due[p->node] = 0;
}

void ports_plug(struct world *w, struct world_node *n, u32 port)
{
    struct world_port *p = &n->port[port];
    u32 index = (u32)(n - w->node);

    if (p->fabric)
        return;
    p->world = w;
    p->node = index;
    p->fabric = fabric_attach(&w->fabric, p->medium, n->name, index + 1, index + 1, p->address);
    if (!p->fabric) {
        w->wrong = "a node names a medium that is not there, or has no place left";
        return;
    }
    p->fabric->owner = p;
    changed(p);
}

void ports_unplug(struct world *w, struct world_node *n, u32 port)
{
    struct world_port *p = &n->port[port];

    (void)w;
    if (!p->fabric)
        return;
    fabric_detach(p->fabric);
    p->fabric = NULL;
    changed(p);
}

void ports_attach(struct world *w, struct world_node *n)
{
    struct sim_node *sn = &w->sim->nodes[n - w->node];

    for (u32 i = 0; i < n->ports && !w->wrong; i++) {
        struct world_port *p = &n->port[i];
        const struct medium *m;

        p->pending = 0;
        p->refused = false;
        ports_plug(w, n, i);
        if (w->wrong)
            return;
        m = p->fabric->medium->medium;
        p->device = (struct net_device){.ops = &ops,
                                        .block_max = MIN(medium_block_max(m), (u16)9014),
                                        .bytes_per_second = medium_rate(m),
                                        .own_only = n->ports == 1,
                                        .owner = p};
        memcpy(p->device.address, p->address, 6);
        if (net_attach(sn->net, &p->device) != NET_OK)
            w->wrong = "a node cannot take its interface";
    }
}
