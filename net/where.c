/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where is a machine that this node has never heard of? Who announces something, a switchboard mostly,
 * talks with many: the nearest of them is asked first, if it is a neighbour, and says at which address
 * of the same medium that machine is. That one is then asked itself, as by a flood, but alone. So many
 * nodes that look for one another do not each ask all others. Whoever does not know says so, and then,
 * or when nothing comes in time, everybody is asked (peer.c).
 */
#include "net/core.h"

enum { ADDRESS = 6 };

bool where_ask(struct net *n, machine_t target)
{
    const struct route *r = route_nearest_announcer(n, target);
    u8 f[NET_HEADER];

    if (!r || r->hops != 1)
        return false;
    frame_start(n, f, FRAME_WHERE, r->machine, r->epoch);
    be32_put(f + FRAME_ACK, target);
    if (!nfsm_pass(r->via, f, NET_HEADER, r->hop))
        return false;
    n->stats.routing_out++;
    return true;
}

void where_asked(struct net *n, struct nfsm *m, u8 *f)
{
    const struct route *r = route_find(n, be32_get(f + FRAME_ACK));
    u8 answer[NET_HEADER + ADDRESS];

    frame_start(n, answer, FRAME_THERE, be32_get(f + FRAME_SRC), be32_get(f + FRAME_SRC_EPOCH));
    be32_put(answer + FRAME_ACK, be32_get(f + FRAME_ACK));
    if (r && r->via == m && r->hops == 1) {
        be16_put(answer + FRAME_BODY, ADDRESS);
        address_copy(answer + NET_HEADER, r->hop);
    }
    if (nfsm_pass(m, answer, frame_length(answer), f + FRAME_FROM))
        n->stats.routing_out++;
}

/* Believed once for each question: an answer costs a frame, or a flood. */
void where_told(struct net *n, struct nfsm *m, u8 *f)
{
    const struct route *r = route_find(n, be32_get(f + FRAME_ACK));
    struct peer *p = r ? r->peer : NULL;

    if (!p || !p->asked)
        return;
    p->asked = false;
    if (be16_get(f + FRAME_BODY) == ADDRESS && !(f[NET_HEADER] & 1))
        route_ask_at(n, p->machine, m, f + NET_HEADER);
    else
        route_ask(n, p->machine, false);
}
