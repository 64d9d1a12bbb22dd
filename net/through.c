/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Store-and-forward, and the unguaranteed class. Frames for other machines go on by the
 * route to them without troubling anybody but the NFSMs; a piece too long for the next
 * medium is cut at a section. Unguaranteed messages go straight to the kernel.
 */
#include "net/core.h"

static void say_no_route(struct net *n, const u8 *f)
{
    struct route *back = route_find(n, be32_get(f + FRAME_SRC));
    u8 error[NET_HEADER];

    net_drop(n, NET_DROP_NO_ROUTE, f);
    if (!back || !back->via || f[FRAME_KIND] == FRAME_ERROR)
        return;
    frame_start(n, error, FRAME_ERROR, back->machine, be32_get(f + FRAME_SRC_EPOCH));
    be32_put(error + FRAME_ACK, be32_get(f + FRAME_DST));
    nfsm_pass(back->via, error, NET_HEADER, back->hop);
}

/* Advances the label of a piece by `bytes` for what follows a cut. */
static void relabel(u8 *f, u32 bytes)
{
    if (f[FRAME_KIND] == FRAME_DATA)
        be16_put(f + FRAME_SECTION, (u16)(be16_get(f + FRAME_SECTION) + bytes / SECTION));
    else
        be64_put(f + FRAME_OFFSET, be64_get(f + FRAME_OFFSET) + bytes);
}

/* Passes a frame on in pieces of at most `most` body bytes. The header of each piece lies
 * over the end of the one before, which has been copied by then. */
static bool pass_pieces(struct route *r, u8 *f, u32 most)
{
    u32 left = be16_get(f + FRAME_BODY);
    u8 flags = f[FRAME_FLAGS], header[NET_HEADER];

    memcpy(header, f, NET_HEADER);
    do {
        u32 body = MIN(left, most);

        memcpy(f, header, NET_HEADER);
        f[FRAME_FLAGS] = body == left ? flags : (u8)(flags & ~FRAME_END);
        be16_put(f + FRAME_BODY, (u16)body);
        if (!nfsm_pass(r->via, f, NET_HEADER + body, r->hop))
            return false;
        relabel(header, body);
        f += body;
        left -= body;
    } while (left);
    return true;
}

void through_forward(struct net *n, struct nfsm *m, u8 *f)
{
    struct route *r = route_find(n, be32_get(f + FRAME_DST));
    size_t len = frame_length(f);
    bool passed = false;
    u32 block;

    if (f[FRAME_TO] & 1)
        return; /* a broadcast for somebody else on this medium */
    if (!r || !r->via) {
        say_no_route(n, f);
        return;
    }
    r->used_ns = n->now;
    f[FRAME_HOPS]++;
    block = r->via->device->block_max;
    if (len <= block)
        passed = nfsm_pass(r->via, f, len, r->hop);
    else if (f[FRAME_KIND] == FRAME_DATA || f[FRAME_KIND] == FRAME_BULK)
        passed = pass_pieces(r, f, ALIGN_DOWN(block - NET_HEADER, (u32)SECTION));
    if (!passed) {
        net_drop(n, NET_DROP_NO_ROOM, f);
        return;
    }
    n->stats.forwarded++;
    net_trace(n, NET_T_FORWARD, m->number, be32_get(f + FRAME_SRC), be32_get(f + FRAME_DST));
}

static void deliver(struct net *n, const u8 *f)
{
    n->stats.got_plain++;
    net_up_message(n, be32_get(f + FRAME_SRC), be32_get(f + FRAME_SRC_EPOCH), NET_UNGUARANTEED,
                   f + NET_HEADER, be16_get(f + FRAME_BODY));
}

static void pass_to_all(struct net *n, const u8 *f, const struct nfsm *except)
{
    list_for_each(at, &n->nfsms)
    {
        struct nfsm *m = list_entry(at, struct nfsm, all);

        if (m != except)
            nfsm_pass(m, f, frame_length(f), frame_everybody);
    }
}

/* Each flooded message once; a node on one medium needs no memory of them. */
static void flooded(struct net *n, struct nfsm *m, u8 *f)
{
    u32 seq = be32_get(f + FRAME_SEQ);

    if (n->devices > 1) {
        struct route *r = route_get(n, be32_get(f + FRAME_SRC));

        if (!r || (r->flooded && seq_diff(seq, r->flood) <= 0 &&
                   be32_get(f + FRAME_SRC_EPOCH) == r->flood_epoch))
            return;
        r->flood = seq;
        r->flood_epoch = be32_get(f + FRAME_SRC_EPOCH);
        r->flooded = true;
        f[FRAME_HOPS]++;
        pass_to_all(n, f, m);
    }
    deliver(n, f);
}

void through_datagram(struct net *n, struct nfsm *m, u8 *f)
{
    machine_t dst = be32_get(f + FRAME_DST);

    if (dst == NET_EVERYBODY)
        flooded(n, m, f);
    else if (dst != n->config.self)
        through_forward(n, m, f);
    else if (be32_get(f + FRAME_DST_EPOCH) != n->config.epoch)
        net_drop(n, NET_DROP_EPOCH, f);
    else
        deliver(n, f);
}

enum net_result through_send(struct net *n, machine_t to, const void *head, size_t head_len,
                             const void *body, size_t body_len)
{
    u8 f[NET_HEADER + NET_UNGUARANTEED_MAX];
    struct peer *p = NULL;

    if (head_len > NET_UNGUARANTEED_MAX || body_len > NET_UNGUARANTEED_MAX - head_len)
        return NET_TOO_LONG;
    if (to != NET_EVERYBODY) {
        p = peer_get(n, to);
        if (!p)
            return NET_NO_MEMORY;
        if (!p->source.via) {
            peer_find(p);
            return NET_UNREACHABLE;
        }
    }
    frame_start(n, f, FRAME_DATAGRAM, to, p ? p->route->epoch : 0);
    be16_put(f + FRAME_BODY, (u16)(head_len + body_len));
    be32_put(f + FRAME_SEQ, p ? 0 : ++n->flood_seq);
    if (head_len)
        memcpy(f + NET_HEADER, head, head_len);
    if (body_len)
        memcpy(f + NET_HEADER + head_len, body, body_len);
    n->stats.sent_plain++;
    if (!p)
        pass_to_all(n, f, NULL);
    else if (!nfsm_pass(p->source.via, f, frame_length(f), p->route->hop))
        return NET_FULL;
    return NET_OK;
}
