/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake over the store. Our state is what we wrote last, not what a predecessor
 * left there; the other's is read anew each time something changed.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "splitdrv/device.h"

/* States of an end that may still use what the other has lent. */
#define ENDS_USING (1u << XenbusStateInitialised | 1u << XenbusStateConnected)

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

void split_forget(const char *base, const char *key)
{
    char path[SPLIT_PATH + 64];

    format(path, sizeof(path), "%s/%s", base, key);
    rt_store_remove(0, path);
}

bool split_renew(const char *base, const char *key, u64 value)
{
    split_forget(base, key);
    return split_write(base, key, value);
}

static bool parse_mac(const char *s, u8 mac[6])
{
    for (u32 i = 0; i < 12; i++) {
        char c = *s++;
        u32 digit = c >= '0' && c <= '9' ? (u32)c - '0' : ((u32)c | 32u) - 'a' + 10u;

        if (digit > 15)
            return false;
        mac[i / 2] = (u8)((u32)mac[i / 2] << 4 | digit);
        if (i % 2 && i < 11 && *s++ != ':')
            return false;
    }
    return true;
}

bool split_mac(const char *base, const char *key, u8 mac[6])
{
    char text[32];

    return split_read(base, key, text, sizeof(text)) >= 0 && parse_mac(text, mac);
}

void split_device_news(struct split_device *d)
{
    d->changed = true;
    if (d->has_news)
        d->has_news(d);
}

static void on_change(void *arg, const char *path)
{
    (void)path;
    split_device_news(arg);
}

static XenbusState state_of(const char *base)
{
    u64 state;

    if (!split_number(base, "state", &state) || state > XenbusStateReconfigured)
        return XenbusStateUnknown;
    return (XenbusState)state;
}

/* Who the other side is, by our own directory. False: it does not say. */
static bool find_peer(struct split_device *d)
{
    u64 peer;

    if (!split_number(d->own, d->side == BUS_FRONT ? "backend-id" : "frontend-id", &peer) ||
        peer >= DOMID_FIRST_RESERVED)
        return false;
    d->peer = (domid_t)peer;
    return true;
}

/* Where it is, too. Who calls this watches that place from then on. */
static bool find_other(struct split_device *d)
{
    return split_read(d->own, d->side == BUS_FRONT ? "backend" : "frontend", d->other,
                      sizeof(d->other)) >= 0 &&
           find_peer(d);
}

static bool watch_other(struct split_device *d)
{
    char path[SPLIT_PATH + 8];

    format(path, sizeof(path), "%s/state", d->other);
    return rt_store_watch(&d->watch, path, on_change, d) >= 0;
}

/* What of our own directory the toolstack changes: `online`; `backend`, when another domain
 * takes the place of one that died. */
static const char *own_key(const struct split_device *d)
{
    return d->side == BUS_FRONT ? "backend" : "online";
}

bool split_device_open(struct split_device *d, enum bus_side side, const char *own,
                       const struct split_driver *driver, void *owner)
{
    char path[SPLIT_PATH + 8];

    *d = (struct split_device){.side = side, .driver = driver, .owner = owner, .online = true};
    format(d->own, sizeof(d->own), "%s", own);
    d->state = XenbusStateUnknown;
    d->changed = true;
    if (!find_other(d) || !watch_other(d))
        return false;
    format(path, sizeof(path), "%s/%s", d->own, own_key(d));
    rt_store_watch(&d->own_watch, path, on_change, d);
    return true;
}

static bool in_use(const struct split_device *d)
{
    return d->state == XenbusStateConnected || d->state == XenbusStateInitialised;
}

/* A front end whose back end is another domain now begins anew with that. */
static void follow_backend(struct split_device *d)
{
    char now[SPLIT_PATH];

    if (split_read(d->own, "backend", now, sizeof(now)) < 0 || strcmp(now, d->other) == 0)
        return;
    if (in_use(d))
        d->driver->stop(d);
    rt_store_unwatch(&d->watch);
    d->state = XenbusStateUnknown;
    d->failures = 0;
    if (find_other(d))
        watch_other(d);
}

static bool act(struct split_device *d, enum bus_action action)
{
    switch (action) {
    case BUS_OFFER: return d->driver->offer(d);
    /* The toolstack may have written who it is after where it is. Where it is stays what is watched:
     * if another place stands there by now, the next poll follows. */
    case BUS_LEND: return find_peer(d) && d->driver->lend(d);
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
    if (d->side == BUS_FRONT)
        follow_backend(d);
    else
        d->online = !split_number(d->own, "online", &online) || online;
    d->online = (d->side == BUS_FRONT || d->online) && d->failures < FAILURES_MOST;
    for (u32 i = 0; i < STEPS; i++) {
        struct bus_step s = bus_next(d->side, d->state, state_of(d->other), d->online);
        bool failed = false;

        if (s.next == d->state)
            break;
        if (!act(d, s.action)) {
            if (s.action == BUS_OFFER)
                break; /* nothing to offer yet: asked again when something changes */
            rt_printf("split: %s: %s failed\n", d->own, bus_state_name(s.next));
            d->driver->stop(d);
            d->failures++;
            failed = true;
            s.next = XenbusStateClosing;
        }
        if (s.next == XenbusStateConnected)
            d->failures = 0;
        d->state = s.next;
        if (!split_write(d->own, "state", (u64)bus_said(s.next, d->driver->eager)))
            break; /* the toolstack has removed the device */
        if (failed && d->side == BUS_FRONT)
            break; /* what could not be lent now can be when something has changed */
    }
    return d->state != before;
}

void split_device_close(struct split_device *d)
{
    if (in_use(d))
        d->driver->stop(d);
    d->state = XenbusStateClosed;
    rt_store_unwatch(&d->watch);
    rt_store_unwatch(&d->own_watch);
}

void split_device_leave(struct split_device *d)
{
    if (in_use(d))
        split_write(d->own, "state", XenbusStateClosing);
}

/* A front end that is still there has let go once it says so; so has one that is anywhere else. */
bool split_device_alone(const struct split_device *d)
{
    return !in_use(d) || !(ENDS_USING >> state_of(d->other) & 1);
}

void split_device_suspend(struct split_device *d)
{
    split_device_close(d);
    split_write(d->own, "state", XenbusStateClosed);
}

bool split_device_resume(struct split_device *d)
{
    char own[SPLIT_PATH];

    memcpy(own, d->own, sizeof(own));
    if (split_device_open(d, d->side, own, d->driver, d->owner))
        return true;
    d->state = XenbusStateClosed;
    d->changed = false;
    return false;
}
