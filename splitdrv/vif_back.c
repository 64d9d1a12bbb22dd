/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif's back end in a node: the other half of a direct medium. The ring itself is the medium, so
 * there is nothing between the two nodes that could delay, lose or record a frame.
 */
#include "base/format.h"
#include "guest/rt/console.h"
#include "guest/rt/frame.h"
#include "splitdrv/rings.h"
#include "splitdrv/vif.h"

struct vif_back {
    struct vif vif;
    u32 domain, handle;
    bool gone;
    struct vif_rings rings;
};

static struct vif_back *back_of(struct vif *v)
{
    return container_of(v, struct vif_back, vif);
}

static bool put(struct vif *v, const void *block, size_t len)
{
    struct netback *b = &back_of(v)->rings.net;

    return netback_room(b, len) && netback_put(b, block, len, SPLIT_CSUM_GOOD);
}

static size_t take(struct vif *v, void *block, size_t room)
{
    u32 checksum = 0;
    size_t len = netback_take(&back_of(v)->rings.net, block, room, &checksum);

    v->device.checked = checksum & SPLIT_CSUM_GOOD;
    return len;
}

static bool room(struct vif *v, size_t len)
{
    return netback_room(&back_of(v)->rings.net, len);
}

static void flush(struct vif *v)
{
    netback_flush(&back_of(v)->rings.net);
}

static void prompt(struct vif *v)
{
    netback_prompt(&back_of(v)->rings.net);
}

static bool idle(struct vif *v)
{
    return netback_idle(&back_of(v)->rings.net);
}

static const char *broken(struct vif *v)
{
    return back_of(v)->rings.net.broken;
}

static const struct split_net_stats *stats(struct vif *v)
{
    return &back_of(v)->rings.net.stats;
}

static const struct vif_end end = {.put = put,
                                   .take = take,
                                   .room = room,
                                   .flush = flush,
                                   .prompt = prompt,
                                   .idle = idle,
                                   .broken = broken,
                                   .stats = stats,
                                   .anew = XenbusStateClosing};

static bool offer(struct split_device *d)
{
    return vif_rings_offer(d, 0, NET_BLOCK_MAX);
}

static bool connect(struct split_device *d)
{
    struct vif_back *b = back_of(d->owner);
    const char *why = vif_rings_connect(&b->rings, d, vif_event, &b->vif);

    if (why)
        rt_printf("vif: %s: %s\n", d->own, why);
    else
        vif_is_up(&b->vif);
    return !why;
}

static void stop(struct split_device *d)
{
    struct vif_back *b = back_of(d->owner);

    vif_is_down(&b->vif);
    vif_rings_close(&b->rings);
}

static const struct split_driver driver = {.offer = offer, .connect = connect, .stop = stop};

static bool begin(struct vif_back *b, u32 domain, u32 handle)
{
    char path[SPLIT_PATH];
    u8 *address = b->vif.device.address;

    b->domain = domain;
    b->handle = handle;
    format(path, sizeof(path), "backend/vif/%u/%u", domain, handle);
    b->gone = !split_mac(path, "address", address) ||
              !split_device_open(&b->vif.bus, BUS_BACK, path, &driver, &b->vif);
    return !b->gone;
}

struct vif *vif_back_open(u32 domain, u32 handle)
{
    struct vif_back *b = rt_alloc(sizeof(*b));

    if (!b)
        return NULL;
    vif_init(&b->vif, &end);
    b->vif.device.block_max = NET_BLOCK_MAX;
    if (begin(b, domain, handle))
        return &b->vif;
    rt_free(b, sizeof(*b));
    return NULL;
}

static const struct vif_back *back_if(const struct vif *v)
{
    return v->end == &end ? container_of(v, struct vif_back, vif) : NULL;
}

bool vif_is_back_of(const struct vif *v, u32 domain, u32 handle)
{
    const struct vif_back *b = back_if(v);

    return b && !b->gone && b->domain == domain && b->handle == handle;
}

bool vif_back_is_gone(const struct vif *v)
{
    return back_if(v) && back_if(v)->gone;
}

void vif_back_drop(struct vif *v)
{
    u64 id;

    if (!back_if(v) || back_of(v)->gone || split_number(v->bus.own, "frontend-id", &id))
        return;
    split_device_close(&v->bus);
    back_of(v)->gone = true;
}

bool vif_back_again(struct vif *v, u32 domain, u32 handle)
{
    return begin(back_of(v), domain, handle);
}
