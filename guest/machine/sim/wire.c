/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire, by the four device functions.
 */
#include "base/keyed.h"
#include "guest/machine/sim/wire.h"
#include "net/net.h"
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1514 };

struct block {
    struct block *next;
    size_t len;
    u8 bytes[];
};

struct port {
    struct net_device device;
    struct list ports; /* of the node */
    struct sim *sim;
    struct sim_node *node;
    struct block *first, **last;
    u32 pending;
};

static struct port *port_of(const struct sim_node *sn)
{
    return list_empty(&sn->ports) ? NULL : list_entry(sn->ports.next, struct port, ports);
}

static void put(struct port *p, const void *bytes, size_t len)
{
    struct block *b = malloc(sizeof(*b) + len);

    b->next = NULL;
    b->len = len;
    memcpy(b->bytes, bytes, len);
    *p->last = b;
    p->last = &b->next;
    p->pending |= NET_INT_RECEIVED;
}

static bool lost(struct sim *s)
{
    return s->lose && keyed_below(s->seed, 0, s->aimed++, 100) < s->lose;
}

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct port *from = d->owner;
    const u8 *to = block;

    for (u32 i = 0; i < from->sim->count; i++) {
        struct port *p = port_of(&from->sim->nodes[i]);

        if (p && p != from && p->node->wire == from->node->wire && !p->node->down &&
            !p->node->cut && !from->node->cut &&
            (to[0] & 1 || memcmp(to, p->device.address, 6) == 0) && !lost(from->sim))
            put(p, block, len);
    }
    return true;
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct port *p = d->owner;
    struct block *b = p->first;
    size_t len;

    if (!b)
        return 0;
    p->first = b->next;
    if (!p->first)
        p->last = &p->first;
    len = MIN(b->len, room);
    memcpy(block, b->bytes, len);
    free(b);
    return len;
}

static u32 status(struct net_device *d)
{
    (void)d;
    return NET_STATUS_UP | NET_STATUS_BROADCAST | NET_STATUS_CAN_WRITE;
}

static u32 pending(struct net_device *d)
{
    struct port *p = d->owner;
    u32 bits = p->pending;

    p->pending = 0;
    return bits;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

void wire_join(struct sim *s, u32 first, u32 count)
{
    for (u32 i = first; i < first + count; i++) {
        struct port *p = calloc(1, sizeof(*p));

        p->sim = s;
        p->node = &s->nodes[i];
        p->last = &p->first;
        p->pending = NET_INT_STATUS;
        p->device = (struct net_device){
            .ops = &ops,
            .address = {2, 0, 0, (u8)(i >> 16), (u8)(i >> 8), (u8)i},
            .block_max = BLOCK,
            .owner = p};
        list_push_back(&p->node->ports, &p->ports);
        net_attach(p->node->net, &p->device);
    }
}

void wire_leave(struct sim_node *sn)
{
    struct port *p = port_of(sn);

    if (!p)
        return;
    list_remove(&p->ports);
    while (p->first) {
        struct block *b = p->first;

        p->first = b->next;
        free(b);
    }
    net_detach(sn->net, &p->device);
    free(p);
}

bool wire_busy(const struct sim *s)
{
    for (u32 i = 0; i < s->count; i++) {
        const struct port *p = port_of(&s->nodes[i]);

        if (p && p->first && !p->node->down)
            return true;
    }
    return false;
}
