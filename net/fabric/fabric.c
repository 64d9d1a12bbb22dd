/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports, media and who may say what. A DEMOS frame must bear its vif's Ethernet address;
 * one that has passed no node must name its vif's machine as source; and a node with a
 * single vif can pass on nothing but wide floods. From outside comes no frame with an address
 * of ours.
 */
#include "base/bytes.h"
#include "base/wide.h"
#include "base/format.h"
#include "base/memory.h"
#include "net/fabric/fabric.h"
#include "net/frame.h"
#include "net/media/words.h"
#include "net/trace.h"

enum { FABRIC_OUTSIDE = 0x7fff }; /* no domain's number */

void fabric_init(struct fabric *f, struct heap *heap, u64 seed, struct capture *capture)
{
    *f = (struct fabric){.heap = heap, .seed = seed, .capture = capture};
}

static struct fabric_medium *find(const struct fabric *f, const char *name, size_t len)
{
    for (u32 i = 0; i < f->media; i++) {
        const char *has = medium_config(f->medium[i]->medium)->name;

        if (strlen(has) == len && memcmp(has, name, len) == 0)
            return f->medium[i];
    }
    return NULL;
}

/* What a medium's words say. */
struct words {
    struct medium_config config;
    bool captured, kind_given;
    char recorder[MEDIUM_NAME];
};

static const char *word(struct words *w, const char *key, const char *value)
{
    u64 n;

    if (strcmp(key, "name") == 0 && *value && strlen(value) < MEDIUM_NAME) {
        memcpy(w->config.name, value, strlen(value) + 1);
        return NULL;
    }
    if (strcmp(key, "kind") == 0) {
        w->config.kind = medium_kind_named(value);
        w->kind_given = true;
        return w->config.kind < MEDIUM_KINDS ? NULL : "no such kind of medium";
    }
    if (strcmp(key, "rate") == 0)
        return parse_count(value, &w->config.rate) ? NULL : "rate is bytes a second";
    if (strcmp(key, "latency") == 0)
        return parse_duration(value, &w->config.latency_ns) ? NULL : "latency is a time";
    if (strcmp(key, "queue") == 0) {
        if (!parse_count(value, &n) || n > 0xffffffffu)
            return "queue is a number of bytes";
        w->config.queue_bytes = (u32)n;
        return NULL;
    }
    if (strcmp(key, "capture") == 0) {
        w->captured = strcmp(value, "no") != 0;
        return NULL;
    }
    if (strcmp(key, "block") == 0) {
        if (!parse_count(value, &n) || n < NET_BLOCK_MIN || n > NET_BLOCK_MAX)
            return "block is a number of bytes, 1088 to 65535";
        w->config.block_max = (u16)n;
        return NULL;
    }
    if (strcmp(key, "recorder") == 0 && strlen(value) < MEDIUM_NAME) {
        memcpy(w->recorder, value, strlen(value) + 1);
        return NULL;
    }
    return "a medium has name, kind, rate, latency, queue, block, capture and recorder";
}

static const char *parse(struct words *w, const char *s)
{
    const char *wrong = NULL;

    while (!wrong) {
        char key[16], value[64];
        size_t len = 0, at = 0;

        while (*s == ' ')
            s++;
        if (!*s)
            break;
        while (s[at] && s[at] != ' ' && s[at] != '=' && at < sizeof(key) - 1)
            key[len++] = s[at++];
        if (s[at++] != '=')
            return "a medium is described by words key=value";
        key[len] = 0;
        for (len = 0; s[at] && s[at] != ' ' && len < sizeof(value) - 1; len++)
            value[len] = s[at++];
        value[len] = 0;
        s += at;
        wrong = word(w, key, value);
    }
    return wrong ? wrong
                 : (w->config.name[0] && w->kind_given ? NULL : "name or kind is missing");
}

const char *fabric_add(struct fabric *f, const char *words)
{
    struct words w = {.captured = true, .config = {.id = f->media + 1, .seed = f->seed}};
    const char *wrong = parse(&w, words);
    struct fabric_medium *m;

    if (wrong)
        return wrong;
    if (find(f, w.config.name, strlen(w.config.name)))
        return "a medium of that name exists";
    if (f->media == FABRIC_MEDIA_MAX)
        return "too many media";
    m = heap_alloc(f->heap, sizeof(*m));
    if (!m)
        return "out of memory";
    m->fabric = f;
    w.config.they_come = true; /* a plan's fault may be here before the node it names */
    m->medium = medium_create(f->heap, &w.config);
    if (!m->medium) {
        heap_free(f->heap, m, sizeof(*m));
        return "out of memory";
    }
    medium_set_owner(m->medium, m);
    memcpy(m->recorder, w.recorder, sizeof(m->recorder));
    m->captured = w.captured && f->capture;
    if (m->captured)
        m->interface = capture_interface(f->capture, w.config.name, words);
    f->medium[f->media++] = m;
    return NULL;
}

/* The record of a domain, made on its first vif; ~0: no memory. */
static u32 node_of(struct fabric *f, u32 domain, bool make)
{
    u32 at = 0;

    while (at < f->nodes && f->node[at].domain != domain)
        at++;
    if (at < f->nodes || !make)
        return at < f->nodes ? at : ~0u;
    if (at == f->node_room) {
        u32 room = f->node_room ? 2 * f->node_room : 16;
        void *bigger = heap_alloc(f->heap, room * sizeof(*f->node));

        if (!bigger)
            return ~0u;
        if (f->node)
            memcpy(bigger, f->node, f->nodes * sizeof(*f->node));
        heap_free(f->heap, f->node, f->node_room * sizeof(*f->node));
        f->node = bigger;
        f->node_room = room;
    }
    f->node[at].domain = domain;
    f->node[at].machine = f->node[at].vifs = 0;
    f->nodes++;
    return at;
}

void fabric_forget(struct fabric *f, u32 domain)
{
    u32 at = node_of(f, domain, false);

    if (at != ~0u)
        f->node[at] = f->node[--f->nodes];
}

static size_t cost_of(size_t len)
{
    return heap_cost(sizeof(struct fabric_frame) + len);
}

/* What all vifs together leave waiting is a quarter of the heap, whoever fetches nothing: blocks
 * of one size do not become blocks of another, and frames on their way need some too. */
static void share_out(struct fabric *f)
{
    f->queue_bytes = MIN((size_t)FABRIC_QUEUE_BYTES, f->heap->total / 4 / MAX(f->ports, 1u));
}

struct fabric_port *fabric_attach(struct fabric *f, const char *medium, const char *port,
                                  u32 domain, u32 machine, const u8 address[6])
{
    struct fabric_medium *m = find(f, medium, strlen(medium));
    struct fabric_port *p;
    u32 at, node;

    if (!m)
        return NULL;
    node = node_of(f, domain, true);
    at = medium_add_port(m->medium, port);
    p = node == ~0u || at == MEDIUM_ANY ? NULL : heap_alloc(f->heap, sizeof(*p));
    if (!p)
        return NULL;
    p->fabric = f;
    p->medium = m;
    p->port = at;
    p->domain = domain;
    p->last = &p->first;
    memcpy(p->address, address, 6);
    p->next = m->ports;
    m->ports = p;
    f->node[node].vifs++;
    f->ports++;
    share_out(f);
    if (machine)
        f->node[node].machine = machine;
    medium_port(m->medium, at, NULL, address);
    medium_port_set_owner(m->medium, at, p);
    medium_port_up(m->medium, at, true);
    if (strcmp(m->recorder, port) == 0) {
        char line[MEDIUM_NAME + 16];

        format(line, sizeof(line), "recorder %s", port);
        medium_command(m->medium, line, f->now);
    }
    return p;
}

struct fabric_port *fabric_attach_outside(struct fabric *f, const char *medium,
                                          const char *port)
{
    static const u8 unknown[6];
    struct fabric_port *p = fabric_attach(f, medium, port, FABRIC_OUTSIDE, 0, unknown);

    if (p)
        p->outside = p->medium->outside = true;
    return p;
}

static void drop_first(struct fabric_port *p)
{
    struct fabric_frame *q = p->first;

    p->first = q->next;
    if (!p->first)
        p->last = &p->first;
    p->queued -= cost_of(q->len);
    heap_free(p->fabric->heap, q, sizeof(*q) + q->len);
}

void fabric_detach(struct fabric_port *p)
{
    struct fabric_port **at = &p->medium->ports;
    u32 node = node_of(p->fabric, p->domain, false);
    static const u8 nobody[6];

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    medium_port(p->medium->medium, p->port, NULL, nobody); /* it may come back elsewhere */
    medium_port_set_owner(p->medium->medium, p->port, NULL);
    medium_port_groups(p->medium->medium, p->port, NULL);
    medium_port_up(p->medium->medium, p->port, false);
    if (node != ~0u)
        p->fabric->node[node].vifs--;
    while (p->first)
        drop_first(p);
    p->fabric->ports--;
    share_out(p->fabric);
    heap_free(p->fabric->heap, p, sizeof(*p));
}

void fabric_destroy(struct fabric *f)
{
    for (u32 i = 0; i < f->media; i++) {
        while (f->medium[i]->ports)
            fabric_detach(f->medium[i]->ports);
        medium_destroy(f->medium[i]->medium);
        heap_free(f->heap, f->medium[i], sizeof(*f->medium[i]));
    }
    heap_free(f->heap, f->node, f->node_room * sizeof(*f->node));
}

static bool ours(const struct fabric *f, const u8 address[6])
{
    for (u32 i = 0; i < f->media; i++)
        for (const struct fabric_port *p = f->medium[i]->ports; p; p = p->next)
            if (!p->outside && memcmp(p->address, address, 6) == 0)
                return true;
    return false;
}

/* The record's place moves only when another's domain is forgotten. */
static u32 node_of_port(struct fabric_port *p)
{
    const struct fabric *f = p->fabric;

    if (p->node >= f->nodes || f->node[p->node].domain != p->domain)
        p->node = node_of(p->fabric, p->domain, false);
    return p->node;
}

/* Whether a DEMOS frame is what this vif may send. */
static bool honest(struct fabric_port *p, const u8 *frame, size_t len)
{
    u32 node = node_of_port(p), source;

    if (p->outside)
        return len >= 14 && !ours(p->fabric, frame + FRAME_FROM);
    if (len < 14 || be16_get(frame + FRAME_TYPE) != FRAME_ETHERTYPE)
        return true;
    if (len < NET_HEADER || node == ~0u || !address_equal(frame + FRAME_FROM, p->address))
        return false;
    source = be32_get(frame + FRAME_SRC);
    if (!frame[FRAME_HOPS]) {
        if (!p->fabric->node[node].machine)
            p->fabric->node[node].machine = source;
        return p->fabric->node[node].machine == source;
    }
    return source != p->fabric->node[node].machine && p->fabric->node[node].vifs > 1;
}

void fabric_take(struct fabric_port *p, u8 *frame, size_t len, u32 checksum, u64 now)
{
    struct fabric *f = p->fabric;

    f->now = MAX(f->now, now);
    p->taken++;
    if (!honest(p, frame, len)) {
        p->forged++;
        fabric_up_trace(f, NET_T_MEDIUM_DROP, medium_config(p->medium->medium)->id,
                        (u64)p->port << 48, MEDIUM_WHYS);
        return;
    }
    if (checksum & CHECKSUM_BLANK)
        checksum = checksum_fill(frame, len) ? CHECKSUM_GOOD : 0;
    medium_send_marked(p->medium->medium, p->port, frame, len, checksum, now);
    if (p->medium->captured)
        capture_flush(f->capture);
}

static void arrive(struct fabric_medium *m, const struct medium_arrival *a)
{
    struct fabric_port *p = medium_port_owner(m->medium, a->port);
    struct fabric_frame *q;

    if (!p)
        return;
    if (!p->first && fabric_up_arrived(p, a->frame, a->len, a->mark)) {
        p->given++;
        return;
    }
    q = p->first && p->queued + cost_of(a->len) > m->fabric->queue_bytes
            ? NULL
            : heap_take(m->fabric->heap, sizeof(*q) + a->len);
    if (!q) { /* a vif that fetches nothing loses its own frames only */
        p->unfetched++;
        return;
    }
    q->next = NULL;
    q->len = a->len;
    q->checksum = a->mark;
    copy_wide(q->bytes, a->frame, a->len);
    *p->last = q;
    p->last = &q->next;
    p->queued += cost_of(a->len);
    fabric_up_ready(p);
}

bool fabric_run(struct fabric *f, u64 now)
{
    struct medium_arrival a;
    bool any = false;

    f->now = MAX(f->now, now);
    for (u32 i = 0; i < f->media; i++) {
        while (medium_deadline(f->medium[i]->medium) <= now &&
               medium_deliver(f->medium[i]->medium, now, &a)) {
            arrive(f->medium[i], &a);
            any = true;
        }
    }
    return any;
}

u64 fabric_deadline(const struct fabric *f)
{
    u64 first = ~0ull;

    for (u32 i = 0; i < f->media; i++)
        first = MIN(first, medium_deadline(f->medium[i]->medium));
    return first;
}

const struct fabric_frame *fabric_next(const struct fabric_port *p)
{
    return p->first;
}

void fabric_given(struct fabric_port *p)
{
    p->given++;
    drop_first(p);
}

const char *fabric_fault(struct fabric *f, const char *line, u64 now)
{
    size_t len = 0;
    struct fabric_medium *m;

    while (line[len] && line[len] != ' ')
        len++;
    m = find(f, line, len);
    return m ? medium_command(m->medium, line + len, now) : "no such medium";
}

/* A comment for a capture: what happened to which frame on its way to whom. */
static void comment(struct fabric_medium *m, const struct medium_event *e)
{
    char text[128];

    format(text, sizeof(text), "%s>%s #%lu %s", medium_port_name(m->medium, e->from),
           medium_port_name(m->medium, e->to), e->number, medium_why_name(e->why));
    capture_comment(m->fabric->capture, text);
}

void medium_up_event(struct medium *medium, const struct medium_event *e)
{
    static const u16 types[] = {NET_T_MEDIUM_SEND, NET_T_MEDIUM_DROP, NET_T_MEDIUM_FAULT,
                                NET_T_MEDIUM_DELIVER};
    struct fabric_medium *m = medium_owner(medium);
    struct fabric *f = m->fabric;

    fabric_up_trace(f, types[e->type], medium_config(medium)->id,
                    (u64)e->from << 48 | (e->number & 0xffffffffffffull),
                    e->type == MEDIUM_SENT || e->type == MEDIUM_DELIVERED
                        ? (u64)(e->to & 0xffff) << 32 | e->len
                        : (u64)(e->to & 0xffff) << 32 | e->why);
    if (!m->captured || e->type == MEDIUM_DELIVERED)
        return;
    if (e->type == MEDIUM_SENT)
        capture_frame(f->capture, m->interface, e->ns, e->frame, e->len);
    if (e->why != MEDIUM_OK)
        comment(m, e);
}
