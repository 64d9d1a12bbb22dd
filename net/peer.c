/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remote processor objects: one conversation with one other machine, from first use on.
 * Here: their life, their timer, what a reboot of the other machine means, and the search
 * for a path when there is none or the known one no longer answers.
 */
#include "net/core.h"

enum { FIND_TRIES_LOST = 5, FIND_TRIES_IDLE = 4 };

struct peer *peer_get(struct net *n, machine_t machine)
{
    struct peer *p = n->recent;
    struct route *r;

    if (p && p->machine == machine)
        return p;
    r = route_get(n, machine);
    if (!r)
        return NULL;
    if (r->peer)
        return n->recent = r->peer;
    p = heap_alloc(n->heap, sizeof(*p));
    if (!p) {
        n->stats.no_memory++;
        return NULL;
    }
    p->net = n;
    p->route = r;
    p->machine = machine;
    p->source.kind = SOURCE_PEER;
    p->due.kind = DUE_PEER;
    p->found_generation = n->generation;
    list_init(&p->source.turn);
    list_init(&p->bound);
    list_init(&p->fresh);
    list_init(&p->queue);
    r->peer = p;
    groups_want(n, machine);
    peer_reset(p, r->epoch);
    peer_rebind(p);
    return p;
}

void peer_destroy(struct peer *p)
{
    if (p->net->recent == p)
        p->net->recent = NULL;
    peer_drop_out(p);
    peer_drop_in(p);
    list_remove(&p->source.turn);
    list_remove(&p->bound);
    list_remove(&p->fresh);
    due_cancel(&p->net->due, &p->due);
    p->route->peer = NULL;
    heap_free(p->net->heap, p, sizeof(*p));
}

void peer_reset(struct peer *p, u32 epoch)
{
    peer_drop_out(p);
    peer_drop_in(p);
    p->epoch = epoch;
    p->una = p->next = p->tail = p->expected = FIRST_SEQ;
    p->serial = p->resend = p->flight = 0;
    p->limit = p->net->config.queue_bytes;
    p->srtt = p->rttvar = p->rto_at = p->ack_at = 0;
    p->backoff = p->unacked = 0;
    p->ack_now = false;
}

static void report(struct peer *p, bool reachable)
{
    if (p->reported && p->unreachable == !reachable)
        return;
    p->reported = true;
    p->unreachable = !reachable;
    net_up_reachable(p->net, p->machine, p->epoch, reachable);
}

void peer_answers(struct peer *p)
{
    if (p->finding && p->source.via) {
        p->finding = false;
        p->find_at = 0;
    }
    report(p, true);
}

bool peer_epoch(struct peer *p, u32 epoch)
{
    u32 old = p->epoch;

    if (epoch == old)
        return true;
    if (!epoch || (p->dead_epoch && seq_diff(epoch, p->dead_epoch) <= 0))
        return false;
    if (!old) {
        p->epoch = epoch; /* messages accepted before the path was known are for this boot */
        report(p, true);
        return true;
    }
    if (seq_diff(epoch, old) < 0)
        return false;
    net_trace(p->net, NET_T_REBOOT, p->machine, old, epoch);
    peer_reset(p, epoch);
    bulk_peer_gone(p->net, p->machine);
    p->reported = false;
    report(p, true);
    return true;
}

void peer_rebind(struct peer *p)
{
    struct route *r = p->route;
    struct nfsm *old = p->source.via;

    if (old != r->via) {
        nfsm_bind(&p->source, r->via);
        list_remove(&p->bound);
        if (r->via)
            list_push_back(&r->via->peers, &p->bound);
        net_trace(p->net, NET_T_REBIND, p->machine, old ? old->number : ~0ull,
                  r->via ? r->via->number : ~0ull);
    }
    if (r->via && peer_has_work(p))
        nfsm_ready(&p->source);
    else if (!r->via && (peer_has_work(p) || p->una != p->tail))
        peer_find(p);
    bulk_rebind(p->net, p->machine);
}

/* False: it is being looked for already. */
static bool find_begin(struct peer *p)
{
    if (p->finding)
        return false;
    p->finding = true;
    p->find_tries = p->find_waits = 0;
    p->find_at = 0;
    if (list_empty(&p->fresh))
        list_push_back(&p->net->fresh, &p->fresh);
    return true;
}

void peer_find(struct peer *p)
{
    if (!find_begin(p))
        return;
    p->asked = !p->route->epoch && where_ask(p->net, p->machine);
    if (!p->asked && !route_crowded(p->net, 0))
        route_ask(p->net, p->machine, false);
}

void peer_find_at(struct peer *p, struct nfsm *m, const u8 hop[6])
{
    if (!find_begin(p))
        return;
    p->asked = true;
    route_ask_at(p->net, p->machine, m, hop);
}

void peer_found(struct peer *p)
{
    struct net *n = p->net;

    peer_answers(p);
    p->found_generation = n->generation;
    if (p->una != p->next) { /* do not wait out what the broken path swallowed; but neither
                              * let a stream of route news put the next attempt off for ever */
        u64 rto_at;

        p->backoff = 0;
        rto_at = n->now + peer_rto(p);
        p->rto_at = p->rto_at ? MIN(p->rto_at, rto_at) : rto_at;
        net_due(n, &p->due, p->rto_at);
    }
    peer_rebind(p);
}

static void find_again(struct peer *p)
{
    struct net *n = p->net;
    bool waiting = p->una != p->tail || p->ack_now;
    u64 wait = (100 * MS) << MIN(p->find_tries, 6);

    n->overdue = true;
    p->asked = false;
    if (route_crowded(n, p->find_waits)) {
        p->find_waits++;
        p->find_at = n->crowd_until + net_jitter(n, 100 * MS);
        return;
    }
    if (++p->find_tries >= FIND_TRIES_LOST && waiting && !p->unreachable) {
        net_trace(n, NET_T_LOST, p->machine, p->epoch, 0);
        report(p, false);
    }
    if (!waiting && p->find_tries > FIND_TRIES_IDLE) {
        p->finding = false;
        p->find_at = 0;
        p->found_generation = n->generation;
        return;
    }
    route_ask(n, p->machine, p->find_tries & 1);
    p->find_at = n->now + wait + net_jitter(n, wait / 4);
}

/* Sets what a call between two polls could not, not knowing the time. */
void peer_fresh(struct peer *p)
{
    struct net *n = p->net;

    for (u32 s = p->una; s != p->next; s++) {
        struct out *o = p->window[s % WINDOW];
        if (!o->sent_ns)
            o->sent_ns = n->now;
    }
    if (p->una != p->next && !p->rto_at)
        p->rto_at = n->now + peer_rto(p);
    if (p->finding && !p->find_at)
        p->find_at = n->now + 100 * MS + net_jitter(n, 20 * MS);
    if (p->rto_at)
        net_due(n, &p->due, p->rto_at);
    if (p->find_at)
        net_due(n, &p->due, p->find_at);
}

void peer_due(struct due *d)
{
    struct peer *p = container_of(d, struct peer, due);
    struct net *n = p->net;
    u64 next = ~0ull;

    if (p->ack_at && p->ack_at <= n->now)
        p->ack_now = true;
    if (p->rto_at && p->rto_at <= n->now)
        peer_timeout(p);
    if (p->finding && p->find_at && p->find_at <= n->now)
        find_again(p);
    if (p->source.via && peer_has_work(p))
        nfsm_ready(&p->source);
    if (p->ack_at && !p->ack_now)
        next = MIN(next, p->ack_at);
    if (p->rto_at)
        next = MIN(next, p->rto_at);
    if (p->find_at)
        next = MIN(next, p->find_at);
    if (p->free_at > n->now && peer_has_work(p))
        next = MIN(next, p->free_at);
    if (next != ~0ull)
        net_due(n, d, MAX(next, n->now + 1));
}
