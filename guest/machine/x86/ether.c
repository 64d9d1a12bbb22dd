/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network device in a vif's place. It is there or it is not: it has no other end that goes
 * and comes, and interrupts for every frame.
 */
#include "guest/machine/x86/ether.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/virtio/message.h"
#include "guest/virtio/net.h"
#include "guest/virtio/pci.h"

enum { FRAME = 1514 };

static struct ether {
    struct vif vif;
    struct virtio_net net;
    struct split_net_stats stats;
} ethers[ETHERS];
static u32 count;

static struct ether *ether_of(struct vif *v)
{
    return container_of(v, struct ether, vif);
}

static bool put(struct vif *v, const void *block, size_t len)
{
    struct ether *e = ether_of(v);

    if (!virtio_net_put(&e->net, block, (u32)len)) {
        e->stats.no_buffer++;
        return false;
    }
    e->stats.frames_out++;
    e->stats.bytes_out += len;
    return true;
}

/* A device that does what cannot be is given up for good. */
static void examine(struct ether *e)
{
    const char *in = e->net.in.queue.broken, *out = e->net.out.queue.broken;

    if (!in && !out)
        return;
    rt_printf("node: network device: %s\n", in ? in : out);
    vif_is_down(&e->vif);
}

static size_t take(struct vif *v, void *block, size_t room)
{
    struct ether *e = ether_of(v);
    size_t len = virtio_net_take(&e->net, block, (u32)MIN(room, (size_t)FRAME));

    examine(e);
    e->stats.frames_in += !!len;
    e->stats.bytes_in += len;
    return len;
}

static bool room(struct vif *v, size_t len)
{
    (void)len;
    return virtio_net_room(&ether_of(v)->net);
}

static void flush(struct vif *v)
{
    virtio_net_flush(&ether_of(v)->net);
}

/* A message to the processor is not lost. */
static void prompt(struct vif *v)
{
    (void)v;
}

static bool idle(struct vif *v)
{
    return virtio_net_idle(&ether_of(v)->net);
}

/* Nobody is there to begin anew with. */
static const char *broken(struct vif *v)
{
    (void)v;
    return NULL;
}

static const struct split_net_stats *stats(struct vif *v)
{
    return &ether_of(v)->stats;
}

static const struct vif_end end = {.put = put,
                                   .take = take,
                                   .room = room,
                                   .flush = flush,
                                   .prompt = prompt,
                                   .idle = idle,
                                   .broken = broken,
                                   .stats = stats,
                                   .anew = XenbusStateClosed};

static void on_message(void *arg)
{
    vif_event(arg, 0);
}

static bool open_one(struct ether *e, u32 devfn)
{
    struct virtio_place p;

    if (!pci_virtio_take(devfn, VIRTIO_ID_NET, &p, on_message, &e->vif))
        return false;
    vif_init(&e->vif, &end);
    e->vif.device.own_only = false; /* an Ethernet believes everybody */
    if (!virtio_net_open(&e->net, &p, FRAME) ||
        !virtio_net_address(&e->net, e->vif.device.address)) {
        rt_printf("node: network at function %u.%u: %s\n", devfn / 8, devfn % 8,
                  e->net.device.why);
        return false;
    }
    vif_is_up(&e->vif);
    return true;
}

u32 ether_open(void)
{
    for (u32 devfn = 0; devfn < PCI_FUNCTIONS && count < ETHERS; devfn++)
        if (open_one(&ethers[count], devfn))
            count++;
    return count;
}

struct vif *ether_vif(u32 number)
{
    return &ethers[number].vif;
}
