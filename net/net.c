/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One node's network as its kernel sees it: creation, devices, the scanner's turn, and the
 * small helpers every object uses. See net.h for the contract.
 */
#include "base/keyed.h"
#include "net/core.h"

struct net *net_create(struct heap *heap, const struct net_config *config)
{
    struct net *n;

    if (!config->self || config->self == NET_EVERYBODY || !config->epoch)
        return NULL;
    n = heap_alloc(heap, sizeof(*n));
    if (!n)
        return NULL;
    *n = (struct net){.heap = heap, .config = *config};
    if (!n->config.queue_bytes)
        n->config.queue_bytes = QUEUE_DEFAULT;
    if (!n->config.window || n->config.window > WINDOW)
        n->config.window = WINDOW;
    list_init(&n->nfsms);
    list_init(&n->fresh);
    list_init(&n->bulks);
    list_init(&n->replies);
    n->hello.kind = DUE_HELLO;
    groups_want(n, n->config.self);
    return n;
}

void net_destroy(struct net *n)
{
    while (!list_empty(&n->nfsms))
        nfsm_destroy(list_entry(n->nfsms.next, struct nfsm, all));
    bulk_free_all(n);
    route_free_all(n);
    heap_free(n->heap, n->due.slot, n->due.room * sizeof(*n->due.slot));
    heap_free(n->heap, n->rx, n->rx_room);
    heap_free(n->heap, n->tx, n->tx_room);
    heap_free(n->heap, n, sizeof(*n));
}

static bool make_room(struct net *n, u8 **buffer, size_t *room, size_t want)
{
    u8 *bigger;

    if (*room >= want)
        return true;
    bigger = heap_alloc(n->heap, want);
    if (!bigger)
        return false;
    heap_free(n->heap, *buffer, *room);
    *buffer = bigger;
    *room = want;
    return true;
}

enum net_result net_attach(struct net *n, struct net_device *d)
{
    if (d->block_max < NET_BLOCK_MIN)
        return NET_BAD;
    if (!make_room(n, &n->rx, &n->rx_room, d->block_max) ||
        !make_room(n, &n->tx, &n->tx_room, d->block_max) || !nfsm_create(n, d))
        return NET_NO_MEMORY;
    return NET_OK;
}

void net_detach(struct net *n, struct net_device *d)
{
    list_for_each_safe(at, &n->nfsms)
    {
        struct nfsm *m = list_entry(at, struct nfsm, all);

        if (m->device == d)
            nfsm_destroy(m);
    }
}

enum net_result net_send(struct net *n, machine_t to, enum net_class class, const void *head,
                         size_t head_len, const void *body, size_t body_len)
{
    struct peer *p;

    if (!to || to == n->config.self)
        return NET_BAD;
    if (class == NET_UNGUARANTEED)
        return through_send(n, to, head, head_len, body, body_len);
    if (to == NET_EVERYBODY)
        return NET_BAD;
    if (head_len > NET_MESSAGE_MAX || body_len > NET_MESSAGE_MAX - head_len)
        return NET_TOO_LONG;
    p = peer_get(n, to);
    return p ? peer_send(p, head, head_len, body, body_len) : NET_NO_MEMORY;
}

void net_announce(struct net *n, const void *bytes, size_t len)
{
    n->announce_len = (u8)MIN(len, (size_t)NET_ANNOUNCE_MAX);
    memcpy(n->announce, bytes, n->announce_len);
    if (n->announce_len)
        groups_want_all(n);
    route_hello(n);
}

void net_declare_dead(struct net *n, machine_t machine, u32 epoch)
{
    struct peer *p = peer_get(n, machine);

    if (!p || seq_diff(epoch, p->dead_epoch) <= 0)
        return;
    p->dead_epoch = epoch;
    if (!p->epoch || seq_diff(p->epoch, epoch) <= 0) {
        peer_reset(p, 0);
        p->reported = false;
        p->route->epoch = epoch;
        p->route->via = NULL;
        peer_rebind(p);
        bulk_peer_gone(n, machine);
    }
}

static void (*const due_act[DUE_KINDS])(struct due *) = {
    [DUE_NFSM] = nfsm_due,         [DUE_PEER] = peer_due,         [DUE_BULK] = bulk_due,
    [DUE_REPLY] = route_reply_due, [DUE_HELLO] = route_hello_due,
};

static void tell_room(struct net *n)
{
    for (u32 i = 0; i < n->route_buckets; i++) {
        for (struct route *r = n->routes[i]; r; r = r->next) {
            if (r->peer && r->peer->tell_room) {
                r->peer->tell_room = false;
                net_up_room(n, r->machine);
            }
        }
    }
}

static void settle(struct net *n)
{
    struct list *at;

    while ((at = list_pop_front(&n->fresh)))
        peer_fresh(list_entry(at, struct peer, fresh));
}

bool net_unsettled(const struct net *n)
{
    return !list_empty(&n->fresh);
}

void net_settle(struct net *n, u64 now_ns)
{
    n->now = MAX(n->now, now_ns);
    settle(n);
}

void net_poll(struct net *n, u64 now_ns)
{
    struct due *d;

    if (n->polling)
        return;
    n->polling = true;
    n->again = false;
    n->now = MAX(n->now, now_ns);
    settle(n);
    list_for_each(nfsm, &n->nfsms) nfsm_scan(list_entry(nfsm, struct nfsm, all));
    while ((d = due_next(&n->due, n->now)))
        due_act[d->kind](d);
    settle(n);
    n->polling = false;
    if (n->rooms) {
        n->rooms = false;
        tell_room(n);
    }
}

bool net_overdue(struct net *n)
{
    bool overdue = n->overdue;

    n->overdue = false;
    return overdue;
}

u64 net_deadline(const struct net *n)
{
    return n->again || !list_empty(&n->fresh) ? n->now : due_first(&n->due);
}

const struct net_stats *net_stats(const struct net *n)
{
    return &n->stats;
}

void net_set_owner(struct net *n, void *owner)
{
    n->owner = owner;
}

void *net_owner(const struct net *n)
{
    return n->owner;
}

void net_set_trace(struct net *n, bool on)
{
    n->silent = !on;
}

void net_drop(struct net *n, enum net_drop why, const u8 *f)
{
    if (why == NET_DROP_CORRUPT || why == NET_DROP_FORM)
        n->stats.corrupt++;
    else if (why == NET_DROP_EPOCH || why == NET_DROP_NOT_MINE)
        n->stats.misdirected++;
    else
        n->stats.through_lost++;
    net_trace(n, NET_T_DROP, f ? be32_get(f + FRAME_SRC) : 0, why, f ? f[FRAME_KIND] : 0);
}

void frame_start(const struct net *n, u8 *f, enum frame_kind kind, machine_t dst, u32 epoch)
{
    memset(f, 0, NET_HEADER);
    f[FRAME_VER] = FRAME_VERSION;
    f[FRAME_KIND] = (u8)kind;
    be32_put(f + FRAME_SRC, n->config.self);
    be32_put(f + FRAME_DST, dst);
    be32_put(f + FRAME_SRC_EPOCH, n->config.epoch);
    be32_put(f + FRAME_DST_EPOCH, epoch);
}

u64 net_jitter(struct net *n, u64 limit)
{
    return limit ? keyed_below(n->config.seed, n->config.self, n->events++, limit) : 0;
}

/* A timer that cannot be set for want of memory is made up for by an immediate poll. */
void net_due(struct net *n, struct due *d, u64 at)
{
    if (!due_by(&n->due, n->heap, d, at))
        n->again = true;
}
