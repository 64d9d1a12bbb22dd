/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network finite-state machines of one device. The output machine asks the sources on
 * its circular list for a block in turn and writes it, at the pace of the medium; the
 * input machine reads blocks, discards corrupted ones and calls whom they are for.
 */
#include "net/core.h"
#include "base/wide.h"
#include "base/crc32c.h"

enum in_event { IN_RECEIVED, IN_EMPTY, IN_DOWNED, IN_UPPED, IN_EVENTS };

static const u8 out_next[OUT_STATES][NFSM_EVENTS] = {
    /*              WORK       EMPTY     REFUSED    ROOM       EARLY      TIME       DOWN      UP */
    [OUT_DOWN] = {OUT_DOWN, OUT_DOWN, OUT_DOWN, OUT_DOWN, OUT_DOWN, OUT_DOWN, OUT_DOWN,
                  OUT_BUSY},
    [OUT_IDLE] = {OUT_BUSY, OUT_IDLE, OUT_IDLE, OUT_IDLE, OUT_IDLE, OUT_IDLE, OUT_DOWN,
                  OUT_IDLE},
    [OUT_BUSY] = {OUT_BUSY, OUT_IDLE, OUT_STUCK, OUT_BUSY, OUT_PACED, OUT_BUSY, OUT_DOWN,
                  OUT_BUSY},
    [OUT_STUCK] = {OUT_STUCK, OUT_STUCK, OUT_STUCK, OUT_BUSY, OUT_STUCK, OUT_STUCK, OUT_DOWN,
                   OUT_BUSY},
    [OUT_PACED] = {OUT_PACED, OUT_PACED, OUT_PACED, OUT_PACED, OUT_PACED, OUT_BUSY, OUT_DOWN,
                   OUT_BUSY},
};

static const u8 in_next[IN_STATES][IN_EVENTS] = {
    /*               RECEIVED    EMPTY     DOWN     UP */
    [IN_DOWN] = {IN_DOWN, IN_DOWN, IN_DOWN, IN_READING},
    [IN_QUIET] = {IN_READING, IN_QUIET, IN_DOWN, IN_READING},
    [IN_READING] = {IN_READING, IN_QUIET, IN_DOWN, IN_READING},
};

static enum give through_give(struct source *s)
{
    struct nfsm *m = container_of(s, struct nfsm, through);
    struct passing *p;
    enum give gave;

    if (list_empty(&m->queue))
        return GIVE_NOTHING;
    p = list_entry(m->queue.next, struct passing, list);
    gave = nfsm_write(m, p->frame, p->len, p->frame + FRAME_TO);
    if (gave == GIVE_BLOCK) {
        list_remove(&p->list);
        m->queue_bytes -= p->len;
        heap_free(m->net->heap, p, sizeof(*p) + p->len);
    }
    return gave;
}

static enum give give(struct source *s)
{
    switch (s->kind) {
    case SOURCE_PEER: return peer_give(container_of(s, struct peer, source));
    case SOURCE_THROUGH: return through_give(s);
    default: return bulk_give(s);
    }
}

/* False: another turn would bring nothing. */
static bool wants_more(const struct source *s)
{
    return s->kind != SOURCE_PEER || peer_has_work(container_of(s, struct peer, source));
}

static enum nfsm_event turn(struct nfsm *m)
{
    struct source *s;

    if (list_empty(&m->circle))
        return NFSM_EMPTY;
    if (m->byte_ns && m->free_at > m->net->now + m->slack_ns)
        return NFSM_EARLY;
    s = list_entry(m->circle.next, struct source, turn);
    switch (give(s)) {
    case GIVE_NOTHING: list_remove(&s->turn); return NFSM_WORK;
    case GIVE_REFUSED: return NFSM_REFUSED;
    default: break;
    }
    if (!wants_more(s)) {
        list_remove(&s->turn);
    } else if (m->circle.prev != &s->turn) {
        list_remove(&s->turn);
        list_push_back(&m->circle, &s->turn);
    }
    return NFSM_WORK;
}

void nfsm_event(struct nfsm *m, enum nfsm_event e)
{
    m->out = out_next[m->out][e];
    if (m->running)
        return;
    m->running = true;
    while (m->out == OUT_BUSY)
        m->out = out_next[m->out][turn(m)];
    m->running = false;
    if (m->out == OUT_PACED)
        net_due(m->net, &m->due, m->free_at - m->slack_ns);
}

void nfsm_due(struct due *d)
{
    struct nfsm *m = container_of(d, struct nfsm, due);

    nfsm_event(m, NFSM_TIME);
}

void nfsm_ready(struct source *s)
{
    if (!s->via)
        return;
    if (list_empty(&s->turn))
        list_push_back(&s->via->circle, &s->turn);
    nfsm_event(s->via, NFSM_WORK);
}

void nfsm_bind(struct source *s, struct nfsm *m)
{
    list_remove(&s->turn);
    s->via = m;
}

enum give nfsm_write(struct nfsm *m, u8 *frame, size_t len, const u8 hop[6])
{
    struct net *n = m->net;

    if (hop != frame + FRAME_TO)
        address_copy(frame + FRAME_TO, hop);
    address_copy(frame + FRAME_FROM, m->device->address);
    be16_put(frame + FRAME_TYPE, FRAME_ETHERTYPE);
    be32_put(frame + FRAME_CRC, 0);
    be32_put(frame + FRAME_CRC, crc32c(n->config.has_crc32c, 0, frame, len));
    if (!m->device->ops->write_block(m->device, frame, len))
        return GIVE_REFUSED;
    n->stats.blocks_out++;
    n->stats.bytes_out += len;
    if (m->byte_ns)
        m->free_at = MAX(m->free_at, n->now) + len * m->byte_ns;
    return GIVE_BLOCK;
}

bool nfsm_can_write(const struct nfsm *m)
{
    return m->device->ops->status(m->device) & NET_STATUS_CAN_WRITE;
}

bool nfsm_pass(struct nfsm *m, const u8 *frame, size_t len, const u8 hop[6])
{
    struct passing *p;

    if (m->out == OUT_DOWN || m->queue_bytes + len > THROUGH_BYTES)
        return false;
    p = heap_take(m->net->heap, sizeof(*p) + len);
    if (!p) {
        m->net->stats.no_memory++;
        return false;
    }
    p->len = len;
    copy_wide(p->frame, frame, len);
    memcpy(p->frame + FRAME_TO, hop, 6);
    list_init(&p->list);
    list_push_back(&m->queue, &p->list);
    m->queue_bytes += len;
    nfsm_ready(&m->through);
    return true;
}

static bool whole(const struct net *n, u8 *f)
{
    u32 crc = be32_get(f + FRAME_CRC);

    be32_put(f + FRAME_CRC, 0);
    return crc32c(n->config.has_crc32c, 0, f, frame_length(f)) == crc;
}

/* Why a block is no frame of ours, or 0. */
static enum net_drop wrong(const struct nfsm *m, u8 *f, size_t len)
{
    const struct net *n = m->net;
    u32 src;

    if (len < NET_HEADER || frame_length(f) > len || !(m->device->checked || whole(n, f)))
        return NET_DROP_CORRUPT;
    if (be16_get(f + FRAME_TYPE) != FRAME_ETHERTYPE || f[FRAME_VER] != FRAME_VERSION)
        return NET_DROP_CORRUPT;
    src = be32_get(f + FRAME_SRC);
    if (!src || src == NET_EVERYBODY || !f[FRAME_KIND] || f[FRAME_KIND] >= FRAME_KINDS)
        return NET_DROP_FORM;
    if (src == n->config.self)
        return NET_DROP_NOT_MINE;
    if (!(f[FRAME_TO] & 1) && !address_equal(f + FRAME_TO, m->device->address))
        return NET_DROP_NOT_MINE;
    return f[FRAME_HOPS] >= FRAME_HOPS_MAX ? NET_DROP_HOPS : 0;
}

/* Who acts on a frame that reached its machine (or, first four, every machine it meets). */
static void (*const act[FRAME_KINDS])(struct net *, struct nfsm *, u8 *) = {
    [FRAME_ROUTE] = route_heard,
    [FRAME_REPLY] = route_reply,
    [FRAME_REPLY_ACK] = route_reply_ack,
    [FRAME_DATAGRAM] = through_datagram,
    [FRAME_DATA] = peer_data,
    [FRAME_ACKS] = peer_acks,
    [FRAME_ERROR] = route_error,
    [FRAME_BULK] = bulk_data,
    [FRAME_BULK_ASK] = bulk_ask,
    [FRAME_BULK_DONE] = bulk_done,
    [FRAME_WHERE] = where_asked,
    [FRAME_THERE] = where_told,
};

static bool met_everywhere(u8 kind)
{
    return kind == FRAME_ROUTE || kind == FRAME_REPLY || kind == FRAME_REPLY_ACK ||
           kind == FRAME_DATAGRAM;
}

static void block_arrived(struct nfsm *m, u8 *f, size_t len)
{
    struct net *n = m->net;
    enum net_drop why = wrong(m, f, len);
    u32 epoch;

    n->stats.blocks_in++;
    n->stats.bytes_in += len;
    if (why) {
        net_drop(n, why, len < NET_HEADER ? NULL : f);
        return;
    }
    if (met_everywhere(f[FRAME_KIND])) {
        act[f[FRAME_KIND]](n, m, f);
        return;
    }
    if (be32_get(f + FRAME_DST) != n->config.self) {
        through_forward(n, m, f);
        return;
    }
    epoch = be32_get(f + FRAME_DST_EPOCH);
    if (epoch != n->config.epoch)
        net_drop(n, NET_DROP_EPOCH, f);
    else
        act[f[FRAME_KIND]](n, m, f);
}

static void read_blocks(struct nfsm *m)
{
    struct net *n = m->net;

    for (u32 i = 0; m->in == IN_READING; i++) {
        size_t len;

        if (i == READ_BUDGET) {
            n->again = true;
            return;
        }
        len = m->device->ops->read_block(m->device, n->rx, n->rx_room);
        if (!len)
            m->in = in_next[m->in][IN_EMPTY];
        else
            block_arrived(m, n->rx, MIN(len, n->rx_room));
    }
}

static void status_changed(struct nfsm *m)
{
    bool up = m->device->ops->status(m->device) & NET_STATUS_UP;

    if (up == (m->out != OUT_DOWN))
        return;
    m->in = in_next[m->in][up ? IN_UPPED : IN_DOWNED];
    nfsm_event(m, up ? NFSM_UP : NFSM_DOWN);
    if (up) {
        m->net->generation++;
        route_hello(m->net);
    } else {
        route_device_gone(m->net, m);
    }
}

void nfsm_scan(struct nfsm *m)
{
    u32 interrupts = m->device->ops->pending(m->device);

    if (interrupts & NET_INT_STATUS)
        status_changed(m);
    if (interrupts & NET_INT_RECEIVED)
        m->in = in_next[m->in][IN_RECEIVED];
    if (m->in == IN_READING)
        read_blocks(m);
    if (interrupts & NET_INT_WRITTEN)
        nfsm_event(m, NFSM_ROOM);
}

struct nfsm *nfsm_create(struct net *n, struct net_device *d)
{
    struct nfsm *m = heap_alloc(n->heap, sizeof(*m));

    if (!m)
        return NULL;
    *m = (struct nfsm){.net = n, .device = d, .number = n->devices++};
    d->wants = &n->groups;
    if (n->devices > 1) /* it may be on the way between others */
        groups_want_all(n);
    list_init(&m->circle);
    list_init(&m->peers);
    list_init(&m->queue);
    list_init(&m->through.turn);
    m->through.kind = SOURCE_THROUGH;
    m->through.via = m;
    m->due.kind = DUE_NFSM;
    if (d->bytes_per_second && d->bytes_per_second <= S) {
        m->byte_ns = S / d->bytes_per_second;
        m->slack_ns = MAX(2ull * d->block_max * m->byte_ns, MS);
    }
    list_push_back(&n->nfsms, &m->all);
    status_changed(m);
    return m;
}

void nfsm_destroy(struct nfsm *m)
{
    struct net *n = m->net;
    struct list *at;

    nfsm_event(m, NFSM_DOWN);
    route_device_gone(n, m);
    route_drop_replies(n, m);
    while ((at = list_pop_front(&m->queue))) {
        struct passing *p = list_entry(at, struct passing, list);
        heap_free(n->heap, p, sizeof(*p) + p->len);
    }
    while (list_pop_front(&m->circle))
        ;
    due_cancel(&n->due, &m->due);
    list_remove(&m->all);
    m->device->wants = NULL;
    heap_free(n->heap, m, sizeof(*m));
}
