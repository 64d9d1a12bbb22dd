/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain around the deeds: its vif, connected and after each break connected again; what it is to
 * do; a line on its console for each new deed. Command line: seed=N.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/foe/foe.h"
#include "splitdrv/platform.h"

#define ROUND_NS 1000000ull  /* between two acts */
#define STUCK_NS 20000000ull /* no connection for so long: it is made again */

enum { ACTS = 4 }; /* on one connection: a back end serves no ring that was broken */

static void on_event(void *arg, u32 port)
{
    (void)arg;
    (void)port;
}

static void on_alarm(void *arg)
{
    (void)arg;
}

static void let_go(struct split_device *d)
{
    struct foe *f = d->owner;

    if (f->port)
        rt_event_close(f->port);
    f->port = 0;
    f->up = false;
    if (f->tx_ref && rt_grant_end(f->tx_ref) && rt_grant_end(f->rx_ref))
        f->tx_ref = f->rx_ref = 0;
}

/* Pages that the other end still maps are never used again. */
static bool fresh(struct foe *f)
{
    if (!f->tx || f->tx_ref) {
        f->tx = rt_frames(1);
        f->rx = rt_frames(1);
    }
    if (!f->tx || !f->rx)
        return false;
    memset(f->tx, 0, SPLIT_PAGE);
    memset(f->rx, 0, SPLIT_PAGE);
    f->tx->req_event = f->tx->rsp_event = f->rx->req_event = f->rx->rsp_event = 1;
    return true;
}

static bool lend(struct split_device *d)
{
    struct foe *f = d->owner;
    long port = rt_event_alloc_unbound(d->peer, on_event, f);

    if (port < 0 || !fresh(f))
        return false;
    f->port = (u32)port;
    f->tx_ref = split_grant(d->peer, f->tx, false);
    f->rx_ref = split_grant(d->peer, f->rx, false);
    for (u32 i = 0; i < FOE_PAGES; i++)
        f->ref[i] = f->ref[i] ? f->ref[i] : split_grant(d->peer, f->page[i], false);
    return f->tx_ref && f->rx_ref && split_renew(d->own, "tx-ring-ref", f->tx_ref) &&
           split_renew(d->own, "rx-ring-ref", f->rx_ref) &&
           split_renew(d->own, "event-channel", f->port) &&
           split_renew(d->own, "request-rx-copy", 1) &&
           split_renew(d->own, "feature-rx-notify", 1);
}

static void run(struct split_device *d)
{
    struct foe *f = d->owner;

    f->up = true;
    f->acts = 0;
    f->connections++;
    foe_greet(f);
}

static const struct split_driver driver = {.lend = lend, .run = run, .stop = let_go};

/* The back end has had enough of it, or it has said nonsense of its own state: from the start. */
static void again(struct foe *f)
{
    let_go(&f->bus);
    f->bus.state = XenbusStateInitialising;
    f->bus.failures = 0;
    split_write(f->bus.own, "state", XenbusStateInitialising);
    f->bus.changed = true;
    f->since_ns = rt_now_ns();
}

/* What it is to do from now on, said on the console when that is new. */
static const struct deed *told(const struct foe *f, const struct deed *before)
{
    char name[32] = "";
    const struct deed *deed;

    if (rt_store_read(0, "data/misbehave", name, sizeof(name)) < 0)
        return before; /* the store has had enough of it, too */
    deed = deed_of(name);
    if (deed != before)
        rt_printf("foe: %s, after %lu acts on %lu connections\n", deed ? deed->name : "nothing",
                  f->done, f->connections);
    return deed;
}

/* One act, or the next connection to act on. */
static void act(struct foe *f, const struct deed *deed)
{
    if (f->up && deed && f->acts < ACTS) {
        deed->act(f);
        f->done++;
        f->acts++;
    } else if (f->up ? deed != NULL : rt_now_ns() - f->since_ns > STUCK_NS) {
        again(f);
    }
}

int rt_main(const struct rt_start *start)
{
    static struct foe foe;
    const struct deed *deed = NULL;

    (void)start;
    foe.seed = rt_option_number("seed", 1);
    for (u32 i = 0; i < FOE_PAGES; i++)
        foe.page[i] = rt_frames(1);
    rt_alarm_handler(on_alarm, NULL);
    if (!split_device_open(&foe.bus, BUS_FRONT, "device/vif/0", &driver, &foe))
        rt_panic("no vif");
    for (;;) {
        rt_store_poll();
        split_device_poll(&foe.bus);
        deed = told(&foe, deed);
        act(&foe, deed);
        rt_wait_until(rt_now_ns() + ROUND_NS);
    }
}
