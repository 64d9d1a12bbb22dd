/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four functions over either end of a vif, and when to look and to kick. Blocks written
 * between two rests leave with one kick. While the other end is away, blocks are swallowed: the
 * protocol above repeats what mattered.
 */
#include "splitdrv/vif.h"

enum { BLOCK_DEFAULT = 1514 };

void vif_event(void *arg, u32 port)
{
    struct vif *v = arg;

    (void)port;
    v->interrupts |= NET_INT_RECEIVED | (v->refused ? NET_INT_WRITTEN : 0u);
}

/* There is no room: an event will say when there is. False: nor will there be, it is broken. */
static bool has_to_wait(struct vif *v)
{
    v->end->flush(v);
    v->refused = !v->end->broken(v);
    return v->refused;
}

static bool write_block(struct net_device *d, const void *block, size_t len)
{
    struct vif *v = d->owner;

    if (!v->up)
        return true;
    return v->end->put(v, block, len) || !has_to_wait(v);
}

static size_t read_block(struct net_device *d, void *block, size_t room)
{
    struct vif *v = d->owner;

    return v->up ? v->end->take(v, block, room) : 0;
}

static u32 status(struct net_device *d)
{
    struct vif *v = d->owner;

    if (!v->up)
        return 0;
    return NET_STATUS_UP | NET_STATUS_BROADCAST |
           (v->end->room(v, d->block_max) || !has_to_wait(v) ? NET_STATUS_CAN_WRITE : 0u);
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

void vif_init(struct vif *v, const struct vif_end *end)
{
    *v = (struct vif){.end = end,
                      .device = {.ops = &ops,
                                 .owner = v,
                                 .own_only = true, /* net/fabric/README.md: what it believes */
                                 .block_max = BLOCK_DEFAULT}};
}

void vif_is_up(struct vif *v)
{
    v->up = true;
    v->told = (struct net_groups){0};
    v->interrupts |= NET_INT_STATUS | NET_INT_RECEIVED;
}

void vif_is_down(struct vif *v)
{
    v->interrupts |= v->up ? NET_INT_STATUS : 0u;
    v->up = false;
}

void vif_attached(struct vif *v)
{
    v->opened = true;
}

/* A lend that failed for want of pages that have come back since was nobody's failure. */
static void try_again(struct vif *v)
{
    if (!v->end->regain || v->bus.state != XenbusStateClosing || !v->end->regain(v))
        return;
    v->bus.failures = 0;
    v->bus.changed = true;
}

void vif_poll(struct vif *v)
{
    split_device_poll(&v->bus);
    if (!v->up) {
        try_again(v);
    } else if (v->end->broken(v)) { /* the other end misbehaved: start over with it */
        v->bus.driver->stop(&v->bus);
        v->bus.state = v->end->anew;
        split_write(v->bus.own, "state", v->end->anew);
        v->bus.changed = true;
    }
}

bool vif_listen(struct vif *v)
{
    if (v->up && !v->end->idle(v))
        v->interrupts |= NET_INT_RECEIVED;
    return !v->interrupts;
}

/* False: no room for more. */
static bool tell_word(struct vif *v, u32 word)
{
    u64 news = v->device.wants->bit[word] & ~v->told.bit[word];
    u8 address[6];

    for (; news; news &= news - 1) {
        u32 group = word * 64 + (u32)__builtin_ctzll(news);

        net_group_address(address, group);
        if (!v->end->group(v, address))
            return false;
        v->told.bit[word] |= news & -news;
    }
    return true;
}

static bool tell_all(struct vif *v)
{
    v->told.all = v->told.all || v->end->group(v, frame_everybody);
    return v->told.all;
}

static bool has_to_tell(const struct vif *v)
{
    return v->device.groups && v->device.wants && v->device.wants->changes != v->told.changes;
}

/* What finds no room is told the next time. */
static void tell_groups(struct vif *v)
{
    const struct net_groups *w = v->device.wants;
    bool done = true;

    if (w->all)
        done = tell_all(v);
    for (u32 i = 0; i < ARRAY_SIZE(w->bit) && done && !w->all; i++)
        done = tell_word(v, i);
    if (done)
        v->told.changes = w->changes;
}

void vif_flush(struct vif *v)
{
    if (!v->up)
        return;
    if (has_to_tell(v))
        tell_groups(v);
    v->end->flush(v);
}

void vif_prompt(struct vif *v)
{
    if (v->up)
        v->end->prompt(v);
}

bool vif_rest(struct vif *v)
{
    if (!v->up)
        return !v->interrupts;
    vif_flush(v);
    if (v->refused && v->end->room(v, v->device.block_max))
        v->interrupts |= NET_INT_WRITTEN;
    return vif_listen(v);
}

void vif_leave(struct vif *v)
{
    if (v->bus.driver)
        split_device_leave(&v->bus);
}

bool vif_alone(const struct vif *v)
{
    return !v->bus.driver || split_device_alone(&v->bus);
}

void vif_suspend(struct vif *v)
{
    if (v->bus.driver)
        split_device_suspend(&v->bus);
}

void vif_resume(struct vif *v)
{
    if (v->bus.driver)
        split_device_resume(&v->bus);
}

const struct split_net_stats *vif_stats(struct vif *v)
{
    return v->end->stats(v);
}
