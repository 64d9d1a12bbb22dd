/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake over the store. Our state is what we wrote last, not what a predecessor
 * left there; the other's is read anew each time something changed.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "splitdrv/device.h"

enum {
    STEPS = 16,        /* longer than any path through the table */
    FAILURES_MOST = 8, /* in a row; then the device stays closed */
};

long split_read(const char *base, const char *key, char *value, size_t room)
{
    char path[SPLIT_PATH + 64];

    format(path, sizeof(path), "%s/%s", base, key);
    return rt_store_read(0, path, value, room);
}

bool split_number(const char *base, const char *key, u64 *value)
{
    char path[SPLIT_PATH + 64];

    format(path, sizeof(path), "%s/%s", base, key);
    return rt_store_number(0, path, value) >= 0;
}

bool split_write(const char *base, const char *key, u64 value)
{
    char path[SPLIT_PATH + 64];

    format(path, sizeof(path), "%s/%s", base, key);
    return rt_store_printf(0, path, "%lu", value) >= 0;
}

static void on_change(void *arg, const char *path)
{
    struct split_device *d = arg;

    (void)path;
    d->changed = true;
}

static XenbusState state_of(const char *base)
{
    u64 state;

    if (!split_number(base, "state", &state) || state > XenbusStateReconfigured)
        return XenbusStateUnknown;
    return (XenbusState)state;
}

bool split_device_open(struct split_device *d, enum bus_side side, const char *own,
                       const struct split_driver *driver, void *owner)
{
    bool front = side == BUS_FRONT;
    char path[SPLIT_PATH + 8];
    u64 peer;

    *d = (struct split_device){.side = side, .driver = driver, .owner = owner, .online = true};
    format(d->own, sizeof(d->own), "%s", own);
    if (split_read(own, front ? "backend" : "frontend", d->other, sizeof(d->other)) < 0 ||
        !split_number(own, front ? "backend-id" : "frontend-id", &peer) || peer > DOMID_SELF)
        return false;
    d->peer = (domid_t)peer;
    d->state = XenbusStateUnknown;
    d->changed = true;
    format(path, sizeof(path), "%s/state", d->other);
    if (rt_store_watch(&d->watch, path, on_change, d) < 0)
        return false;
    if (!front) {
        format(path, sizeof(path), "%s/online", d->own);
        rt_store_watch(&d->own_watch, path, on_change, d);
    }
    return true;
}

static bool act(struct split_device *d, enum bus_action action)
{
    switch (action) {
    case BUS_OFFER: return d->driver->offer(d);
    case BUS_LEND: return d->driver->lend(d);
    case BUS_CONNECT: return d->driver->connect(d);
    case BUS_RUN: d->driver->run(d); break;
    case BUS_STOP: d->driver->stop(d); break;
    default: break;
    }
    return true;
}

bool split_device_poll(struct split_device *d)
{
    XenbusState before = d->state;
    u64 online = 1;

    if (!d->changed)
        return false;
    d->changed = false;
    if (d->side == BUS_BACK)
        d->online = !split_number(d->own, "online", &online) || online;
    d->online = d->online && d->failures < FAILURES_MOST;
    for (u32 i = 0; i < STEPS; i++) {
        struct bus_step s = bus_next(d->side, d->state, state_of(d->other), d->online);

        if (s.next == d->state)
            break;
        if (!act(d, s.action)) {
            if (s.action == BUS_OFFER)
                break; /* nothing to offer yet: asked again when something changes */
            rt_printf("split: %s: %s failed\n", d->own, bus_state_name(s.next));
            d->driver->stop(d);
            d->failures++;
            s.next = XenbusStateClosing;
        }
        if (s.next == XenbusStateConnected)
            d->failures = 0;
        d->state = s.next;
        if (!split_write(d->own, "state", (u64)s.next))
            break; /* the toolstack has removed the device */
    }
    return d->state != before;
}

void split_device_close(struct split_device *d)
{
    char path[SPLIT_PATH + 8];

    if (d->state == XenbusStateConnected || d->state == XenbusStateInitialised)
        d->driver->stop(d);
    d->state = XenbusStateClosed;
    format(path, sizeof(path), "%s/state", d->other);
    rt_store_unwatch(&d->watch, path);
    if (d->side == BUS_BACK) {
        format(path, sizeof(path), "%s/online", d->own);
        rt_store_unwatch(&d->own_watch, path);
    }
}
