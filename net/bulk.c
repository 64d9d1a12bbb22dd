/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bulk transfer for data areas: large blocks labelled with their offset, in any order, and
 * one acknowledgement when all is there. The sender works through a list of ranges, at
 * first the whole; after the last block the receiver either acknowledges or sends back the
 * ranges it still misses. If it does neither, the last block is sent again.
 */
#include "net/core.h"

struct range {
    u64 from, to;
};

struct bulk {
    struct source source;
    struct list list; /* net->bulks */
    struct net *net;
    struct peer *peer;
    u32 epoch;                      /* of the other side; 0 until known */
    bool receiving, waiting, ended; /* waiting: the kernel said "not now" */
    u64 transfer, len;
    struct due due;
    /* sending */
    struct range range[BULK_RANGES];
    u32 ranges;
    u8 silent; /* polls without an answer */
    u64 free_at, poll_at;
    /* receiving: a bit per section */
    u64 sections, got;
    u64 *have;
};

static u64 words(u64 sections)
{
    return (sections + 63) / 64;
}

static struct bulk *find(struct net *n, machine_t with, u64 transfer, bool receiving)
{
    list_for_each(at, &n->bulks)
    {
        struct bulk *b = list_entry(at, struct bulk, list);

        if (b->transfer == transfer && b->receiving == receiving &&
            (!with || b->peer->machine == with))
            return b;
    }
    return NULL;
}

static void drop(struct bulk *b)
{
    struct net *n = b->net;

    list_remove(&b->source.turn);
    list_remove(&b->list);
    due_cancel(&n->due, &b->due);
    heap_free(n->heap, b->have, words(b->sections) * sizeof(*b->have));
    heap_free(n->heap, b, sizeof(*b));
}

static void end(struct bulk *b, int result)
{
    struct net *n = b->net;
    u64 transfer = b->transfer;

    net_trace(n, NET_T_BULK, b->peer->machine, transfer, (u64)(s64)result);
    if (b->receiving && !result) {
        n->done[n->done_next].to = b->peer->machine;
        n->done[n->done_next].transfer = transfer;
        n->done_next = (n->done_next + 1) % BULK_DONE_KEPT;
    }
    drop(b);
    net_up_bulk_done(n, transfer, result);
}

static struct bulk *create(struct net *n, machine_t with, u64 transfer, u64 len)
{
    struct peer *p = peer_get(n, with);
    struct bulk *b = p ? heap_alloc(n->heap, sizeof(*b)) : NULL;

    if (!b)
        return NULL;
    b->net = n;
    b->peer = p;
    b->epoch = p->epoch;
    b->transfer = transfer;
    b->len = len;
    b->source.kind = SOURCE_BULK;
    b->due.kind = DUE_BULK;
    list_init(&b->source.turn);
    nfsm_bind(&b->source, p->source.via);
    list_push_back(&n->bulks, &b->list);
    return b;
}

enum net_result net_bulk_send(struct net *n, machine_t to, u64 transfer, u64 len)
{
    struct bulk *b;

    if (!to || to == NET_EVERYBODY || to == n->config.self || find(n, to, transfer, false))
        return NET_BAD;
    b = create(n, to, transfer, len);
    if (!b)
        return NET_NO_MEMORY;
    b->range[0] = (struct range){0, len};
    b->ranges = 1;
    if (!b->source.via)
        peer_find(b->peer);
    net_due(n, &b->due, n->now); /* begins at the next poll, which knows the time */
    return NET_OK;
}

enum net_result net_bulk_expect(struct net *n, machine_t from, u64 transfer, u64 len)
{
    struct bulk *b;

    if (!from || from == NET_EVERYBODY || from == n->config.self ||
        find(n, from, transfer, true))
        return NET_BAD;
    if (len > (u64)SECTION << 32)
        return NET_TOO_LONG;
    b = create(n, from, transfer, len);
    if (!b)
        return NET_NO_MEMORY;
    b->receiving = true;
    b->sections = len ? (len + SECTION - 1) / SECTION : 1;
    b->have = heap_alloc(n->heap, words(b->sections) * sizeof(*b->have));
    if (!b->have) {
        b->sections = 0;
        drop(b);
        return NET_NO_MEMORY;
    }
    return NET_OK;
}

static void reply_start(struct bulk *b, u8 *f, enum frame_kind kind, u32 body)
{
    frame_start(b->net, f, kind, b->peer->machine, b->peer->epoch);
    be16_put(f + FRAME_BODY, (u16)body);
    be64_put(f + FRAME_TRANSFER, b->transfer);
}

static void pass(struct bulk *b, const u8 *f)
{
    struct peer *p = b->peer;

    if (p->source.via)
        nfsm_pass(p->source.via, f, frame_length(f), p->route->hop);
    else
        peer_find(p);
}

/* The next range of sections not yet here, from section *at on. */
static struct range hole(const struct bulk *b, u64 *at)
{
    struct range r;
    u64 s = *at;

    while (s < b->sections && b->have[s / 64] >> (s % 64) & 1)
        s = (s % 64 == 0 && b->have[s / 64] == ~0ull) ? s + 64 : s + 1;
    r.from = s * SECTION;
    while (s < b->sections && !(b->have[s / 64] >> (s % 64) & 1))
        s++;
    r.to = MIN(s * SECTION, b->len);
    *at = s;
    return r;
}

static void ask(struct bulk *b)
{
    u8 f[NET_HEADER + BULK_RANGES * 16];
    u64 at = 0;
    u32 used = 0;

    while (at < b->sections && used < BULK_RANGES * 16) {
        struct range r = hole(b, &at);

        if (r.from / SECTION >= b->sections)
            break;
        be64_put(f + NET_HEADER + used, r.from);
        be64_put(f + NET_HEADER + used + 8, r.to);
        used += 16;
    }
    reply_start(b, f, FRAME_BULK_ASK, used);
    pass(b, f);
}

void net_bulk_resume(struct net *n, u64 transfer)
{
    struct bulk *b = find(n, 0, transfer, false);

    if (b && b->waiting) {
        b->waiting = false;
        net_due(n, &b->due, n->now);
    }
    b = find(n, 0, transfer, true);
    if (b && b->waiting) {
        b->waiting = false;
        ask(b);
    }
}

void net_bulk_cancel(struct net *n, u64 transfer)
{
    struct bulk *b;

    while ((b = find(n, 0, transfer, false)) || (b = find(n, 0, transfer, true)))
        drop(b);
}

static u64 poll_wait(const struct bulk *b)
{
    return peer_rto(b->peer) << MIN(b->silent, 5);
}

/* Reads the block at the head of the ranges into the frame; its body length, or -1. */
static s32 fill(struct bulk *b, u8 *f)
{
    struct range *r = &b->range[0];
    u64 most = ALIGN_DOWN(b->source.via->device->block_max - NET_HEADER, SECTION);
    u32 body = (u32)MIN(r->to - r->from, most);

    if (!net_up_bulk_read(b->net, b->transfer, r->from, f + NET_HEADER, body)) {
        b->waiting = true;
        return -1;
    }
    return (s32)body;
}

enum give bulk_give(struct source *s)
{
    struct bulk *b = container_of(s, struct bulk, source);
    struct net *n = b->net;
    struct peer *p = b->peer;
    u8 *f = n->tx;
    enum give gave;
    s32 body;

    if (b->waiting || !b->ranges || !p->epoch)
        return GIVE_NOTHING;
    if (b->free_at > n->now + 50 * MS) {
        net_due(n, &b->due, b->free_at - 50 * MS);
        return GIVE_NOTHING;
    }
    if (!nfsm_can_write(s->via))
        return GIVE_REFUSED; /* before it is read out */
    b->epoch = p->epoch;
    body = fill(b, f);
    if (body < 0)
        return GIVE_NOTHING;
    reply_start(b, f, FRAME_BULK, (u32)body);
    be64_put(f + FRAME_OFFSET, b->range[0].from);
    if (b->ranges == 1 && b->range[0].from + (u64)body == b->range[0].to)
        f[FRAME_FLAGS] = FRAME_END;
    gave = nfsm_write(s->via, f, (size_t)NET_HEADER + (u32)body, p->route->hop);
    if (gave != GIVE_BLOCK)
        return gave;
    n->stats.bulk_out++;
    if (p->route->rate && p->route->rate < 20000000)
        b->free_at = MAX(b->free_at, n->now) + (NET_HEADER + (u64)body) * S / p->route->rate;
    b->range[0].from += (u64)body;
    if (b->range[0].from >= b->range[0].to) {
        if (--b->ranges)
            memmove(b->range, b->range + 1, b->ranges * sizeof(*b->range));
    }
    if (!b->ranges) {
        b->poll_at = MAX(n->now, b->free_at) + poll_wait(b);
        net_due(n, &b->due, b->poll_at);
    }
    return GIVE_BLOCK;
}

/* Nobody answered the last block: send it once more. */
static void poll_again(struct bulk *b)
{
    u64 last = b->len ? ALIGN_DOWN(b->len - 1, (u64)SECTION) : 0;

    b->net->overdue = true;
    b->silent = (u8)MIN(b->silent + 1, 32);
    b->range[0] = (struct range){last, b->len};
    b->ranges = 1;
    b->poll_at = 0;
    if (b->silent >= 3)
        peer_find(b->peer);
}

void bulk_due(struct due *d)
{
    struct bulk *b = container_of(d, struct bulk, due);
    struct net *n = b->net;

    if (b->receiving)
        return;
    if (!b->ranges && !b->waiting) {
        if (b->poll_at > n->now) {
            net_due(n, d, b->poll_at);
            return;
        }
        poll_again(b);
    }
    if (b->ranges && !b->waiting)
        nfsm_ready(&b->source);
}

void bulk_rebind(struct net *n, machine_t machine)
{
    list_for_each(at, &n->bulks)
    {
        struct bulk *b = list_entry(at, struct bulk, list);

        if (b->peer->machine != machine)
            continue;
        if (b->source.via != b->peer->source.via)
            nfsm_bind(&b->source, b->peer->source.via);
        if (!b->receiving)
            net_due(n, &b->due, n->now);
    }
}

void bulk_peer_gone(struct net *n, machine_t machine)
{
    bool more;

    do { /* from the start each time: the kernel may cancel others when told of one */
        more = false;
        list_for_each(at, &n->bulks)
        {
            struct bulk *b = list_entry(at, struct bulk, list);

            if (b->peer->machine == machine && b->epoch && b->epoch != b->peer->epoch) {
                end(b, NET_UNREACHABLE);
                more = true;
                break;
            }
        }
    } while (more);
}

void bulk_free_all(struct net *n)
{
    while (!list_empty(&n->bulks))
        drop(list_entry(n->bulks.next, struct bulk, list));
}

static bool was_done(const struct net *n, machine_t from, u64 transfer)
{
    for (u32 i = 0; i < BULK_DONE_KEPT; i++) {
        if (n->done[i].to == from && n->done[i].transfer == transfer)
            return true;
    }
    return false;
}

static void say_done(struct net *n, struct peer *p, u64 transfer)
{
    u8 f[NET_HEADER];

    frame_start(n, f, FRAME_BULK_DONE, p->machine, p->epoch);
    be64_put(f + FRAME_TRANSFER, transfer);
    if (p->source.via)
        nfsm_pass(p->source.via, f, NET_HEADER, p->route->hop);
    else
        peer_find(p);
}

/* Where a block's bytes go, checked; false for a block that fits no section grid. */
static bool fits(const struct bulk *b, u64 offset, u32 body)
{
    if (offset % SECTION || offset > b->len || body > b->len - offset)
        return false;
    return offset + body == b->len ? body || !b->len : body && body % SECTION == 0;
}

/* Stores the sections of a block that are new. False: the kernel said "not now". */
static bool store(struct bulk *b, const u8 *f)
{
    u64 offset = be64_get(f + FRAME_OFFSET), first = offset / SECTION;
    u32 body = be16_get(f + FRAME_BODY);
    u64 last = body ? (offset + body - 1) / SECTION : first;
    u64 fresh = 0;

    for (u64 s = first; s <= last; s++)
        fresh += !(b->have[s / 64] >> (s % 64) & 1);
    if (!fresh) {
        b->net->stats.duplicate++;
        return true;
    }
    if (body && !net_up_bulk_write(b->net, b->transfer, offset, f + NET_HEADER, body))
        return false;
    for (u64 s = first; s <= last; s++)
        b->have[s / 64] |= 1ull << (s % 64);
    b->got += fresh;
    return true;
}

void bulk_data(struct net *n, struct nfsm *m, u8 *f)
{
    struct peer *p = peer_get(n, be32_get(f + FRAME_SRC));
    u64 transfer = be64_get(f + FRAME_TRANSFER);
    struct bulk *b;

    (void)m;
    if (!p || !peer_epoch(p, be32_get(f + FRAME_SRC_EPOCH)))
        return;
    n->stats.bulk_in++;
    b = find(n, p->machine, transfer, true);
    if (!b) {
        if (was_done(n, p->machine, transfer) && f[FRAME_FLAGS] & FRAME_END)
            say_done(n, p, transfer);
        return;
    }
    if (!fits(b, be64_get(f + FRAME_OFFSET), be16_get(f + FRAME_BODY))) {
        net_drop(n, NET_DROP_FORM, f);
        return;
    }
    b->epoch = p->epoch;
    if (!store(b, f)) {
        b->waiting = true;
        return;
    }
    b->ended |= f[FRAME_FLAGS] & FRAME_END;
    if (b->got == b->sections) {
        say_done(n, p, transfer);
        end(b, NET_OK);
    } else if (f[FRAME_FLAGS] & FRAME_END && !b->waiting) {
        ask(b);
    }
}

void bulk_ask(struct net *n, struct nfsm *m, u8 *f)
{
    machine_t src = be32_get(f + FRAME_SRC);
    struct bulk *b = find(n, src, be64_get(f + FRAME_TRANSFER), false);
    u32 body = be16_get(f + FRAME_BODY), count = 0;

    (void)m;
    if (!b || be32_get(f + FRAME_SRC_EPOCH) != b->epoch)
        return;
    n->stats.bulk_asks++;
    b->silent = 0;
    if (b->ranges)
        return; /* still at an earlier list; its last block will be answered again */
    for (u32 at = 0; at + 16 <= body && count < BULK_RANGES; at += 16) {
        u64 from = be64_get(f + NET_HEADER + at), to = be64_get(f + NET_HEADER + at + 8);

        if (from % SECTION == 0 && from < to && to <= b->len)
            b->range[count++] = (struct range){from, to};
    }
    if (!count && !b->len)
        b->range[count++] = (struct range){0, 0};
    b->ranges = count;
    if (!b->waiting)
        nfsm_ready(&b->source);
}

void bulk_done(struct net *n, struct nfsm *m, u8 *f)
{
    struct bulk *b = find(n, be32_get(f + FRAME_SRC), be64_get(f + FRAME_TRANSFER), false);

    (void)m;
    if (!b || be32_get(f + FRAME_SRC_EPOCH) != b->epoch)
        return;
    n->stats.bulk_acks++;
    end(b, NET_OK);
}
