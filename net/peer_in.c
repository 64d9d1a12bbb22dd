/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The receiving half of a conversation: deliver each message once and in order, hold what
 * comes early or in pieces, and say what has arrived: with the next message that goes the
 * other way, after a short while, or at once when something is missing or repeated.
 */
#include "net/core.h"
#include "base/wide.h"

enum { ACK_EVERY = 8 };
#define ACK_WAIT       (5 * MS)
#define ACK_WAIT_BYTES 320 /* and so many bytes' time on a slow path, for an answer to come */

static size_t cost(u32 len)
{
    return heap_cost(sizeof(struct in) + len);
}

static void free_in(struct peer *p, u32 seq)
{
    struct in *i = p->held[seq % WINDOW];

    if (!i)
        return;
    p->held[seq % WINDOW] = NULL;
    p->held_bytes -= cost(i->len);
    heap_free(p->net->heap, i, sizeof(*i) + i->len);
}

void peer_drop_in(struct peer *p)
{
    for (u32 i = 0; i < WINDOW; i++)
        free_in(p, i);
}

static bool whole(const struct in *i)
{
    return i && i->got == i->sections;
}

void peer_set_acks(struct peer *p, u8 *f)
{
    u32 bits = 0;

    if (p->held_bytes) {
        for (u32 i = 0; i < WINDOW - 1; i++) {
            if (whole(p->held[(p->expected + 1 + i) % WINDOW]))
                bits |= 1u << i;
        }
    }
    be32_put(f + FRAME_ACK, p->expected);
    be32_put(f + FRAME_BITS, bits);
}

size_t peer_ack_items(const struct peer *p, u8 *body, size_t room)
{
    size_t used = 0;

    for (u32 i = 0; p->held_bytes && i < WINDOW && used + ACK_ITEM <= room; i++) {
        const struct in *in = p->held[(p->expected + i) % WINDOW];

        if (!in || whole(in))
            continue;
        be32_put(body + used + ACK_SEQ, in->seq);
        be16_put(body + used + ACK_ATTEMPT, in->attempt_ended);
        be16_put(body + used + ACK_PAD, 0);
        be64_put(body + used + ACK_HAVE, in->have[0]);
        be64_put(body + used + ACK_LAST, in->have[1]);
        used += ACK_ITEM;
    }
    return used;
}

static void deliver(struct peer *p, const void *message, u32 len)
{
    struct net *n = p->net;

    p->unacked++;
    n->stats.delivered++;
    net_trace(n, NET_T_DELIVER, p->machine, p->expected - 1, len);
    net_up_message(n, p->machine, p->epoch, NET_GUARANTEED, message, len);
}

/* The kernel may reset the conversation from inside: look afresh after every delivery. */
static void deliver_held(struct peer *p)
{
    struct in *i;

    while (whole(i = p->held[p->expected % WINDOW])) {
        p->held[p->expected++ % WINDOW] = NULL;
        p->held_bytes -= cost(i->len);
        deliver(p, i->data, i->len);
        heap_free(p->net->heap, i, sizeof(*i) + i->len);
    }
}

static bool well_formed(const u8 *f)
{
    u32 len = be32_get(f + FRAME_LENGTH), body = be16_get(f + FRAME_BODY);
    u32 start = be16_get(f + FRAME_SECTION) * (u32)SECTION;

    if (len > NET_MESSAGE_MAX || start > len || body > len - start)
        return false;
    return start + body == len ? !len || body : body && body % SECTION == 0;
}

/* The place for message `seq` of `len` bytes, or NULL: no memory, or not what it was. */
static struct in *place(struct peer *p, u32 seq, u32 len)
{
    struct in *i = p->held[seq % WINDOW];

    if (i)
        return i->len == len ? i : NULL;
    /* The message whose turn it is must always find room, or nothing ever would. */
    if (seq != p->expected && p->held_bytes + cost(len) > p->net->config.queue_bytes)
        return NULL;
    i = heap_take(p->net->heap, sizeof(*i) + len); /* read only when all of it has come */
    if (!i) {
        p->net->stats.no_memory++;
        return NULL;
    }
    *i = (struct in){
        .seq = seq, .len = len, .sections = (u16)(len ? (len + SECTION - 1) / SECTION : 1)};
    p->held[seq % WINDOW] = i;
    p->held_bytes += cost(len);
    return i;
}

static void keep_piece(struct peer *p, struct in *i, const u8 *f)
{
    u32 section = be16_get(f + FRAME_SECTION), body = be16_get(f + FRAME_BODY), at = 0;

    do {
        u32 size = MIN(body - at, (u32)SECTION);
        u64 bit = 1ull << (section % 64);

        if (!(i->have[section / 64] & bit)) {
            copy_wide(i->data + section * SECTION, f + NET_HEADER + at, size);
            i->have[section / 64] |= bit;
            i->got++;
        } else {
            p->net->stats.duplicate++;
        }
        at += SECTION;
        section++;
    } while (at < body);
    if (f[FRAME_FLAGS] & FRAME_END)
        i->attempt_ended = be16_get(f + FRAME_ATTEMPT);
}

static void take(struct peer *p, const u8 *f)
{
    struct net *n = p->net;
    u32 seq = be32_get(f + FRAME_SEQ), len = be32_get(f + FRAME_LENGTH);
    s32 ahead = seq_diff(seq, p->expected);
    struct in *i;

    if (ahead < 0 || ahead >= WINDOW) {
        n->stats.duplicate++;
        p->ack_now = true;
        return;
    }
    if (!ahead && len == be16_get(f + FRAME_BODY) && !p->held[seq % WINDOW]) {
        p->expected++;
        deliver(p, f + NET_HEADER, len);
    } else {
        i = place(p, seq, len);
        if (!i)
            return;
        keep_piece(p, i, f);
        if (ahead) {
            n->stats.out_of_order++;
            p->ack_now = true;
        } else if (!whole(i) && f[FRAME_FLAGS] & FRAME_END) {
            p->ack_now = true;
        }
    }
    if (p->held_bytes)
        deliver_held(p);
}

/* The peer behind a frame of a conversation with this boot of ours, or NULL. */
static struct peer *whose(struct net *n, const u8 *f)
{
    struct peer *p = peer_get(n, be32_get(f + FRAME_SRC));

    if (!p)
        return NULL;
    if (!peer_epoch(p, be32_get(f + FRAME_SRC_EPOCH))) {
        net_drop(n, NET_DROP_EPOCH, f);
        return NULL;
    }
    return p;
}

static void answer(struct peer *p)
{
    struct net *n = p->net;

    if (p->unacked >= ACK_EVERY)
        p->ack_now = true;
    if (!p->ack_now && p->unacked && !p->ack_at) {
        p->ack_at = n->now + ACK_WAIT;
        if (p->route->rate)
            p->ack_at += ACK_WAIT_BYTES * S / p->route->rate;
        net_due(n, &p->due, p->ack_at);
    }
    if (p->source.via) {
        if (peer_has_work(p))
            nfsm_ready(&p->source);
    } else if (p->ack_now) {
        peer_find(p);
    }
}

void peer_data(struct net *n, struct nfsm *m, u8 *f)
{
    struct peer *p = whose(n, f);

    if (!p)
        return;
    if (!well_formed(f)) {
        net_drop(n, NET_DROP_FORM, f);
        return;
    }
    if (!p->source.via && !f[FRAME_HOPS])
        peer_find_at(p, m, f + FRAME_FROM);
    peer_acknowledged(p, f);
    take(p, f);
    answer(p);
}

void peer_acks(struct net *n, struct nfsm *m, u8 *f)
{
    struct peer *p = whose(n, f);

    (void)m;
    if (!p)
        return;
    peer_acknowledged(p, f);
    for (u32 at = 0; at + ACK_ITEM <= be16_get(f + FRAME_BODY); at += ACK_ITEM)
        peer_missing(p, f + NET_HEADER + at);
    answer(p);
}
