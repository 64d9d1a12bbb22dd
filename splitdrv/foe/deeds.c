/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The deeds, one for each kind of misbehaviour: F18 to F23 and F27 of front ends.
 */
#include "base/format.h"
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/event.h"
#include "guest/rt/grant.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "splitdrv/foe/foe.h"
#include "splitdrv/platform.h"

enum {
    SLOTS = 256,
    BURST = 24,      /* requests at once: longer than any chain that is allowed */
    EVENTS = 500,    /* of one storm */
    PORTS = 4096,    /* whose most are not there */
    STORE_ROUND = 8, /* nodes, watches and transactions at once */
};
#define REWRITE_NS 100000ull

static u64 draw(struct foe *f, u64 limit)
{
    return keyed_below(f->seed, 0xf0e, f->draws++, limit);
}

static u32 odd(struct foe *f)
{
    static const u32 edge[] = {0,    1,    13,   14,     60,     1514,
                               4095, 4096, 4097, 0x7fff, 0x8000, 0xffff};

    return draw(f, 2) ? edge[draw(f, ARRAY_SIZE(edge))] : (u32)draw(f, 65536);
}

static void publish(struct foe *f, u32 more)
{
    __atomic_store_n(&f->tx->req_prod, f->tx->req_prod + more, __ATOMIC_RELEASE);
    rt_event_send(f->port);
}

static netif_tx_request_t *slot(struct foe *f, u32 ahead)
{
    return &f->tx->ring[(f->tx->req_prod + ahead) % SLOTS].req;
}

/* What a decent front end would ask for. */
static void decent(struct foe *f, netif_tx_request_t *r)
{
    u32 n = (u32)draw(f, FOE_PAGES);

    *r = (netif_tx_request_t){.gref = f->ref[n], .id = (u16)draw(f, SLOTS), .size = 60};
}

static void nonsense(struct foe *f, netif_tx_request_t *r)
{
    *r = (netif_tx_request_t){.gref = draw(f, 4) ? f->ref[draw(f, FOE_PAGES)]
                                                 : (u32)draw(f, ~0u),
                              .offset = (u16)odd(f),
                              .flags = (u16)draw(f, 64),
                              .id = (u16)odd(f),
                              .size = (u16)odd(f)};
}

void foe_greet(struct foe *f)
{
    memset(f->page[0], 0xff, 6);
    decent(f, slot(f, 0));
    publish(f, 1);
}

/* F18: the producer goes back, or farther than the ring is long. */
static void index(struct foe *f)
{
    static const u32 by[] = {~0u, 257, 0x80000000, 0xffffff00, 65536};

    publish(f, by[draw(f, ARRAY_SIZE(by))]);
}

/* F19: decent requests, which turn into others while they are read. */
static void rewrite(struct foe *f)
{
    u64 until = rt_now_ns() + REWRITE_NS;

    for (u32 i = 0; i < BURST; i++)
        decent(f, slot(f, i));
    publish(f, BURST);
    while (rt_now_ns() < until)
        for (u32 i = 0; i < SLOTS; i++)
            nonsense(f, &f->tx->ring[i].req);
}

/* F20: chains too long, fragments of no size or past their page, extra slots that do not come. */
static void request(struct foe *f)
{
    u32 count = 1 + (u32)draw(f, BURST);

    for (u32 i = 0; i < count; i++)
        nonsense(f, slot(f, i));
    publish(f, count);
}

/* F21: buffers by the hundred for what arrives, all the same page, and none is ever emptied. */
static void hoard(struct foe *f)
{
    for (u32 i = 0; i < SLOTS; i++)
        f->rx->ring[i].req = (netif_rx_request_t){.id = (u16)i, .gref = f->ref[0]};
    __atomic_store_n(&f->rx->req_prod, f->rx->rsp_prod + SLOTS, __ATOMIC_RELEASE);
    rt_event_send(f->port);
}

/* F22: what is lent is taken back while it is in use, and lent again to read only. */
static void grant(struct foe *f)
{
    u32 n = (u32)draw(f, FOE_PAGES);

    decent(f, slot(f, 0));
    decent(f, slot(f, 1));
    slot(f, 1)->size = 0xffff;
    publish(f, 2);
    if (f->ref[n] && !rt_grant_end(f->ref[n]))
        return;
    f->ref[n] = draw(f, 4) ? split_grant(f->bus.peer, f->page[n], draw(f, 2)) : 0;
}

static void unmoved(void *arg, const char *path)
{
    (void)arg;
    (void)path;
}

/* F23: as much of the store as its quota lets it have, and transactions that never end. */
static void store(struct foe *f)
{
    static struct rt_store_watch watch[STORE_ROUND];
    char path[64];

    for (u32 i = 0; i < STORE_ROUND; i++) {
        rt_store_printf(0, f->bus.own, "nonsense %lu", draw(f, ~0ull));
        split_write(f->bus.own, "tx-ring-ref", draw(f, ~0u));
        split_write(f->bus.own, "state", draw(f, 12));
        rt_store_begin();
        format(path, sizeof(path), "data/%lu", draw(f, 100000));
        rt_store_printf(0, path, "%lu", f->draws);
        if (!watch[i].token)
            rt_store_watch(&watch[i], path, unmoved, NULL);
    }
}

/* F27: events without end, also by ports that are not its own or not there. */
static void events(struct foe *f)
{
    for (u32 i = 0; i < EVENTS; i++)
        rt_event_send(draw(f, 4) ? f->port : (u32)draw(f, PORTS));
}

const struct deed *deed_of(const char *name)
{
    static const struct deed deeds[] = {
        {"index", index}, {"rewrite", rewrite}, {"request", request}, {"hoard", hoard},
        {"grant", grant}, {"store", store},     {"events", events}};

    for (u32 i = 0; i < ARRAY_SIZE(deeds); i++)
        if (strcmp(deeds[i].name, name) == 0)
            return &deeds[i];
    return NULL;
}
