/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end of the network driver. Its buffers are lent once and used again and again
 * (persistent grants), so a frame costs a copy and at most one kick. What the back end
 * answers is believed only as far as our own records agree.
 */
#include "splitdrv/net.h"
#include "base/wide.h"

/* Of each kind so many are used at first, and twice as many after all were full once for each of
 * them. A page that was never used was never touched, and costs nothing where memory comes by being
 * touched. */
enum { BUFFERS_FIRST = 4 };

static u32 posted(const struct netfront *f)
{
    return f->rx.req_prod_pvt - f->rx.rsp_cons;
}

static void post(struct netfront *f)
{
    while (f->rx_pool.free && posted(f) < f->rx_want) {
        u32 id = pool_take(&f->rx_pool);
        struct netif_rx_request *r = RING_GET_REQUEST(&f->rx, f->rx.req_prod_pvt);

        r->id = (u16)id;
        r->pad = 0;
        r->gref = f->rx_pool.ref[id];
        f->rx_slot[f->rx.req_prod_pvt % NET_RING] = (u16)id;
        f->rx.req_prod_pvt++;
        f->rx_dirty = true;
    }
}

bool netfront_open(struct netfront *f, domid_t peer, void *tx_ring, void *rx_ring, u32 tx_port,
                   u32 rx_port, void *tx_pages, u32 tx_count, void *rx_pages, u32 rx_count)
{
    *f = (struct netfront){.peer = peer, .tx_port = tx_port, .rx_port = rx_port};
    RING_OPEN_FRONT(&f->tx, netif_tx, tx_ring);
    RING_OPEN_FRONT(&f->rx, netif_rx, rx_ring);
    if (!pool_open(&f->tx_pool, peer, tx_pages, MIN(tx_count, (u32)NET_RING), true))
        return false;
    if (!pool_open(&f->rx_pool, peer, rx_pages, MIN(rx_count, (u32)NET_RING), false)) {
        pool_close(&f->tx_pool);
        return false;
    }
    f->rx_want = MIN((u32)BUFFERS_FIRST, f->rx_pool.count);
    f->tx_spare = f->tx_pool.count - MIN((u32)BUFFERS_FIRST, f->tx_pool.count);
    f->tx.sring->rsp_event = 0; /* behind: no kick for tx answers unless we ask for it */
    post(f);
    return true;
}

bool netfront_close(struct netfront *f)
{
    bool tx = pool_close(&f->tx_pool), rx = pool_close(&f->rx_pool);

    if (!f->broken)
        f->broken = "closed";
    return tx && rx;
}

static u32 slots_for(size_t len)
{
    return (u32)((len + SPLIT_PAGE - 1) / SPLIT_PAGE);
}

void netfront_expect(struct netfront *f, size_t len)
{
    f->rx_want = MIN(MAX(f->rx_want, slots_for(len)), f->rx_pool.count);
    post(f);
}

/* Takes back the buffers of answered requests. */
static void reap(struct netfront *f)
{
    RING_IDX prod = ring_peer(&f->tx.sring->rsp_prod);
    struct netif_tx_response r;

    if (prod - f->tx.rsp_cons > f->tx.req_prod_pvt - f->tx.rsp_cons) {
        f->broken = "tx response index is out of the ring";
        return;
    }
    for (; f->tx.rsp_cons != prod; f->tx.rsp_cons++) {
        RING_COPY_RESPONSE(&f->tx, f->tx.rsp_cons, &r);
        if (r.status == NETIF_RSP_NULL)
            continue;
        if (!pool_back(&f->tx_pool, r.id)) {
            f->broken = "tx response for a request that was not made";
            return;
        }
    }
}

static bool has_room(const struct netfront *f, u32 slots)
{
    return f->tx_pool.free >= slots && f->tx_pool.free > f->tx_spare;
}

/* Those that were answered serve again before others are used for the first time: but for the slots
 * of one large frame, no more are under way. Who finds none answered time and again may use more. */
static bool reuse(struct netfront *f, u32 slots, u32 weight)
{
    u32 used = f->tx_pool.count - f->tx_spare;

    reap(f);
    if (f->broken || has_room(f, slots))
        return !f->broken;
    f->tx_full += weight;
    if (f->tx_full >= used) {
        f->tx_full = 0;
        f->tx_spare -= MIN(f->tx_spare, used);
    }
    return has_room(f, slots);
}

static bool find_room(struct netfront *f, u32 slots, u32 weight)
{
    if (f->broken)
        return false;
    if (has_room(f, slots) || reuse(f, slots, weight))
        return true;
    if (f->broken)
        return false;
    /* Wake us when enough has been answered. */
    f->tx.sring->rsp_event = f->tx.rsp_cons + (MAX(slots, f->tx_spare + 1) - f->tx_pool.free);
    xen_mb();
    reap(f);
    return !f->broken && has_room(f, slots);
}

bool netfront_room(struct netfront *f, size_t len)
{
    return find_room(f, slots_for(len), 1);
}

bool netfront_put(struct netfront *f, const void *frame, size_t len, u32 checksum)
{
    u32 slots = slots_for(len);
    const u8 *at = frame;

    if (!len || len > NET_FRAME_MAX || !find_room(f, slots, slots)) {
        f->stats.no_buffer++;
        return false;
    }
    for (u32 i = 0; i < slots; i++) {
        u32 id = pool_take(&f->tx_pool);
        u16 part = (u16)MIN(len - (size_t)i * SPLIT_PAGE, (size_t)SPLIT_PAGE);
        struct netif_tx_request *r = RING_GET_REQUEST(&f->tx, f->tx.req_prod_pvt);

        copy_wide(pool_page(&f->tx_pool, id), at, part);
        at += part;
        r->gref = f->tx_pool.ref[id];
        r->offset = 0;
        r->flags = (u16)((i + 1 < slots ? NETTXF_more_data : 0) | (i ? 0 : checksum));
        r->id = (u16)id;
        r->size = i ? part : (u16)len;
        f->tx.req_prod_pvt++;
    }
    f->tx_dirty = true;
    f->stats.frames_out++;
    f->stats.bytes_out += len;
    return true;
}

bool netfront_group(struct netfront *f, const u8 address[6])
{
    struct netif_extra_info e = {.type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD};
    struct netif_tx_request *r;
    u32 id;

    if (!find_room(f, 1, 1))
        return false;
    id = pool_take(&f->tx_pool);
    r = RING_GET_REQUEST(&f->tx, f->tx.req_prod_pvt++);
    *r = (struct netif_tx_request){
        .gref = f->tx_pool.ref[id], .flags = NETTXF_extra_info, .id = (u16)id};
    memcpy(e.u.mcast.addr, address, sizeof(e.u.mcast.addr));
    memcpy(RING_GET_REQUEST(&f->tx, f->tx.req_prod_pvt++), &e, sizeof(e));
    f->tx_dirty = true;
    return true;
}

/* Copies one response's part of a frame out, if it is what it says. -1: it is not. */
static s32 part(struct netfront *f, RING_IDX at, u8 *to, size_t room, u16 *flags)
{
    struct netif_rx_response r;
    u32 id;

    RING_COPY_RESPONSE(&f->rx, at, &r);
    id = r.id;
    *flags = r.flags;
    if (id != f->rx_slot[at % NET_RING] || !pool_back(&f->rx_pool, id)) {
        f->broken = "rx response for a buffer that was not posted there";
        return -1;
    }
    if (r.status <= 0 || (u32)r.offset + (u16)r.status > SPLIT_PAGE || (u16)r.status > room)
        return -1;
    copy_wide(to, pool_page(&f->rx_pool, id) + r.offset, (u16)r.status);
    return r.status;
}

/* An extra-info response occupies a posted buffer's place, which is ours again. */
static bool skip_extras(struct netfront *f, RING_IDX prod)
{
    struct netif_extra_info extra;
    struct netif_rx_response raw;

    do {
        if (f->rx.rsp_cons == prod) {
            f->broken = "extra info is announced but missing";
            return false;
        }
        RING_COPY_RESPONSE(&f->rx, f->rx.rsp_cons, &raw);
        memcpy(&extra, &raw, sizeof(extra));
        pool_back(&f->rx_pool, f->rx_slot[f->rx.rsp_cons++ % NET_RING]);
    } while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    return true;
}

_Static_assert(sizeof(struct netif_extra_info) <= sizeof(struct netif_rx_response),
               "extra info is laid over a response");

/* One frame's responses up to `prod`; its length, 0: dropped (or broken). */
static size_t assemble(struct netfront *f, RING_IDX prod, u8 *frame, size_t room, u32 *checksum)
{
    size_t len = 0;
    bool good = true;
    u16 flags, first = 0;
    u32 parts = 0;

    do {
        s32 got;

        if (f->rx.rsp_cons == prod) {
            f->broken = "a frame's chain is cut off";
            return 0;
        }
        got = part(f, f->rx.rsp_cons++, frame + len, room - len, &flags);
        if (f->broken)
            return 0;
        if (got < 0)
            good = false;
        else
            len += (size_t)got;
        if (!parts)
            first = flags;
        if (!parts++ && flags & NETRXF_extra_info) {
            good = false;
            if (!skip_extras(f, prod))
                return 0;
        }
    } while (flags & NETRXF_more_data);
    *checksum = (first & NETRXF_csum_blank ? SPLIT_CSUM_BLANK : 0u) |
                (first & NETRXF_data_validated ? SPLIT_CSUM_GOOD : 0u);
    return good ? len : 0;
}

static u32 arrived(struct netfront *f)
{
    RING_IDX prod = ring_peer(&f->rx.sring->rsp_prod);

    if (prod - f->rx.rsp_cons > posted(f)) {
        f->broken = "rx response index is out of the ring";
        return 0;
    }
    return prod - f->rx.rsp_cons;
}

/* What is posted has no room for another frame like this one: more came than there was room for,
 * or soon will. Who is met by that time and again gets more; what comes once, such as a flood of
 * all nodes, waits in the back end, where a small frame takes less than a page. */
static void post_more(struct netfront *f, u32 empty, size_t len)
{
    u32 slots = MAX(slots_for(len), 1u);

    if (empty >= slots || f->rx_want == f->rx_pool.count)
        return;
    f->rx_full += slots;
    if (f->rx_full < f->rx_want)
        return;
    f->rx_full = 0;
    f->rx_want = MIN(2 * f->rx_want, f->rx_pool.count);
}

/* The back end has a frame for which all that is posted is too little: it says so by the index at
 * which it wants to be told. True: there is more now. */
static bool post_wished(struct netfront *f)
{
    RING_IDX event = ring_peer(&f->rx.sring->req_event);

    if ((s32)(event - f->rx.req_prod_pvt) <= 0 || f->rx_want == f->rx_pool.count)
        return false;
    f->rx_want = MIN(MAX(event - f->rx.rsp_cons, f->rx_want), f->rx_pool.count);
    post(f);
    return f->rx_dirty;
}

size_t netfront_take(struct netfront *f, void *frame, size_t room, u32 *checksum)
{
    u32 available;

    while (!f->broken && (available = arrived(f)) != 0) {
        u32 empty = posted(f) - available;
        size_t len = assemble(f, f->rx.rsp_cons + available, frame, room, checksum);

        post_more(f, empty, len);
        if (!f->broken)
            post(f);
        if (len) {
            f->stats.frames_in++;
            f->stats.bytes_in += len;
            return len;
        }
        f->stats.malformed++;
    }
    return 0;
}

void netfront_flush(struct netfront *f)
{
    bool tx = false, rx = false;

    if (f->broken)
        return;
    if (f->tx_dirty)
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&f->tx, tx);
    if (f->rx_dirty)
        RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(&f->rx, rx);
    f->tx_dirty = f->rx_dirty = false;
    if (tx && f->tx_port == f->rx_port)
        rx = !(tx = false);
    if (tx) {
        f->stats.kicks++;
        split_notify(f->tx_port);
    }
    if (rx) {
        f->stats.kicks++;
        split_notify(f->rx_port);
    }
}

bool netfront_idle(struct netfront *f)
{
    if (f->broken)
        return true;
    if (arrived(f))
        return false;
    if (f->broken)
        return true;
    f->rx.sring->rsp_event = f->rx.rsp_cons + 1;
    xen_mb();
    if (post_wished(f))
        netfront_flush(f);
    return !arrived(f);
}

void netfront_prompt(struct netfront *f)
{
    if (f->broken ||
        !ring_overdue(ring_peer(&f->tx.sring->rsp_prod), &f->tx_due, f->tx.req_prod_pvt))
        return;
    f->stats.again++;
    f->stats.kicks++;
    split_notify(f->tx_port);
}
