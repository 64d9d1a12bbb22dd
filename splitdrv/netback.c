/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of the network driver. A frame's slots are gathered and checked as copies
 * (XSA-155), its chain is bounded (XSA-423, XSA-432), and each request is answered once.
 */
#include "splitdrv/net.h"
#include "base/wide.h"

/* A frame as its slots describe it. */
struct chain {
    struct netif_tx_request slot[NET_SLOTS_MAX];
    u32 slots;  /* kept in slot[] */
    u32 used;   /* requests consumed, extra info included */
    u32 extras; /* of them */
    bool bad;
    bool group; /* no frame, but who wants a group of addresses, or no longer */
    struct netif_extra_info extra; /* the last one */
};

void netback_open(struct netback *b, domid_t peer, void *tx_ring, void *rx_ring, u32 tx_port,
                  u32 rx_port, bool persistent)
{
    /* The caches are empty, and large: what is not used of them stays untouched. */
    memset(b, 0, offsetof(struct netback, tx_cache));
    b->peer = peer;
    b->tx_port = tx_port;
    b->rx_port = rx_port;
    b->persistent = persistent;
    RING_OPEN_BACK(&b->tx, netif_tx, tx_ring);
    RING_OPEN_BACK(&b->rx, netif_rx, rx_ring);
    cache_open(&b->tx_cache, peer, true);
    cache_open(&b->rx_cache, peer, false);
}

void netback_close(struct netback *b)
{
    cache_drop(&b->tx_cache);
    cache_drop(&b->rx_cache);
    if (!b->broken)
        b->broken = "closed";
}

/* Requests waiting on the tx ring. */
static u32 waiting(struct netback *b)
{
    RING_IDX prod = ring_peer(&b->tx.sring->req_prod);

    if (RING_REQUEST_PROD_OVERFLOW(&b->tx, prod)) {
        b->broken = "tx request index is out of the ring";
        return 0;
    }
    return prod - b->tx.req_cons;
}

/* The extra-info slots behind the first request; the caller has checked that one is due. */
static void gather_extras(struct netback *b, struct chain *c, u32 available)
{
    struct netif_tx_request raw;

    do {
        if (c->used == available) {
            b->broken = "extra info is announced but missing";
            return;
        }
        RING_COPY_REQUEST(&b->tx, b->tx.req_cons + c->used, &raw);
        memcpy(&c->extra, &raw, sizeof(c->extra));
        c->used++;
        c->extras++;
        if (!c->extra.type || c->extra.type >= XEN_NETIF_EXTRA_TYPE_MAX) {
            b->broken = "extra info of an unknown type";
            return;
        }
    } while (c->extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
    c->group = c->extras == 1 && (c->extra.type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD ||
                                  c->extra.type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL);
    /* Nothing else that needs one was negotiated, so a frame with any is refused; but the
     * chain had to be followed to its end to find the next frame. */
    c->bad = !c->group;
}

_Static_assert(sizeof(struct netif_extra_info) <= sizeof(struct netif_tx_request),
               "extra info is laid over a request");

/* Copies the requests of the next frame. False: the ring is broken or a chain is cut. */
static bool gather(struct netback *b, struct chain *c, u32 available)
{
    struct netif_tx_request r;
    bool more;

    c->slots = c->used = c->extras = 0; /* slot[] is read as far as it is written */
    c->bad = c->group = false;
    do {
        if (c->used == available) {
            b->broken = "a frame's chain is cut off";
            return false;
        }
        RING_COPY_REQUEST(&b->tx, b->tx.req_cons + c->used, &r);
        c->used++;
        more = r.flags & NETTXF_more_data;
        if (c->slots < NET_SLOTS_MAX)
            c->slot[c->slots++] = r;
        else
            c->bad = true;
        if (c->slots == 1 && c->used == 1 && r.flags & NETTXF_extra_info)
            gather_extras(b, c, available);
    } while (more && !b->broken);
    return !b->broken;
}

/* The first slot names the whole length: what is left for it, checked. */
static size_t measure(struct chain *c, size_t room)
{
    size_t total = c->slot[0].size, rest = 0;

    for (u32 i = 1; i < c->slots; i++) {
        if (!c->slot[i].size)
            c->bad = true;
        rest += c->slot[i].size;
    }
    if (total < 14 || total > room || rest >= total)
        c->bad = true;
    else
        c->slot[0].size = (u16)(total - rest);
    for (u32 i = 0; i < c->slots; i++)
        c->bad |= (u32)c->slot[i].offset + c->slot[i].size > SPLIT_PAGE;
    return c->bad ? 0 : total;
}

static bool fetch(struct netback *b, const struct chain *c, u8 *frame)
{
    struct split_copy copies[NET_SLOTS_MAX];
    u32 count = 0;

    for (u32 i = 0; i < c->slots; i++) {
        const struct netif_tx_request *s = &c->slot[i];
        const u8 *page = b->persistent ? cache_page(&b->tx_cache, s->gref) : NULL;

        if (page)
            copy_wide(frame, page + s->offset, s->size);
        else
            copies[count++] = (struct split_copy){frame, s->gref, s->offset, s->size, -1};
        frame += s->size;
    }
    if (!count)
        return true;
    b->stats.copies++;
    split_copy(b->peer, false, copies, count);
    for (u32 i = 0; i < count; i++) {
        if (copies[i].status)
            return false;
    }
    return true;
}

static void respond(struct netback *b, u16 id, s16 status)
{
    struct netif_tx_response *r = RING_GET_RESPONSE(&b->tx, b->tx.rsp_prod_pvt);

    r->id = id;
    r->status = status;
    b->tx.rsp_prod_pvt++;
    b->tx_dirty = true;
}

/* Answers every consumed request, in its place. */
static void respond_chain(struct netback *b, const struct chain *c, s16 status)
{
    u32 kept = 0;

    for (u32 i = 0; i < c->used; i++) {
        if (i >= 1 && i <= c->extras)
            respond(b, 0, NETIF_RSP_NULL);
        else if (kept < c->slots)
            respond(b, c->slot[kept++].id, status);
        else /* of a chain too long: its id was not kept, so read it once more */
            respond(b, RING_GET_REQUEST(&b->tx, b->tx.req_cons + i)->id, status);
    }
    b->tx.req_cons += c->used;
}

/* Several addresses are one group, so that none is ever taken out: who gets more than it asked for
 * does not mind, as the header says. */
static void want(struct netback *b, const struct netif_extra_info *e)
{
    if (e->type != XEN_NETIF_EXTRA_TYPE_MCAST_ADD)
        return;
    if (memcmp(e->u.mcast.addr, frame_everybody, sizeof(frame_everybody)) == 0)
        memset(b->groups, 0xff, sizeof(b->groups));
    else
        net_group_put(b->groups, net_group_of(e->u.mcast.addr));
}

size_t netback_take(struct netback *b, void *frame, size_t room, u32 *checksum)
{
    struct chain c;
    size_t len;
    u32 available;

    for (u32 i = 0; i < NET_RING && !b->broken && (available = waiting(b)) != 0; i++) {
        if (!gather(b, &c, available))
            return 0;
        if (c.group && c.slots == 1) {
            want(b, &c.extra);
            respond_chain(b, &c, NETIF_RSP_OKAY);
            continue;
        }
        c.bad |= c.group; /* with more of a frame behind it */
        len = measure(&c, room);
        if (len && fetch(b, &c, frame)) {
            respond_chain(b, &c, NETIF_RSP_OKAY);
            *checksum = c.slot[0].flags & (SPLIT_CSUM_BLANK | SPLIT_CSUM_GOOD);
            b->stats.frames_in++;
            b->stats.bytes_in += len;
            return len;
        }
        b->stats.malformed++;
        respond_chain(b, &c, NETIF_RSP_ERROR);
    }
    return 0;
}

_Static_assert(NETTXF_csum_blank == SPLIT_CSUM_BLANK, "flags are passed on as they are");
_Static_assert(NETTXF_data_validated == SPLIT_CSUM_GOOD, "flags are passed on as they are");

static u32 slots_for(size_t len)
{
    return (u32)((len + SPLIT_PAGE - 1) / SPLIT_PAGE);
}

static u32 buffers(struct netback *b)
{
    RING_IDX prod = ring_peer(&b->rx.sring->req_prod);

    if (RING_REQUEST_PROD_OVERFLOW(&b->rx, prod)) {
        b->broken = "rx request index is out of the ring";
        return 0;
    }
    return prod - b->rx.req_cons;
}

/* What is wanted of a front end that has taken all and sleeps, it is told once: netfront_idle
 * looks for it. One that is awake looks before it sleeps. */
static void wish(struct netback *b, RING_IDX event)
{
    if (b->rx_dirty || event == b->rx_wish ||
        ring_peer(&b->rx.sring->rsp_event) != b->rx.rsp_prod_pvt + 1)
        return;
    b->rx_wish = event;
    b->stats.kicks++;
    split_notify(b->rx_port);
}

bool netback_room(struct netback *b, size_t len)
{
    RING_IDX event;

    if (b->broken)
        return false;
    if (buffers(b) >= slots_for(len))
        return true;
    if (b->broken)
        return false;
    event = b->rx.req_cons + slots_for(len);
    b->rx.sring->req_event = event;
    xen_mb();
    if (buffers(b) >= slots_for(len))
        return true;
    wish(b, event);
    return false;
}

bool netback_put(struct netback *b, const void *frame, size_t len, u32 checksum)
{
    struct split_copy copies[NET_SLOTS_MAX];
    struct netif_rx_request r[NET_SLOTS_MAX];
    u32 slots = slots_for(len), count = 0;
    u8 *at = (u8 *)(uintptr_t)frame;
    bool good = true;

    if (b->broken || !len || len > NET_FRAME_MAX || buffers(b) < slots) {
        b->stats.no_buffer++;
        return false;
    }
    for (u32 i = 0; i < slots; i++) {
        u16 part = (u16)MIN(len - (size_t)i * SPLIT_PAGE, (size_t)SPLIT_PAGE);
        u8 *page;

        RING_COPY_REQUEST(&b->rx, b->rx.req_cons + i, &r[i]);
        page = b->persistent ? cache_page(&b->rx_cache, r[i].gref) : NULL;
        if (page)
            copy_wide(page, at, part);
        else
            copies[count++] = (struct split_copy){at, r[i].gref, 0, part, -1};
        at += part;
    }
    if (count) {
        b->stats.copies++;
        split_copy(b->peer, true, copies, count);
    }
    for (u32 i = 0; i < count; i++)
        good &= !copies[i].status;
    b->stats.malformed += !good;
    b->rx.req_cons += slots;
    for (u32 i = 0; i < slots; i++) {
        struct netif_rx_response *p = RING_GET_RESPONSE(&b->rx, b->rx.rsp_prod_pvt);
        u32 flags = i + 1 < slots ? NETRXF_more_data : 0;

        if (!i && checksum & SPLIT_CSUM_BLANK)
            flags |= NETRXF_csum_blank | NETRXF_data_validated;
        else if (!i && checksum & SPLIT_CSUM_GOOD)
            flags |= NETRXF_data_validated;
        p->id = r[i].id;
        p->offset = 0;
        p->flags = (u16)flags;
        p->status = good ? (s16)MIN(len - (size_t)i * SPLIT_PAGE, (size_t)SPLIT_PAGE)
                         : (s16)NETIF_RSP_ERROR;
        b->rx.rsp_prod_pvt++;
    }
    b->rx_dirty = true;
    b->stats.frames_out += good;
    b->stats.bytes_out += good ? len : 0;
    return true;
}

void netback_flush(struct netback *b)
{
    bool tx = false, rx = false;

    if (b->broken)
        return;
    if (b->tx_dirty)
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&b->tx, tx);
    if (b->rx_dirty)
        RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&b->rx, rx);
    b->tx_dirty = b->rx_dirty = false;
    if (tx && b->tx_port == b->rx_port)
        rx = !(tx = false);
    if (tx) {
        b->stats.kicks++;
        split_notify(b->tx_port);
    }
    if (rx) {
        b->stats.kicks++;
        split_notify(b->rx_port);
    }
}

bool netback_idle(struct netback *b)
{
    if (b->broken)
        return true;
    if (waiting(b))
        return false;
    if (b->broken)
        return true;
    b->tx.sring->req_event = b->tx.req_cons + 1;
    xen_mb();
    return !waiting(b);
}

/* Whoever has taken all there is asks for an event by the next. What was wished for and did not
 * come is wished for again. */
void netback_prompt(struct netback *b)
{
    b->rx_wish = 0;
    if (b->broken ||
        !ring_overdue(ring_peer(&b->rx.sring->rsp_event) - 1, &b->rx_due, b->rx.rsp_prod_pvt))
        return;
    b->stats.again++;
    b->stats.kicks++;
    split_notify(b->rx_port);
}
