/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sending half of a conversation: accept a message, number it, keep it until it is
 * acknowledged, and give its pieces to the NFSM when asked. What counts as lost: a message
 * that three later ones have overtaken, one whose end was seen with pieces missing, and
 * after a time-out everything in flight.
 */
#include "net/core.h"
#include "base/wide.h"

enum { OVERTAKEN = 3, LOST_PATH_TIMEOUTS = 2 };

static void free_out(struct peer *p, struct out *o)
{
    p->queued -= o->cost;
    heap_free(p->net->heap, o, o->cost);
}

void peer_drop_out(struct peer *p)
{
    struct list *at;

    for (u32 i = 0; i < WINDOW; i++) {
        if (p->window[i])
            free_out(p, p->window[i]);
        p->window[i] = NULL;
    }
    while ((at = list_pop_front(&p->queue)))
        free_out(p, list_entry(at, struct out, list));
    if (p->was_full)
        p->tell_room = p->net->rooms = true;
    p->was_full = false;
}

/* Bytes that may be in flight: a second of the path, at least two blocks. */
static u32 most_in_flight(const struct peer *p)
{
    const struct route *r = p->route;
    u32 most = p->net->config.queue_bytes;

    return r->rate && r->rate < most ? MAX(r->rate, 2u * NET_BLOCK_MIN) : most;
}

/* Long enough for what is in flight and an answer of a block to pass the slowest medium,
 * and for our own medium to swallow what all conversations have given it. */
u64 peer_rto(const struct peer *p)
{
    const struct route *r = p->route;
    const struct nfsm *m = p->source.via;
    u64 now = p->net->now, backlog = m && m->free_at > now ? m->free_at - now : 0;
    u64 carry = r->rate ? (u64)(p->flight + 2 * NET_BLOCK_MIN) * S / r->rate : 0;
    u64 rto = p->srtt ? p->srtt + 4 * p->rttvar + 10 * MS : 150 * MS + 2 * carry;

    rto = MAX(rto, 25 * MS + carry);
    /* Twice as long after each loss, but what a short fault has lost is not missed for long. */
    rto = MIN(rto << MIN(p->backoff, 6), MAX(4 * rto, 400 * MS + carry));
    return MIN(rto, 10 * S + carry) + 2 * backlog;
}

enum net_result peer_send(struct peer *p, const void *head, size_t head_len, const void *body,
                          size_t body_len)
{
    struct net *n = p->net;
    u32 len = (u32)(head_len + body_len);
    u32 cost = (u32)sizeof(struct out) + NET_HEADER + len;
    struct out *o;

    if (p->queued && p->queued + cost > n->config.queue_bytes) {
        p->was_full = true;
        return NET_FULL;
    }
    o = heap_take(n->heap, cost);
    if (!o) {
        n->stats.no_memory++;
        return NET_NO_MEMORY;
    }
    p->queued += cost;
    *o = (struct out){.seq = p->tail++,
                      .len = len,
                      .cost = cost,
                      .sections = (u16)(len ? (len + SECTION - 1) / SECTION : 1)};
    if (head_len)
        memcpy(o->frame + NET_HEADER, head, head_len);
    if (body_len)
        copy_wide(o->frame + NET_HEADER + head_len, body, body_len);
    list_push_back(&p->queue, &o->list);
    n->stats.sent++;
    net_trace(n, NET_T_SEND, p->machine, o->seq, len);
    if (!p->source.via || (p->found_generation != n->generation && !p->finding))
        peer_find(p);
    nfsm_ready(&p->source);
    return NET_OK;
}

static bool has(const u64 have[2], u32 section)
{
    return have[section / 64] >> (section % 64) & 1;
}

static bool may_begin(const struct peer *p)
{
    const struct out *o;

    if (list_empty(&p->queue) || p->next - p->una >= p->net->config.window || !p->epoch)
        return false;
    o = list_entry(p->queue.next, struct out, list);
    return !p->flight || p->flight + o->len <= MIN(p->limit, most_in_flight(p));
}

bool peer_has_work(const struct peer *p)
{
    return p->ack_now || p->resend || may_begin(p);
}

/* The message whose next piece shall go: one begun and not ended, or a new one. */
static struct out *choose(struct peer *p)
{
    struct out *o;

    if (p->resend) {
        for (u32 s = p->una; s != p->next; s++) {
            o = p->window[s % WINDOW];
            if (!o->acked && o->cursor < o->sections)
                return o;
        }
    }
    if (!may_begin(p))
        return NULL;
    o = list_entry(list_pop_front(&p->queue), struct out, list);
    p->window[p->next++ % WINDOW] = o;
    p->flight += o->len;
    p->resend++;
    o->attempt = 1;
    return o;
}

/* Sections [from, to) of the next piece, missing ones only, as many as a block takes. */
static u32 piece_end(const struct out *o, u32 from, u32 block)
{
    u32 most = from + (block - NET_HEADER) / SECTION;
    u32 to = from + 1;

    while (to < o->sections && to < most && !has(o->have, to))
        to++;
    return to;
}

/* The last piece of an attempt is out: from now on the clock counts. */
static void attempt_ends(struct peer *p, struct out *o)
{
    struct net *n = p->net;

    p->resend--;
    o->serial = ++p->serial;
    o->sent_ns = n->polling ? n->now : 0;
    if (!n->polling) {
        if (list_empty(&p->fresh))
            list_push_back(&n->fresh, &p->fresh);
    } else if (!p->rto_at) {
        p->rto_at = n->now + peer_rto(p);
        net_due(n, &p->due, p->rto_at);
    }
}

static enum give give_piece(struct peer *p, struct out *o)
{
    u32 from = o->cursor, to = piece_end(o, from, p->source.via->device->block_max), last;
    u32 start = from * SECTION, end = MIN(to * SECTION, o->len);
    u8 *f = o->frame + start, kept[NET_HEADER];
    enum give gave;

    for (last = to; last < o->sections && has(o->have, last); last++)
        ;
    if (from)
        memcpy(kept, f, NET_HEADER);
    frame_start(p->net, f, FRAME_DATA, p->machine, p->epoch);
    f[FRAME_FLAGS] = last == o->sections ? FRAME_END : 0;
    be16_put(f + FRAME_BODY, (u16)(end - start));
    be16_put(f + FRAME_SECTION, (u16)from);
    be32_put(f + FRAME_SEQ, o->seq);
    be32_put(f + FRAME_LENGTH, o->len);
    be16_put(f + FRAME_ATTEMPT, o->attempt);
    peer_set_acks(p, f);
    gave = nfsm_write(p->source.via, f, NET_HEADER + end - start, p->route->hop);
    if (from)
        memcpy(f, kept, NET_HEADER);
    if (gave != GIVE_BLOCK)
        return gave;
    p->unacked = 0;
    p->ack_now = false;
    p->ack_at = 0;
    if (o->attempt > 1) {
        p->net->stats.retransmits++;
        net_trace(p->net, NET_T_RESEND, p->machine, o->seq, o->attempt);
    }
    o->cursor = (u16)last;
    if (last == o->sections)
        attempt_ends(p, o);
    return GIVE_BLOCK;
}

static enum give give_acks(struct peer *p)
{
    u8 f[NET_HEADER + 32 * ACK_ITEM];
    size_t body = peer_ack_items(p, f + NET_HEADER, sizeof(f) - NET_HEADER);
    enum give gave;

    frame_start(p->net, f, FRAME_ACKS, p->machine, p->epoch);
    be16_put(f + FRAME_BODY, (u16)body);
    peer_set_acks(p, f);
    gave = nfsm_write(p->source.via, f, NET_HEADER + body, p->route->hop);
    if (gave == GIVE_BLOCK) {
        p->unacked = 0;
        p->ack_now = false;
        p->ack_at = 0;
        p->net->stats.acks_out++;
    }
    return gave;
}

/* Charges a block to the slowest medium of the path, where that is not our own. */
static void pace(struct peer *p, size_t len)
{
    u32 rate = p->route->rate;
    u64 own = p->source.via->device->bytes_per_second;

    if (rate && (!own || rate < own) && rate < 20000000)
        p->free_at = MAX(p->free_at, p->net->now) + len * S / rate;
}

enum give peer_give(struct peer *p)
{
    struct out *o;
    enum give gave;
    u32 before;

    if (!p->epoch)
        return GIVE_NOTHING;
    /* Unfinished messages need more than the piggybacked acknowledgement can say. */
    if (p->ack_now && (p->held_bytes || (!p->resend && !may_begin(p))))
        return give_acks(p);
    if (p->free_at > p->net->now + 50 * MS) {
        net_due(p->net, &p->due, p->free_at - 50 * MS);
        return p->ack_now ? give_acks(p) : GIVE_NOTHING;
    }
    o = choose(p);
    if (!o)
        return GIVE_NOTHING;
    before = o->cursor;
    gave = give_piece(p, o);
    if (gave == GIVE_BLOCK)
        pace(p, NET_HEADER + (size_t)(o->cursor - before) * SECTION);
    return gave;
}

/* Begins another attempt at a message that did not (wholly) arrive. */
static void again(struct peer *p, struct out *o)
{
    u32 first = 0;

    if (o->acked || o->cursor < o->sections)
        return;
    while (first < o->sections && has(o->have, first))
        first++;
    if (first == o->sections) { /* all seen, yet not taken: the other side let go of it */
        memset(o->have, 0, sizeof(o->have));
        first = 0;
    }
    o->cursor = (u16)first;
    o->attempt = (u16)MAX(o->attempt + 1, 2);
    p->resend++;
}

void peer_timeout(struct peer *p)
{
    struct net *n = p->net;

    p->rto_at = 0;
    if (p->una == p->next)
        return;
    n->stats.timeouts++;
    n->overdue = true;
    for (u32 s = p->una; s != p->next; s++)
        again(p, p->window[s % WINDOW]);
    p->limit = MAX(p->limit / 2, 2u * NET_BLOCK_MIN);
    p->backoff = (u8)MIN(p->backoff + 1, 32);
    p->rto_at = n->now + peer_rto(p) + net_jitter(n, peer_rto(p) / 8);
    if (p->backoff >= LOST_PATH_TIMEOUTS)
        peer_find(p);
}

/*
 * As usual, but for two things. An acknowledgement travels with data: when that is lost and
 * comes again it is no measure of the way, and two peers would drive each other's timers up;
 * what really takes longer is learnt in steps. And answers that come faster than those to a
 * machine that was just starting do not make the way a less certain one.
 */
static void sample(struct peer *p, const struct out *o)
{
    u64 rtt, off;

    if (o->attempt != 1 || !o->sent_ns)
        return;
    rtt = p->net->now - o->sent_ns;
    if (!p->srtt) {
        p->srtt = MAX(rtt, 1);
        p->rttvar = rtt / 2;
        return;
    }
    rtt = MIN(rtt, 4 * p->srtt + 10 * MS);
    off = rtt > p->srtt ? rtt - p->srtt : (p->srtt - rtt) / 8;
    p->rttvar += off / 4 - p->rttvar / 4;
    p->srtt += rtt / 8 - p->srtt / 8;
    p->srtt = MAX(p->srtt, 1);
}

static void arrived(struct peer *p, struct out *o)
{
    if (o->acked)
        return;
    sample(p, o);
    if (o->cursor < o->sections)
        p->resend--;
    o->acked = true;
    p->flight -= o->len;
    p->limit = MIN(p->limit + MAX(o->len, SECTION), p->net->config.queue_bytes);
    p->backoff = 0;
}

static void overtaken(struct peer *p, u32 serial)
{
    for (u32 s = p->una; s != p->next; s++) {
        struct out *o = p->window[s % WINDOW];
        if (!o->acked && o->serial && seq_diff(serial, o->serial) >= OVERTAKEN)
            again(p, o);
    }
}

static void room_again(struct peer *p)
{
    if (p->was_full && p->queued <= p->net->config.queue_bytes / 2) {
        p->was_full = false;
        p->tell_room = p->net->rooms = true;
    }
}

void peer_acknowledged(struct peer *p, const u8 *f)
{
    u32 ack = be32_get(f + FRAME_ACK), bits = be32_get(f + FRAME_BITS), serial = 0;
    u32 una = p->una;
    bool news = false, gap = false;

    if (ack - una > p->next - una)
        return; /* from another conversation's dreams */
    for (u32 s = una; s != p->next; s++) {
        struct out *o = p->window[s % WINDOW];
        u32 ahead = s - ack - 1;

        if (seq_diff(s, ack) >= 0 && (s == ack || ahead >= 32 || !(bits >> ahead & 1))) {
            gap |= !o->acked;
            continue;
        }
        if (!o->acked) {
            news = true;
            serial = MAX(serial, o->serial);
            arrived(p, o);
        }
        if (seq_diff(s, ack) < 0) {
            p->window[s % WINDOW] = NULL;
            free_out(p, o);
            p->una = s + 1;
        }
    }
    if (!news)
        return;
    peer_answers(p);
    if (gap)
        overtaken(p, serial);
    p->rto_at = p->una == p->next ? 0 : p->net->now + peer_rto(p);
    if (p->rto_at)
        net_due(p->net, &p->due, p->rto_at);
    room_again(p);
}

void peer_missing(struct peer *p, const u8 *item)
{
    u32 seq = be32_get(item + ACK_SEQ);
    struct out *o;

    if (seq - p->una >= p->next - p->una)
        return;
    o = p->window[seq % WINDOW];
    if (o->acked)
        return;
    o->have[0] |= be64_get(item + ACK_HAVE);
    o->have[1] |= be64_get(item + ACK_LAST);
    p->backoff = 0;
    if (be16_get(item + ACK_ATTEMPT) == o->attempt)
        again(p, o);
}
