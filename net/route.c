/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is reached how: distance vectors on demand. A machine floods ROUTE when it comes up,
 * when its announcement or media change, and when it looks for another machine; that one
 * answers with REPLY along the way the question came. News of a machine carry its boot
 * epoch and a number that it alone raises: a path is replaced only by newer news, or by the
 * same at less cost, so no loops form. A neighbour that does not acknowledge a REPLY cannot
 * hear us, and its floods are not believed for a while. A newcomer's question for an
 * announcement goes no further than to a node that knows one. Nothing is sent when nothing
 * changes.
 */
#include "net/core.h"

enum {
    HELLO_TRIES = 8,
    ASK_TRIES = 5,
    REPLY_TRIES = 4,
    BUCKETS = 32,
    CROWD = 16,
    WAITS_MOST = 20
};
#define REPLY_WAIT (30 * MS)
#define CROWD_EACH (10 * MS) /* each question of others puts one of ours off */
#define CROWD_MOST S
/* Longer than any searcher waits between two floods, or the next would be believed again. */
#define DEAF_NS    (15 * S)

/* A reply on its way to a neighbour that has not acknowledged it yet. */
struct reply {
    struct list list;
    struct net *net;
    struct nfsm *via;
    struct due due;
    u8 tries;
    size_t len;
    u8 frame[NET_HEADER + NET_ANNOUNCE_MAX];
};

static u32 bucket(const struct net *n, machine_t machine)
{
    return (machine * 2654435761u >> 7) & (n->route_buckets - 1);
}

struct route *route_find(const struct net *n, machine_t machine)
{
    struct route *r = n->route_buckets ? n->routes[bucket(n, machine)] : NULL;

    while (r && r->machine != machine)
        r = r->next;
    return r;
}

static bool rehash(struct net *n)
{
    u32 old = n->route_buckets, room = old ? 2 * old : BUCKETS;
    struct route **was = n->routes, **now = heap_alloc(n->heap, room * sizeof(*now));

    if (!now)
        return old != 0;
    n->routes = now;
    n->route_buckets = room;
    for (u32 i = 0; i < old; i++) {
        for (struct route *r = was[i], *next; r; r = next) {
            u32 b = bucket(n, r->machine);
            next = r->next;
            r->next = now[b];
            now[b] = r;
        }
    }
    heap_free(n->heap, was, old * sizeof(*was));
    return true;
}

static void forget(struct net *n, struct route *r)
{
    struct route **at = &n->routes[bucket(n, r->machine)];

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (r->peer)
        peer_destroy(r->peer);
    if (r->announce)
        n->announcers--;
    heap_free(n->heap, r->announce, NET_ANNOUNCE_MAX);
    heap_free(n->heap, r, sizeof(*r));
    n->route_count--;
}

/* Makes room in a full table: the longest unused one that no conversation needs. */
static bool evict(struct net *n)
{
    struct route *oldest = NULL;

    for (u32 i = 0; i < n->route_buckets; i++) {
        for (struct route *r = n->routes[i]; r; r = r->next) {
            if (!r->peer && !r->announce && (!oldest || r->used_ns < oldest->used_ns))
                oldest = r;
        }
    }
    if (oldest)
        forget(n, oldest);
    return oldest;
}

struct route *route_get(struct net *n, machine_t machine)
{
    struct route *r = route_find(n, machine);
    u32 b;

    if (r)
        return r;
    if (machine == n->config.self || !machine || machine == NET_EVERYBODY)
        return NULL;
    if (n->route_count >= ROUTES_MAX && !evict(n))
        return NULL;
    if (n->route_count >= n->route_buckets && !rehash(n))
        return NULL;
    r = heap_alloc(n->heap, sizeof(*r));
    if (!r) {
        n->stats.no_memory++;
        return NULL;
    }
    b = bucket(n, machine);
    r->machine = machine;
    r->used_ns = n->now;
    r->next = n->routes[b];
    n->routes[b] = r;
    n->route_count++;
    return r;
}

void route_free_all(struct net *n)
{
    route_drop_replies(n, NULL);
    for (u32 i = 0; i < n->route_buckets; i++) {
        while (n->routes[i])
            forget(n, n->routes[i]);
    }
    heap_free(n->heap, n->routes, n->route_buckets * sizeof(*n->routes));
}

void route_device_gone(struct net *n, struct nfsm *m)
{
    for (u32 i = 0; i < n->route_buckets; i++) {
        for (struct route *r = n->routes[i]; r; r = r->next) {
            if (r->via != m)
                continue;
            r->via = NULL;
            if (r->peer)
                peer_rebind(r->peer);
        }
    }
}

static bool is_deaf(const struct net *n, const u8 hop[6])
{
    for (u32 i = 0; i < DEAF_MAX; i++) {
        if (n->deaf[i].until > n->now && memcmp(n->deaf[i].address, hop, 6) == 0)
            return true;
    }
    return false;
}

/* Sends a frame of the routing protocol by every device but `except`. */
static void flood(struct net *n, const u8 *f, const struct nfsm *except)
{
    list_for_each(at, &n->nfsms)
    {
        struct nfsm *m = list_entry(at, struct nfsm, all);
        u8 to[6];

        groups_address(m, f, to);
        if (m != except && nfsm_pass(m, f, frame_length(f), to))
            n->stats.routing_out++;
    }
}

static size_t start(struct net *n, u8 *f, enum frame_kind kind, machine_t dst)
{
    frame_start(n, f, kind, dst, 0);
    be32_put(f + FRAME_SEQ, ++n->route_seq);
    be32_put(f + FRAME_BITS, NET_BLOCK_MAX);
    be16_put(f + FRAME_BODY, n->announce_len);
    memcpy(f + NET_HEADER, n->announce, n->announce_len);
    return (size_t)NET_HEADER + n->announce_len;
}

void route_ask(struct net *n, machine_t target, bool wide)
{
    u8 f[NET_HEADER + NET_ANNOUNCE_MAX];

    start(n, f, FRAME_ROUTE, target);
    f[FRAME_FLAGS] = (u8)((wide ? FRAME_WIDE : 0) | (n->announcers ? 0 : FRAME_MORE));
    flood(n, f, NULL);
}

void route_ask_at(struct net *n, machine_t target, struct nfsm *m, const u8 hop[6])
{
    u8 f[NET_HEADER + NET_ANNOUNCE_MAX];

    if (nfsm_pass(m, f, start(n, f, FRAME_ROUTE, target), hop))
        n->stats.routing_out++;
}

/* Where many come up at once each asks all others, and the answers come behind all these questions: to ask
 * again before they can be there makes them later still, for everybody. */
static void count_question(struct net *n)
{
    if (n->now >= MAX(n->crowd_until, n->questions_at + 100 * MS)) {
        n->questions = 0;
        n->questions_at = n->now;
    }
    if (++n->questions >= CROWD)
        n->crowd_until = n->now + MIN(n->questions * CROWD_EACH, CROWD_MOST);
}

bool route_crowded(const struct net *n, u32 waits)
{
    return n->now < n->crowd_until && waits < WAITS_MOST;
}

/* Tells the network about this node: now, and some times more, for media lose frames. */
void route_hello(struct net *n)
{
    n->hello_tries = n->hello_waits = 0;
    net_due(n, &n->hello, n->now);
}

void route_hello_due(struct due *d)
{
    struct net *n = container_of(d, struct net, hello);
    u8 most = n->announce_len ? HELLO_TRIES : n->announcers ? 1 : ASK_TRIES;

    if (list_empty(&n->nfsms) || n->hello_tries >= most)
        return;
    n->overdue |= n->hello_tries > 0;
    if (n->hello_tries && !n->announce_len && route_crowded(n, n->hello_waits)) {
        n->hello_waits++; /* who has an announcement has the answer to all these questions */
        net_due(n, d, n->crowd_until + net_jitter(n, 40 * MS));
        return;
    }
    route_ask(n, NET_EVERYBODY, n->hello_tries > 2);
    if (++n->hello_tries < most)
        net_due(n, d, n->now + ((40 * MS) << n->hello_tries) + net_jitter(n, 20 * MS));
}

static void heard_announcement(struct net *n, struct route *r, const u8 *f)
{
    u32 len = be16_get(f + FRAME_BODY);

    if (!len || len > NET_ANNOUNCE_MAX)
        return;
    if (r->announce && r->announce_len == len && memcmp(r->announce, f + NET_HEADER, len) == 0)
        return;
    if (!r->announce) {
        r->announce = heap_alloc(n->heap, NET_ANNOUNCE_MAX);
        if (!r->announce) {
            n->stats.no_memory++;
            return;
        }
        n->announcers++;
    }
    r->announce_len = (u8)len;
    memcpy(r->announce, f + NET_HEADER, len);
    net_up_announce(n, r->machine, r->announce, len);
}

static u32 slower(u32 a, u32 b)
{
    return !a || (b && b < a) ? b : a;
}

/* What one more KiB costs on this medium, in microseconds, plus something for the hop. */
static u32 hop_cost(const struct nfsm *m)
{
    u64 rate = m->device->bytes_per_second;

    return 20 + (rate ? (u32)MIN(1024 * 1000000 / rate, 100000000ull) : 1);
}

/* Adds the medium a frame came by to what it says about its path so far. */
static void count_medium(const struct nfsm *m, u8 *f)
{
    u64 rate = MIN(m->device->bytes_per_second, (u64)0xffffffffu);
    u32 cost = be32_get(f + FRAME_LENGTH), add = hop_cost(m);

    be32_put(f + FRAME_LENGTH, cost + add < cost ? ~0u : cost + add);
    be32_put(f + FRAME_ACK, slower(be32_get(f + FRAME_ACK), (u32)rate));
    be32_put(f + FRAME_BITS, MIN(be32_get(f + FRAME_BITS), (u32)m->device->block_max));
    f[FRAME_HOPS]++;
}

static bool is_news(const struct route *r, const u8 *f)
{
    u32 epoch = be32_get(f + FRAME_SRC_EPOCH), seq = be32_get(f + FRAME_SEQ);
    s32 newer = seq_diff(epoch, r->epoch);

    if (!r->epoch)
        return true;
    if (!newer)
        newer = seq_diff(seq, r->seq);
    return newer > 0 || (!newer && be32_get(f + FRAME_LENGTH) < r->cost);
}

/* Takes the path a frame of its machine came by. False: it is nothing new. */
static bool learn(struct net *n, struct nfsm *m, struct route *r, const u8 *f)
{
    u32 epoch = be32_get(f + FRAME_SRC_EPOCH);

    if (!is_news(r, f))
        return false;
    if (r->peer && !peer_epoch(r->peer, epoch))
        return false;
    r->epoch = epoch;
    r->seq = be32_get(f + FRAME_SEQ);
    r->cost = be32_get(f + FRAME_LENGTH);
    r->rate = be32_get(f + FRAME_ACK);
    r->block = be32_get(f + FRAME_BITS);
    r->hops = f[FRAME_HOPS];
    r->via = m;
    r->used_ns = n->now;
    memcpy(r->hop, f + FRAME_FROM, 6);
    net_trace(n, NET_T_ROUTE, r->machine, (u64)m->number << 32 | r->hops, r->cost);
    if (r->peer)
        peer_found(r->peer);
    heard_announcement(n, r, f);
    return true;
}

static void free_reply(struct reply *y)
{
    struct net *n = y->net;

    list_remove(&y->list);
    due_cancel(&n->due, &y->due);
    n->reply_count--;
    heap_free(n->heap, y, sizeof(*y));
}

static void send_reply(struct net *n, struct nfsm *m, const u8 *f, const u8 hop[6])
{
    struct reply *y;

    if (n->reply_count >= REPLIES_MAX)
        return;
    y = heap_alloc(n->heap, sizeof(*y));
    if (!y) {
        n->stats.no_memory++;
        return;
    }
    y->net = n;
    y->via = m;
    y->due.kind = DUE_REPLY;
    y->len = frame_length(f);
    memcpy(y->frame, f, y->len);
    memcpy(y->frame + FRAME_TO, hop, 6);
    list_push_back(&n->replies, &y->list);
    n->reply_count++;
    route_reply_due(&y->due);
}

/* A reply's turn: send it (again), or conclude that the neighbour cannot hear us. */
void route_reply_due(struct due *d)
{
    struct reply *y = container_of(d, struct reply, due);
    struct net *n = y->net;
    u64 wait = REPLY_WAIT;

    n->overdue |= y->tries > 0;
    if (y->tries++ == REPLY_TRIES) {
        memcpy(n->deaf[n->deaf_next].address, y->frame + FRAME_TO, 6);
        n->deaf[n->deaf_next++ % DEAF_MAX].until = n->now + DEAF_NS;
        n->deaf_next %= DEAF_MAX;
        free_reply(y);
        return;
    }
    if (nfsm_pass(y->via, y->frame, y->len, y->frame + FRAME_TO))
        n->stats.routing_out++;
    wait = MAX(wait, 4 * NET_BLOCK_MIN * y->via->byte_ns);
    net_due(n, d, n->now + (wait << (y->tries - 1)));
}

void route_drop_replies(struct net *n, struct nfsm *m)
{
    list_for_each_safe(at, &n->replies)
    {
        struct reply *y = list_entry(at, struct reply, list);

        if (!m || y->via == m)
            free_reply(y);
    }
}

struct route *route_nearest_announcer(struct net *n, machine_t not_this)
{
    struct route *nearest = NULL;

    for (u32 i = 0; n->announcers && i < n->route_buckets; i++) {
        for (struct route *r = n->routes[i]; r; r = r->next) {
            if (r->announce && r->via && r->machine != not_this &&
                (!nearest || r->cost < nearest->cost))
                nearest = r;
        }
    }
    return nearest;
}

/* Answers for another machine, with what was last heard of it: the newcomer learns its
 * announcement and, by us, the way to it. */
static void reply_for(struct net *n, struct nfsm *m, const struct route *of, machine_t to,
                      const u8 hop[6])
{
    u8 f[NET_HEADER + NET_ANNOUNCE_MAX];

    frame_start(n, f, FRAME_REPLY, to, 0);
    be32_put(f + FRAME_SRC, of->machine);
    be32_put(f + FRAME_SRC_EPOCH, of->epoch);
    be32_put(f + FRAME_SEQ, of->seq);
    be32_put(f + FRAME_LENGTH, of->cost);
    be32_put(f + FRAME_ACK, of->rate);
    be32_put(f + FRAME_BITS, of->block);
    f[FRAME_HOPS] = of->hops;
    be16_put(f + FRAME_BODY, of->announce_len);
    memcpy(f + NET_HEADER, of->announce, of->announce_len);
    send_reply(n, m, f, hop);
}

void route_heard(struct net *n, struct nfsm *m, u8 *f)
{
    machine_t dst = be32_get(f + FRAME_DST);
    const struct route *known = NULL;
    bool asked = dst == n->config.self || (f[FRAME_FLAGS] & FRAME_MORE && n->announce_len);
    bool back = f[FRAME_FLAGS] & FRAME_WIDE && !m->device->own_only;
    bool relay = (n->devices > 1 || back) && dst != n->config.self;
    struct route *r = route_find(n, be32_get(f + FRAME_SRC));
    u8 mine[NET_HEADER + NET_ANNOUNCE_MAX];

    if (f[FRAME_TO] & 1 && !f[FRAME_HOPS])
        count_question(n);
    if (be16_get(f + FRAME_BODY) > NET_ANNOUNCE_MAX || is_deaf(n, f + FRAME_FROM))
        return;
    if (!asked && !relay && !be16_get(f + FRAME_BODY) && !(r && r->peer))
        return; /* of no use here: keep nothing about machines nobody talks with */
    count_medium(m, f);
    r = r ? r : route_get(n, be32_get(f + FRAME_SRC));
    if (!r || !learn(n, m, r, f))
        return;
    if (asked) {
        start(n, mine, FRAME_REPLY, r->machine);
        send_reply(n, m, mine, r->hop);
    } else if (dst == NET_EVERYBODY && f[FRAME_FLAGS] & FRAME_MORE && n->devices > 1) {
        known = route_nearest_announcer(n, r->machine);
        if (known)
            reply_for(n, m, known, r->machine, r->hop);
    }
    if (relay && !known) /* a question that was answered need not go further */
        flood(n, f, f[FRAME_FLAGS] & FRAME_WIDE ? NULL : m);
}

static void acknowledge_reply(struct net *n, struct nfsm *m, const u8 *f)
{
    u8 ack[NET_HEADER];

    frame_start(n, ack, FRAME_REPLY_ACK, be32_get(f + FRAME_SRC), 0);
    be32_put(ack + FRAME_SEQ, be32_get(f + FRAME_SEQ));
    be32_put(ack + FRAME_ACK, be32_get(f + FRAME_DST));
    if (nfsm_pass(m, ack, NET_HEADER, f + FRAME_FROM))
        n->stats.routing_out++;
}

void route_reply(struct net *n, struct nfsm *m, u8 *f)
{
    machine_t dst = be32_get(f + FRAME_DST);
    struct route *r, *back;

    if (be16_get(f + FRAME_BODY) > NET_ANNOUNCE_MAX || f[FRAME_TO] & 1)
        return;
    acknowledge_reply(n, m, f);
    count_medium(m, f);
    r = route_get(n, be32_get(f + FRAME_SRC));
    if (!r || !learn(n, m, r, f) || dst == n->config.self)
        return;
    back = route_find(n, dst);
    if (back && back->via)
        send_reply(n, back->via, f, back->hop);
}

void route_reply_ack(struct net *n, struct nfsm *m, u8 *f)
{
    list_for_each_safe(at, &n->replies)
    {
        struct reply *y = list_entry(at, struct reply, list);

        if (y->via == m && be32_get(y->frame + FRAME_SRC) == be32_get(f + FRAME_DST) &&
            be32_get(y->frame + FRAME_SEQ) == be32_get(f + FRAME_SEQ) &&
            memcmp(y->frame + FRAME_TO, f + FRAME_FROM, 6) == 0)
            free_reply(y);
    }
}

void route_error(struct net *n, struct nfsm *m, u8 *f)
{
    struct route *r = route_find(n, be32_get(f + FRAME_ACK));

    if (!r || !r->peer || r->via != m)
        return;
    peer_find(r->peer);
}
