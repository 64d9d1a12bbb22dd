/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines, queues and arrivals. A frame waits for its line, occupies it for its length, and
 * arrives after the latency at each port that the medium and the faults let it reach.
 */
#include "base/wide.h"
#include "net/frame.h"
#include "net/media/model.h"

static const struct kind kinds[MEDIUM_KINDS] = {
    [MEDIUM_PARALLEL] = {.name = "parallel",
                         .rate = 5000,
                         .latency_ns = 20000,
                         .ports_max = 2,
                         .queue_bytes = 16384,
                         .block_max = 1600},
    /* Ten bits on the line for each byte. */
    [MEDIUM_SERIAL] = {.name = "serial",
                       .rate = 1920,
                       .latency_ns = 100000,
                       .ports_max = 2,
                       .queue_bytes = 16384,
                       .block_max = 1600},
    /* Inter-frame gap and slot of 10 Mb/s Ethernet; the recorder answers within a slot. */
    [MEDIUM_ACK_ETHER] = {.name = "ack-ether",
                          .rate = 1250000,
                          .latency_ns = 5000,
                          .ports_max = MEDIUM_PORTS_MAX,
                          .queue_bytes = 65536,
                          .block_max = 1600,
                          .min_frame = 60,
                          .shared = true,
                          .gap_ns = 9600,
                          .ack_slot_ns = 51200},
    [MEDIUM_ETHER] = {.name = "ether",
                      .rate = 125000000,
                      .latency_ns = 5000,
                      .ports_max = MEDIUM_PORTS_MAX,
                      .queue_bytes = 524288,
                      .block_max = 65535,
                      .min_frame = 60,
                      .gap_ns = 96},
};

static const char *const whys[MEDIUM_WHYS] = {
    [MEDIUM_OK] = "ok",
    [MEDIUM_QUEUE] = "dropped: queue full",
    [MEDIUM_LOSS] = "dropped: loss",
    [MEDIUM_BURST] = "dropped: burst loss",
    [MEDIUM_NTH] = "dropped: by number",
    [MEDIUM_CUT] = "dropped: cut",
    [MEDIUM_PARTITION] = "dropped: partition",
    [MEDIUM_RECORDER] = "dropped: not recorded",
    [MEDIUM_MEMORY] = "dropped: no memory",
    [MEDIUM_TOO_LONG] = "dropped: length",
    [MEDIUM_DUPLICATE] = "fault: duplicated",
    [MEDIUM_CORRUPT] = "fault: bits flipped",
    [MEDIUM_TRUNCATE] = "fault: truncated",
    [MEDIUM_PAD] = "fault: padded",
    [MEDIUM_REORDER] = "fault: reordered",
    [MEDIUM_STALL] = "fault: stalled",
    [MEDIUM_FLAP] = "dropped: flapping",
    [MEDIUM_BITERROR] = "fault: bit errors",
    [MEDIUM_DELAY] = "fault: delayed",
    [MEDIUM_JITTER] = "fault: jitter",
    [MEDIUM_RATE] = "fault: other rate",
};

const char *medium_why_name(enum medium_why why)
{
    return why < MEDIUM_WHYS ? whys[why] : "?";
}

enum medium_kind medium_kind_named(const char *name)
{
    u32 k = 0;

    while (k < MEDIUM_KINDS && strcmp(kinds[k].name, name) != 0)
        k++;
    return (enum medium_kind)k;
}

struct medium *medium_create(struct heap *heap, const struct medium_config *config)
{
    const struct kind *k;
    struct medium *m;

    if ((u32)config->kind >= MEDIUM_KINDS)
        return NULL;
    k = &kinds[config->kind];
    if (config->ports > k->ports_max)
        return NULL;
    m = heap_alloc(heap, sizeof(*m));
    if (!m)
        return NULL;
    m->port_room = MAX(config->ports, 2u);
    m->port = heap_alloc(heap, m->port_room * sizeof(struct port));
    if (!m->port) {
        heap_free(heap, m, sizeof(*m));
        return NULL;
    }
    m->heap = heap;
    m->config = *config;
    m->config.name[MEDIUM_NAME - 1] = 0;
    m->kind = k;
    m->recorder = MEDIUM_ANY;
    if (!m->config.rate)
        m->config.rate = k->rate;
    if (!m->config.latency_ns)
        m->config.latency_ns = k->latency_ns;
    if (!m->config.queue_bytes)
        m->config.queue_bytes = k->queue_bytes;
    if (!m->config.block_max || m->config.block_max > k->block_max)
        m->config.block_max = k->block_max;
    m->own_rate = m->config.rate;
    m->own_queue = m->config.queue_bytes;
    for (u32 i = 0; i < config->ports; i++)
        m->port[i].up = true;
    return m;
}

struct parcel *parcel_create(struct medium *m, const void *bytes, size_t len)
{
    struct parcel *p = heap_take(m->heap, sizeof(*p) + len);

    if (!p)
        return NULL;
    p->refs = 1;
    p->mark = 0;
    p->len = len;
    copy_wide(p->bytes, bytes, len);
    return p;
}

static void release(struct medium *m, struct parcel *p)
{
    if (p && !--p->refs)
        heap_free(m->heap, p, sizeof(*p) + p->len);
}

static bool before(const struct flight *a, const struct flight *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static bool push(struct medium *m, struct flight f)
{
    u32 i;

    if (m->flights + 1 >= m->room) {
        u32 room = m->room ? 2 * m->room : 32;
        struct flight *bigger = heap_alloc(m->heap, room * sizeof(f));

        if (!bigger)
            return false;
        if (m->flight)
            memcpy(bigger, m->flight, m->room * sizeof(f));
        heap_free(m->heap, m->flight, m->room * sizeof(f));
        m->flight = bigger;
        m->room = room;
    }
    for (i = ++m->flights; i > 1 && before(&f, &m->flight[i / 2]); i /= 2)
        m->flight[i] = m->flight[i / 2];
    m->flight[i] = f;
    m->newest = i;
    return true;
}

static struct flight pop(struct medium *m)
{
    struct flight first = m->flight[1], last = m->flight[m->flights--];
    u32 i = 1;

    m->newest = 0;
    for (u32 child = 2; child <= m->flights; child = 2 * i) {
        if (child < m->flights && before(&m->flight[child + 1], &m->flight[child]))
            child++;
        if (!before(&m->flight[child], &last))
            break;
        m->flight[i] = m->flight[child];
        i = child;
    }
    m->flight[i] = last;
    return first;
}

void medium_destroy(struct medium *m)
{
    while (m->flights)
        release(m, pop(m).parcel);
    release(m, m->last);
    heap_free(m->heap, m->flight, m->room * sizeof(*m->flight));
    heap_free(m->heap, m->port, m->port_room * sizeof(struct port));
    heap_free(m->heap, m, sizeof(*m));
}

void medium_set_owner(struct medium *m, void *owner)
{
    m->owner = owner;
}

void *medium_owner(const struct medium *m)
{
    return m->owner;
}

void medium_port(struct medium *m, u32 port, const char *name, const u8 address[6])
{
    if (port >= m->config.ports)
        return;
    if (name) {
        size_t len = strnlen(name, MEDIUM_NAME - 1);

        memcpy(m->port[port].name, name, len);
        m->port[port].name[len] = 0;
    }
    if (address)
        addresses_set(m, port, address);
}

void medium_port_set_owner(struct medium *m, u32 port, void *owner)
{
    if (port < m->config.ports)
        m->port[port].owner = owner;
}

void *medium_port_owner(const struct medium *m, u32 port)
{
    return port < m->config.ports ? m->port[port].owner : NULL;
}

void medium_port_groups(struct medium *m, u32 port, const u64 *wanted)
{
    m->port[port].groups = wanted;
}

void medium_port_up(struct medium *m, u32 port, bool up)
{
    if (port < m->config.ports)
        m->port[port].up = up;
}

static bool more_ports(struct medium *m)
{
    struct port *bigger = heap_alloc(m->heap, 2 * m->port_room * sizeof(struct port));

    if (!bigger)
        return false;
    memcpy(bigger, m->port, m->port_room * sizeof(struct port));
    heap_free(m->heap, m->port, m->port_room * sizeof(struct port));
    m->port = bigger;
    m->port_room *= 2;
    addresses_again(m);
    return true;
}

u32 medium_add_port(struct medium *m, const char *name)
{
    u32 at = 0;

    while (at < m->config.ports && strcmp(m->port[at].name, name) != 0)
        at++;
    if (at < m->config.ports)
        return at;
    if (at == m->kind->ports_max || (at == m->port_room && !more_ports(m)))
        return MEDIUM_ANY;
    m->config.ports++;
    medium_port(m, at, name, NULL);
    return at;
}

const char *medium_port_name(const struct medium *m, u32 port)
{
    return port < m->config.ports ? m->port[port].name : "*";
}

static void tell(struct medium *m, u32 type, enum medium_why why, u32 from, u32 to, u64 number,
                 const void *frame, size_t len, u64 now)
{
    struct medium_event e = {.ns = now,
                             .why = why,
                             .from = from,
                             .to = to,
                             .number = number,
                             .frame = frame,
                             .len = len};

    e.type = type;
    if (type == MEDIUM_DROPPED)
        m->stats.dropped++;
    if (type == MEDIUM_CHANGED)
        m->stats.changed++;
    medium_up_event(m, &e);
}

static u64 on_line_ns(const struct medium *m, size_t len)
{
    u64 bytes = MAX(len, (size_t)m->kind->min_frame);

    return bytes * 1000000000ull / m->config.rate + m->kind->gap_ns +
           (m->recorder != MEDIUM_ANY ? m->kind->ack_slot_ns : 0);
}

static u64 *line_of(struct medium *m, u32 port)
{
    return m->kind->shared ? &m->free_at : &m->port[port].free_at;
}

u32 medium_room(const struct medium *m, u32 port, u64 now)
{
    u64 free_at = m->kind->shared ? m->free_at : m->port[port].free_at;
    u64 waiting;

    if (free_at <= now)
        return m->config.queue_bytes;
    waiting = (free_at - now) * m->config.rate / 1000000000ull;
    return waiting < m->config.queue_bytes ? m->config.queue_bytes - (u32)waiting : 0;
}

/* The newest flight may have another port: what all get at once is one, however many they are. */
static bool joins(struct medium *m, const struct parcel *p, u32 from, u32 to, u64 at)
{
    struct flight *f = m->newest ? &m->flight[m->newest] : NULL;

    if (!f || f->parcel != p || f->at != at || to != (f->end == from ? from + 1 : f->end))
        return false;
    f->end = (u16)(to + 1);
    return true;
}

static void fly(struct medium *m, struct parcel *p, u32 from, u32 to, u64 number, u64 at)
{
    struct flight f = {.at = at,
                       .order = m->order++,
                       .port = (u16)to,
                       .end = (u16)(to + 1),
                       .from = (u16)from,
                       .number = number,
                       .parcel = p};

    if (joins(m, p, from, to, at))
        return;
    if (push(m, f))
        p->refs++;
    else
        tell(m, MEDIUM_DROPPED, MEDIUM_MEMORY, from, to, number, p->bytes, p->len, at);
}

static void aim(struct medium *m, struct parcel *p, u32 from, u32 to, u64 number, u64 at,
                u64 now)
{
    struct verdict v;
    struct parcel *q = p;

    rules_judge(m, from, to, number, p->len, now, &v);
    if (v.drop) {
        tell(m, MEDIUM_DROPPED, v.drop, from, to, number, p->bytes, p->len, now);
        return;
    }
    if (v.changed & DAMAGED) {
        q = rules_damage(m, p, from, to, number, &v);
        if (!q) {
            tell(m, MEDIUM_DROPPED, MEDIUM_MEMORY, from, to, number, p->bytes, p->len, now);
            return;
        }
    }
    for (u32 why = MEDIUM_DUPLICATE; v.changed >> why; why++) {
        if (v.changed >> why & 1)
            tell(m, MEDIUM_CHANGED, why, from, to, number, q->bytes, q->len, now);
    }
    fly(m, q, from, to, number, at + v.extra_ns);
    if (v.again_ns)
        fly(m, q, from, to, number, at + v.extra_ns + v.again_ns);
    if (q != p)
        release(m, q);
}

/* The one port a frame is for, or MEDIUM_ANY: all of them. */
static u32 target(const struct medium *m, u32 from, const u8 *frame, size_t len)
{
    static const u8 unknown[6];
    u32 *last = &m->port[from].last_to;
    u32 found;

    if (len < 6 || frame[0] & 1 || address_equal(frame, unknown))
        return MEDIUM_ANY;
    if (*last < m->config.ports && address_equal(m->port[*last].address, frame))
        return *last;
    found = addresses_find(m, frame);
    if (found != MEDIUM_ANY)
        *last = found;
    return found;
}

/* On an acknowledging ether nobody may use a frame that the recorder did not store. */
static bool recorded(struct medium *m, const struct parcel *p, u32 from, u64 number, u64 now)
{
    struct verdict v;

    if (m->recorder == MEDIUM_ANY || m->recorder == from || !m->kind->ack_slot_ns)
        return true;
    if (!m->port[m->recorder].up)
        return false;
    rules_judge(m, from, m->recorder, number, p->len, now, &v);
    return !v.drop && !(v.changed & DAMAGED);
}

/* The group a frame is for; NET_GROUPS: none. */
static u32 group_of(const u8 *frame, size_t len)
{
    return len < 6 || !(frame[0] & 1) || address_equal(frame, frame_everybody)
               ? (u32)NET_GROUPS
               : net_group_of(frame);
}

static bool wants(const struct port *p, u32 group)
{
    return group == NET_GROUPS || !p->groups || net_group_in(p->groups, group);
}

static void aim_all(struct medium *m, struct parcel *p, u32 from, u64 number, u64 at, u64 now)
{
    u32 only = target(m, from, p->bytes, p->len), group;
    bool stored = m->recorder != MEDIUM_ANY && m->kind->ack_slot_ns;

    if (!recorded(m, p, from, number, now)) {
        tell(m, MEDIUM_DROPPED, MEDIUM_RECORDER, from, MEDIUM_ANY, number, p->bytes, p->len,
             now);
        return;
    }
    if (only != MEDIUM_ANY && !stored) { /* however many others there are */
        if (only != from && m->port[only].up)
            aim(m, p, from, only, number, at, now);
        return;
    }
    group = group_of(p->bytes, p->len);
    for (u32 to = 0; to < m->config.ports; to++) {
        if (to == from || !m->port[to].up || !wants(&m->port[to], group))
            continue;
        if (only == MEDIUM_ANY || only == to || to == m->recorder)
            aim(m, p, from, to, number, at, now);
    }
}

void medium_send_marked(struct medium *m, u32 port, const void *frame, size_t len, u32 mark,
                        u64 now)
{
    enum medium_why why = MEDIUM_OK;
    struct parcel *p = NULL;
    u64 *line, number, start;

    if (port >= m->config.ports || !m->port[port].up)
        return;
    number = ++m->port[port].sent;
    line = line_of(m, port);
    start = MAX(MAX(*line, now), m->stalled_until);
    rules_step(m, port, number);
    m->stats.sent++;
    m->stats.bytes += len;
    tell(m, MEDIUM_SENT, MEDIUM_OK, port, MEDIUM_ANY, number, frame, len, now);
    if (!len || len > m->config.block_max)
        why = MEDIUM_TOO_LONG;
    else if (medium_room(m, port, now) < len)
        why = MEDIUM_QUEUE;
    else if (!(p = parcel_create(m, frame, len)))
        why = MEDIUM_MEMORY;
    if (why) {
        tell(m, MEDIUM_DROPPED, why, port, MEDIUM_ANY, number, frame, len, now);
        return;
    }
    p->mark = mark;
    *line = start + on_line_ns(m, len);
    if (m->stalled_until > now)
        tell(m, MEDIUM_CHANGED, MEDIUM_STALL, port, MEDIUM_ANY, number, frame, len, now);
    if (m->config.rate != m->own_rate)
        tell(m, MEDIUM_CHANGED, MEDIUM_RATE, port, MEDIUM_ANY, number, frame, len, now);
    aim_all(m, p, port, number, *line + m->config.latency_ns, now);
    release(m, p);
}

void medium_send(struct medium *m, u32 port, const void *frame, size_t len, u64 now)
{
    medium_send_marked(m, port, frame, len, 0, now);
}

u64 medium_deadline(const struct medium *m)
{
    return m->flights ? m->flight[1].at : ~0ull;
}

/* The next arrival, with a reference to its parcel. */
static struct flight next(struct medium *m)
{
    struct flight *f = &m->flight[1], one;
    u32 port = f->port + 1u == f->from ? f->port + 2u : f->port + 1u;

    if (port >= f->end)
        return pop(m);
    one = *f;
    one.parcel->refs++;
    f->port = (u16)port;
    m->newest = 0; /* it is on its way */
    return one;
}

bool medium_deliver(struct medium *m, u64 now, struct medium_arrival *arrival)
{
    release(m, m->last);
    m->last = NULL;
    while (m->flights && m->flight[1].at <= now) {
        struct flight f = next(m);

        if (!m->port[f.port].up) {
            release(m, f.parcel);
            continue;
        }
        m->last = f.parcel;
        *arrival = (struct medium_arrival){f.port,   f.from,          f.parcel->mark,
                                           f.number, f.parcel->bytes, f.parcel->len};
        m->stats.delivered++;
        tell(m, MEDIUM_DELIVERED, MEDIUM_OK, f.from, f.port, f.number, f.parcel->bytes,
             f.parcel->len, f.at);
        return true;
    }
    return false;
}

u64 medium_rate(const struct medium *m)
{
    return m->config.rate;
}

u16 medium_block_max(const struct medium *m)
{
    return m->config.block_max;
}

const struct medium_config *medium_config(const struct medium *m)
{
    return &m->config;
}

const struct medium_stats *medium_stats(const struct medium *m)
{
    return &m->stats;
}
