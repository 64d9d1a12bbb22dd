/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulated network and its ledger. A violation prints what happened and is counted;
 * tests check that the count is zero.
 */
#include <stdio.h>
#include <stdlib.h>
#include "base/bytes.h"
#include "base/memory.h"
#include "tests/net/sim.h"

static void violation(struct sim_node *n, const char *what, u64 a, u64 b)
{
    if (n->sim->violations++ < 20)
        printf("%llu ns, node %u: %s (%llu, %llu)\n", (unsigned long long)n->sim->now, n->index,
               what, (unsigned long long)a, (unsigned long long)b);
}

static void hash(u64 *h, u64 value)
{
    *h = keyed_mix(*h ^ value);
}

/* Whose turn is next: the leaves of a tree are the times of media and nodes, a parent has the
 * earlier one of its children. Among equals the first has its turn. */

static void set_time(struct sim *s, u32 who, u64 at)
{
    u32 i = s->leaves + who;

    s->when[i] = at;
    for (i /= 2; i; i /= 2) {
        u64 earlier = MIN(s->when[2 * i], s->when[2 * i + 1]);

        if (s->when[i] == earlier)
            return;
        s->when[i] = earlier;
    }
}

static u32 first_of_all(const struct sim *s)
{
    u32 i = 1;

    while (i < s->leaves)
        i = 2 * i + (s->when[2 * i] != s->when[i]);
    return i - s->leaves;
}

static u64 time_of_node(const struct sim_node *n)
{
    return n->running ? MAX(n->deadline, n->slow_until) : ~0ull;
}

static u64 time_of(const struct sim *s, u32 who)
{
    if (who >= s->media)
        return time_of_node(&s->node[who - s->media]);
    return s->medium[who] ? medium_deadline(s->medium[who]) : ~0ull;
}

/* A frame was given to a medium, from wherever. */
static void sent_on(struct sim *s, const struct medium *m)
{
    set_time(s, medium_config(m)->id - 1, medium_deadline(m));
}

/* The four device functions over a port of a medium. */

static bool write_block(struct net_device *net_device, const void *block, size_t len)
{
    struct sim_device *d = net_device->owner;

    if (!d->medium || !d->up)
        return true; /* an unplugged card swallows everything */
    if (!d->rude && medium_room(d->medium, d->port, d->node->sim->now) < len) {
        d->refused = true;
        d->refusals++;
        return false;
    }
    d->writes++;
    medium_send(d->medium, d->port, block, len, d->node->sim->now);
    sent_on(d->node->sim, d->medium);
    return true;
}

static size_t read_block(struct net_device *net_device, void *block, size_t room)
{
    struct sim_device *d = net_device->owner;
    struct sim_packet *p = d->first;
    size_t len;

    if (!p)
        return 0;
    d->first = p->next;
    if (!d->first)
        d->last = &d->first;
    len = MIN(p->len, room);
    memcpy(block, p->bytes, len);
    free(p);
    return len;
}

static u32 status(struct net_device *net_device)
{
    struct sim_device *d = net_device->owner;

    if (!d->medium || !d->up)
        return 0;
    if (d->rude || medium_room(d->medium, d->port, d->node->sim->now) >= d->device.block_max)
        return NET_STATUS_UP | NET_STATUS_CAN_WRITE;
    d->refused = true;
    d->refusals++;
    return NET_STATUS_UP;
}

static u32 pending(struct net_device *net_device)
{
    struct sim_device *d = net_device->owner;
    u32 p = d->pending;

    if (d->refused && d->medium &&
        medium_room(d->medium, d->port, d->node->sim->now) >= d->device.block_max) {
        d->refused = false;
        p |= NET_INT_WRITTEN;
    }
    d->pending = 0;
    return p;
}

static const struct net_device_ops ops = {write_block, read_block, status, pending};

struct sim *sim_create(u32 nodes, u32 media, u64 seed)
{
    struct sim *s = calloc(1, sizeof(*s));
    size_t room = (size_t)64 << 20;

    s->seed = seed;
    s->nodes = nodes;
    s->media = media;
    s->node = calloc(nodes, sizeof(*s->node));
    s->medium = calloc(media, sizeof(struct medium *));
    for (s->leaves = 1; s->leaves < media + nodes;)
        s->leaves *= 2;
    s->when = malloc(2 * s->leaves * sizeof(u64));
    memset(s->when, 0xff, 2 * s->leaves * sizeof(u64));
    s->media_memory = malloc(room);
    heap_init(&s->media_heap, s->media_memory, room);
    for (u32 i = 0; i < nodes; i++) {
        struct sim_node *n = &s->node[i];

        n->sim = s;
        n->index = i;
        n->machine = i + 1;
        n->deadline = ~0ull;
        n->memory_size = nodes > 100 ? (size_t)1 << 20 : (size_t)4 << 20;
        n->sent = calloc(nodes, sizeof(u32));
        n->got = calloc(nodes, sizeof(u32));
        n->got_epoch = calloc(nodes, sizeof(u32));
        n->done = calloc(nodes, sizeof(u32));
    }
    return s;
}

static void flush(struct sim_device *d)
{
    while (d->first) {
        struct sim_packet *p = d->first;
        d->first = p->next;
        free(p);
    }
    d->last = &d->first;
}

void sim_destroy(struct sim *s)
{
    for (u32 i = 0; i < s->nodes; i++) {
        struct sim_node *n = &s->node[i];

        if (n->running)
            net_destroy(n->net);
        if (n->running && n->heap.in_use)
            violation(n, "memory left behind", n->heap.in_use, 0);
        for (u32 k = 0; k < n->devices; k++)
            flush(&n->device[k]);
        for (u32 k = 0; k < ARRAY_SIZE(n->bulk); k++)
            free(n->bulk[k].bytes);
        free(n->memory);
        free(n->sent);
        free(n->got);
        free(n->got_epoch);
        free(n->done);
    }
    for (u32 i = 0; i < s->media; i++) {
        if (s->medium[i])
            medium_destroy(s->medium[i]);
    }
    if (s->media_heap.in_use)
        printf("media: %zu bytes left behind\n", s->media_heap.in_use);
    if (s->media_heap.in_use || s->violations)
        exit(1); /* whatever else the test says */
    free(s->media_memory);
    free(s->when);
    free(s->medium);
    free(s->node);
    free(s);
}

struct medium *sim_medium(struct sim *s, u32 at, enum medium_kind kind, u32 ports, u64 rate)
{
    struct medium_config c = {
        .kind = kind, .id = at + 1, .ports = ports, .seed = s->seed, .rate = rate};

    snprintf(c.name, sizeof(c.name), "medium%u", at);
    s->medium[at] = medium_create(&s->media_heap, &c);
    medium_set_owner(s->medium[at], s);
    return s->medium[at];
}

struct sim_device *sim_plug(struct sim *s, u32 node, u32 medium, u32 port)
{
    struct sim_node *n = &s->node[node];
    struct sim_device *d = &n->device[n->devices];
    struct medium *m = s->medium[medium];
    char name[16];

    *d = (struct sim_device){.node = n, .medium = m, .port = port, .up = true};
    d->last = &d->first;
    d->device.ops = &ops;
    d->device.owner = d;
    d->device.address[0] = 2;
    d->device.address[1] = (u8)n->devices++;
    be32_put(d->device.address + 2, n->machine);
    d->device.block_max = medium_block_max(m);
    d->device.bytes_per_second = medium_rate(m);
    snprintf(name, sizeof(name), "n%u", node);
    medium_port(m, port, name, d->device.address);
    medium_port_set_owner(m, port, d);
    if (n->running)
        net_attach(n->net, &d->device);
    return d;
}

void sim_touch(struct sim_node *n)
{
    n->touched = true;
    n->deadline = n->sim->now;
    set_time(n->sim, n->sim->media + n->index, time_of_node(n));
}

void sim_announce(struct sim *s, u32 node, const void *bytes, size_t len)
{
    net_announce(s->node[node].net, bytes, len);
    sim_touch(&s->node[node]);
}

void sim_link_up(struct sim *s, struct sim_device *d, bool up)
{
    (void)s;
    d->up = up;
    d->pending |= NET_INT_STATUS;
    medium_port_up(d->medium, d->port, up);
    sim_touch(d->node);
}

void sim_start(struct sim *s)
{
    for (u32 i = 0; i < s->nodes; i++) {
        struct sim_node *n = &s->node[i];
        struct net_config c = {.self = n->machine,
                               .epoch = n->epoch + 1,
                               .seed = s->seed,
                               .window = n->window,
                               .queue_bytes = n->queue_bytes,
                               .has_crc32c = true};

        if (n->running)
            continue;
        n->epoch++;
        free(n->memory);
        n->memory = malloc(n->memory_size);
        heap_init(&n->heap, n->memory, n->memory_size);
        n->net = net_create(&n->heap, &c);
        net_set_owner(n->net, n);
        n->running = true;
        memset(n->sent, 0, s->nodes * sizeof(u32));
        memset(n->done, 0, s->nodes * sizeof(u32));
        memset(n->got, 0, s->nodes * sizeof(u32));
        memset(n->got_epoch, 0, s->nodes * sizeof(u32));
        net_poll(n->net, s->now);
        for (u32 k = 0; k < n->devices; k++) {
            flush(&n->device[k]);
            n->device[k].pending = 0;
            n->device[k].refused = false;
            if (net_attach(n->net, &n->device[k].device))
                violation(n, "attach failed", k, 0);
        }
        sim_touch(n);
    }
}

struct sim *sim_two(enum medium_kind kind, u64 rate, u64 seed)
{
    struct sim *s = sim_create(2, 1, seed);

    sim_medium(s, 0, kind, 2, rate);
    sim_plug(s, 0, 0, 0);
    sim_plug(s, 1, 0, 1);
    sim_start(s);
    return s;
}

/* What is on its way from here to there will not arrive: it was for a boot that is over. */
static void in_vain(struct sim_node *n, u32 to)
{
    n->sim->waiting -= n->sent[to] - n->done[to];
    n->done[to] = n->sent[to];
}

void sim_crash(struct sim *s, u32 node)
{
    struct sim_node *n = &s->node[node];

    n->running = false;
    n->deadline = ~0ull;
    for (u32 i = 0; i < s->nodes; i++)
        in_vain(n, i);
    for (u32 k = 0; k < n->devices; k++)
        flush(&n->device[k]);
}

/* Bytes 24.. of a message are a function of its head. */
static u8 body_byte(const u8 *head, u32 at)
{
    return (u8)(head[11] * 7u + head[3] * 31u + head[7] * 13u + at + (at >> 8) * 3u);
}

static u32 build(u8 *m, u32 from, u32 to, u32 number, u32 len)
{
    be32_put(m, from);
    be32_put(m + 4, to);
    be32_put(m + 8, number);
    be32_put(m + 12, len);
    be64_put(m + 16, keyed_random(from, to, number));
    for (u32 i = 24; i < len; i++)
        m[i] = body_byte(m, i);
    return len;
}

enum net_result sim_send(struct sim *s, u32 from, u32 to, u32 len)
{
    static u8 m[NET_MESSAGE_MAX];
    struct sim_node *n = &s->node[from];
    enum net_result r;
    u32 cut = len / 3;

    len = MAX(len, 24);
    build(m, from, to, n->sent[to], len);
    r = net_send(n->net, s->node[to].machine, NET_GUARANTEED, m, cut, m + cut, len - cut);
    if (r == NET_OK) {
        n->sent[to]++;
        s->waiting++;
    }
    sim_touch(n);
    return r;
}

void sim_declare_dead(struct sim *s, u32 node, u32 dead)
{
    struct sim_node *n = &s->node[node];

    in_vain(n, dead);
    net_declare_dead(n->net, s->node[dead].machine, s->node[dead].epoch);
    sim_touch(n);
}

/* Whether a message is the one whose turn it is. Its sender's ledger knows, unless that has been
 * started anew since; then it is at least the next after the last one of the same boot. */
static void in_turn(struct sim_node *n, struct sim_node *from, u32 epoch, u32 number)
{
    u32 f = from->index, next = n->got[f];

    if (epoch < n->got_epoch[f])
        violation(n, "message of an old boot", epoch, n->got_epoch[f]);
    if (from->running && from->epoch == epoch)
        next = from->done[n->index];
    else if (n->got_epoch[f] != epoch)
        next = number;
    if (number != next)
        violation(n, number < next ? "duplicate" : "lost or out of order", number, next);
    n->got_epoch[f] = epoch;
    n->got[f] = number + 1;
    if (from->running && from->epoch == epoch && number == next) {
        from->done[n->index]++;
        n->sim->waiting--;
    }
}

void net_up_message(struct net *net, machine_t from, u32 epoch, enum net_class class,
                    const void *message, size_t len)
{
    struct sim_node *n = net_owner(net);
    const u8 *m = message;
    u32 f, number;

    if (class == NET_UNGUARANTEED) {
        n->plain++;
        hash(&n->sim->trace, be32_get(m + 8));
        return;
    }
    n->delivered++;
    n->sim->deliveries++;
    if (len < 24 || be32_get(m + 12) != len || be32_get(m + 4) != n->index) {
        violation(n, "foreign or cut message", len, from);
        return;
    }
    f = be32_get(m);
    number = be32_get(m + 8);
    if (f + 1 != from || be64_get(m + 16) != keyed_random(f, n->index, number))
        violation(n, "forged message", f, from);
    for (u32 i = 24; i < len; i++) {
        if (m[i] != body_byte(m, i)) {
            violation(n, "changed byte", i, len);
            break;
        }
    }
    in_turn(n, &n->sim->node[f], epoch, number);
    if (n->echo)
        sim_send(n->sim, n->index, f, (u32)len);
}

void net_up_room(struct net *net, machine_t to)
{
    (void)to;
    ((struct sim_node *)net_owner(net))->rooms++;
}

void net_up_reachable(struct net *net, machine_t machine, u32 epoch, bool reachable)
{
    struct sim_node *n = net_owner(net);

    if (reachable && epoch > n->sim->node[machine - 1].epoch)
        violation(n, "a boot that never was", machine, epoch);
    if (reachable)
        n->reachable_told++;
    else
        n->unreachable_told++;
}

void net_up_announce(struct net *net, machine_t from, const void *bytes, size_t len)
{
    struct sim_node *n = net_owner(net);

    memcpy(n->announce, bytes, len);
    n->announce_len = len;
    n->announcer = from;
}

static struct sim_bulk *bulk_of(struct sim_node *n, u64 id)
{
    for (u32 i = 0; i < ARRAY_SIZE(n->bulk); i++) {
        if (n->bulk[i].id == id)
            return &n->bulk[i];
    }
    return NULL;
}

bool net_up_bulk_read(struct net *net, u64 transfer, u64 offset, void *buffer, size_t len)
{
    struct sim_bulk *b = bulk_of(net_owner(net), transfer);

    b->reads++;
    if (b->not_now && keyed_below(transfer, offset, b->not_now, 4) == 0) {
        b->not_now--;
        return false;
    }
    for (size_t i = 0; i < len; i++)
        ((u8 *)buffer)[i] = (u8)keyed_random(b->pattern, (offset + i) / 8, 0);
    return true;
}

bool net_up_bulk_write(struct net *net, u64 transfer, u64 offset, const void *data, size_t len)
{
    struct sim_node *n = net_owner(net);
    struct sim_bulk *b = bulk_of(n, transfer);

    if (b->not_now && keyed_below(transfer, offset, b->not_now, 4) == 0) {
        b->not_now--;
        return false;
    }
    if (offset > b->len || len > b->len - offset)
        violation(n, "bulk bytes outside the area", offset, len);
    else
        memcpy(b->bytes + offset, data, len);
    return true;
}

void net_up_bulk_done(struct net *net, u64 transfer, int result)
{
    struct sim_node *n = net_owner(net);
    struct sim_bulk *b = bulk_of(n, transfer);

    if (b->done)
        violation(n, "bulk done twice", transfer, 0);
    b->done = true;
    b->done_at = n->sim->now;
    b->result = result;
}

void net_up_trace(struct net *net, u16 type, u32 who, u64 a, u64 b)
{
    struct sim_node *n = net_owner(net);

    if (type == NET_T_REBOOT)
        in_vain(n, who - 1);
    hash(&n->sim->trace, (u64)n->index << 48 | (u64)type << 32 | who);
    hash(&n->sim->trace, n->sim->now);
    hash(&n->sim->trace, a);
    hash(&n->sim->trace, b);
}

void medium_up_event(struct medium *m, const struct medium_event *e)
{
    struct sim *s = medium_owner(m);

    hash(&s->trace, e->ns);
    hash(&s->trace, (u64)e->type << 60 | (u64)e->why << 52 | (u64)e->from << 20 | e->to);
    hash(&s->trace, e->number);
    s->events++;
    if (s->watch)
        s->watch(s, m, e);
}

static void arrive(struct sim *s, struct medium *m, const struct medium_arrival *a)
{
    struct sim_device *d = medium_port_owner(m, a->port);
    struct sim_packet *p;

    (void)s;
    if (!d || !d->node->running)
        return;
    p = malloc(sizeof(*p) + a->len);
    p->next = NULL;
    p->len = a->len;
    memcpy(p->bytes, a->frame, a->len);
    *d->last = p;
    d->last = &p->next;
    d->pending |= NET_INT_RECEIVED;
    sim_touch(d->node);
}

static void poll(struct sim *s, struct sim_node *n)
{
    bool waiting = false;

    n->touched = false;
    net_poll(n->net, s->now);
    n->deadline = n->touched ? s->now : net_deadline(n->net);
    for (u32 k = 0; k < n->devices; k++)
        waiting |= n->device[k].refused;
    if (waiting) /* the card's interrupt, whose time the model does not tell */
        n->deadline = MIN(n->deadline, s->now + 1000000);
}

bool sim_step(struct sim *s)
{
    struct medium_arrival a;
    u32 who;

    for (;;) {
        u64 at;

        who = first_of_all(s);
        if (s->when[1] == ~0ull)
            return false;
        at = time_of(s, who);
        if (at == s->when[1])
            break;
        set_time(s, who, at); /* it has been put off meanwhile, or went down */
    }
    s->now = MAX(s->now, s->when[1]);
    if (who >= s->media) {
        poll(s, &s->node[who - s->media]);
    } else {
        while (medium_deadline(s->medium[who]) <= s->now &&
               medium_deliver(s->medium[who], s->now, &a))
            arrive(s, s->medium[who], &a);
    }
    set_time(s, who, time_of(s, who));
    return true;
}

void sim_run(struct sim *s, u64 until_ns)
{
    while (s->now < until_ns && sim_step(s))
        ;
    s->now = MAX(s->now, until_ns);
}

bool sim_all_arrived(const struct sim *s)
{
    return !s->waiting;
}

bool sim_settle(struct sim *s, u64 limit_ns)
{
    u64 end = s->now + limit_ns;

    while (s->waiting && s->now < end && sim_step(s))
        ;
    return sim_all_arrived(s);
}

void sim_inject(struct sim *s, u32 medium, u32 port, const void *frame, size_t len)
{
    medium_send(s->medium[medium], port, frame, len, s->now);
    sent_on(s, s->medium[medium]);
}

void sim_fault(struct sim *s, u32 medium, const char *line)
{
    const char *wrong = medium_command(s->medium[medium], line, s->now);

    if (wrong) {
        printf("fault \"%s\": %s\n", line, wrong);
        s->violations++;
    }
}

u64 sim_sum(const struct sim *s, size_t offset_in_stats)
{
    u64 sum = 0;

    for (u32 i = 0; i < s->nodes; i++)
        sum += *(const u64 *)(const void *)((const u8 *)net_stats(s->node[i].net) +
                                            offset_in_stats);
    return sum;
}
