/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects behind net.h, all in the memory of one node and passive: they act only when
 * called. A device is hidden by its four functions; an NFSM moves blocks over one device
 * and asks its sources for them in turn; a peer (remote processor object) keeps one
 * conversation; a route says by which NFSM and which neighbour a machine is reached.
 * The only tie between a peer and an NFSM is the peer's place on the NFSM's lists.
 *
 * Calls go kernel -> peer -> nfsm -> device, and interrupts -> nfsm -> peer -> kernel.
 */
#ifndef NET_CORE_H
#define NET_CORE_H

#include "base/list.h"
#include "base/memory.h"
#include "net/due.h"
#include "net/frame.h"
#include "net/net.h"
#include "net/trace.h"

enum {
    WINDOW = 32,               /* most messages in flight; acknowledgement bits */
    QUEUE_DEFAULT = 256 << 10, /* bytes per peer and direction */
    THROUGH_BYTES = 256 << 10, /* store-and-forward queue of one NFSM */
    ROUTES_MAX = 16384,
    REPLIES_MAX = 64, /* route replies waiting for a neighbour */
    DEAF_MAX = 16,    /* neighbours known not to hear us */
    BULK_RANGES = 63,
    BULK_DONE_KEPT = 64,
    READ_BUDGET = 64, /* blocks per device and poll */
};

/* All conversations start shortly before the wrap, so that every long run crosses it. */
#define FIRST_SEQ 0xffffff80u

#define US        1000ull
#define MS        1000000ull
#define S         1000000000ull

enum source_kind { SOURCE_PEER, SOURCE_THROUGH, SOURCE_BULK };
enum give { GIVE_NOTHING, GIVE_BLOCK, GIVE_REFUSED };

/* Whatever an NFSM's output machine can ask for a block. */
struct source {
    struct list turn; /* in the circle while it has something to send */
    struct nfsm *via; /* NULL: no path now */
    u8 kind;
};

struct nfsm {
    struct net *net;
    struct net_device *device;
    struct list all;    /* in net->nfsms */
    u32 number;         /* of the device, for the trace */
    u8 out, in;         /* enum out_state, enum in_state */
    bool running;       /* the output machine is at work further up the stack */
    struct list circle; /* sources with something to send, next first */
    struct list peers;  /* peers bound to this NFSM */
    struct source through;
    struct list queue; /* of struct passing: through traffic and routing */
    size_t queue_bytes;
    u64 free_at; /* when the medium has swallowed what was written */
    u64 byte_ns, slack_ns;
    struct due due;
};

/* A frame on its way through this node, or a routing frame of its own. */
struct passing {
    struct list list;
    size_t len;
    u8 frame[];
};

struct route {
    struct route *next; /* in its hash bucket */
    machine_t machine;
    u32 epoch, seq; /* of the news this route came by */
    u32 cost, rate, block;
    struct nfsm *via; /* NULL: not known or broken */
    u8 hop[6];        /* Ethernet address of the next node */
    u8 hops;
    u8 announce_len;
    u32 flood; /* last datagram flooded by this machine */
    u32 flood_epoch;
    bool flooded;
    u64 used_ns;
    u8 *announce; /* the last one heard */
    struct peer *peer;
};

/* A message on its way out. Blocks are built in place: the header of each piece is laid
 * over the bytes before the piece, which are put back afterwards. */
struct out {
    struct list list;
    u32 seq, len, cost;   /* cost: of its memory, charged to the peer */
    u16 sections, cursor; /* next section of this attempt; == sections: attempt made */
    u16 attempt;
    bool acked;
    u32 serial;  /* of the transmission that ended the attempt */
    u64 sent_ns; /* 0: at the time of the next poll */
    u64 have[2]; /* sections known to have arrived */
    u8 frame[];  /* NET_HEADER + len */
};

/* A message arriving in pieces or before its turn. */
struct in {
    u32 seq, len;
    u16 sections, got, attempt_ended;
    u64 have[2];
    u8 data[];
};

struct peer {
    struct source source;
    struct list bound; /* in nfsm->peers */
    struct list fresh; /* in net->fresh: times to be set by the next poll */
    struct net *net;
    struct route *route;
    machine_t machine;
    u32 epoch, dead_epoch;
    struct due due;
    /* out */
    u32 una, next, tail; /* oldest unacknowledged; next to begin; next to accept */
    struct list queue;   /* accepted, not begun */
    struct out *window[WINDOW];
    u32 serial, resend; /* transmissions so far; window messages with pieces to send */
    size_t queued;      /* bytes of memory, queue and window */
    u32 flight, limit;  /* bytes in flight, and how many may be */
    u64 srtt, rttvar, rto_at;
    u64 free_at; /* pacing by the slowest medium of the path */
    u8 backoff;
    bool was_full, tell_room;
    /* in */
    u32 expected;
    struct in *held[WINDOW];
    size_t held_bytes;
    u8 unacked;
    bool ack_now;
    u64 ack_at;
    /* path */
    bool finding, unreachable, reported;
    bool asked; /* somebody who may know where it is; nobody else yet */
    u8 find_tries, find_waits;
    u64 find_at;
    u32 found_generation;
};

struct net {
    struct heap *heap;
    struct net_config config;
    void *owner;
    u64 now;
    bool polling, again, rooms, silent; /* silent: nobody wants its trace */
    bool overdue;                       /* an answer, since net_overdue */
    struct list nfsms, fresh, bulks, replies;
    u32 devices;
    struct net_groups groups; /* which this node wants */
    struct due_heap due;
    struct route **routes;
    u32 route_count, route_buckets;
    u32 route_seq, flood_seq; /* of what this node floods */
    u32 generation;           /* bumped when media come or go: paths may be better now */
    struct peer *recent;      /* the one looked up last */
    u64 events;               /* numbers keyed decisions */
    u8 announce[NET_ANNOUNCE_MAX];
    u8 announce_len;
    u32 announcers; /* machines whose announcement we know */
    struct due hello;
    u8 hello_tries, hello_waits;
    u32 questions; /* of others to everybody, of late */
    u64 questions_at, crowd_until;
    u8 *rx; /* NET_BLOCK_MAX bytes, or the largest device's block */
    size_t rx_room;
    u8 *tx; /* for bulk blocks */
    size_t tx_room;
    u32 reply_count;
    struct {
        u8 address[6];
        u64 until;
    } deaf[DEAF_MAX];
    u32 deaf_next;
    struct {
        machine_t to;
        u64 transfer;
    } done[BULK_DONE_KEPT];
    u32 done_next;
    struct net_stats stats;
};

enum due_kind { DUE_NFSM, DUE_PEER, DUE_BULK, DUE_REPLY, DUE_HELLO, DUE_KINDS };

/* nfsm.c: one device's input and output machines. */
enum out_state { OUT_DOWN, OUT_IDLE, OUT_BUSY, OUT_STUCK, OUT_PACED, OUT_STATES };
enum in_state { IN_DOWN, IN_QUIET, IN_READING, IN_STATES };
enum nfsm_event {
    NFSM_WORK,    /* a source has joined the circle */
    NFSM_EMPTY,   /* the circle has run empty */
    NFSM_REFUSED, /* the device took no block */
    NFSM_ROOM,    /* the device takes blocks again */
    NFSM_EARLY,   /* the medium is still busy with earlier blocks */
    NFSM_TIME,    /* it no longer is */
    NFSM_DOWN,
    NFSM_UP,
    NFSM_EVENTS,
};
struct nfsm *nfsm_create(struct net *n, struct net_device *d);
void nfsm_destroy(struct nfsm *m);
void nfsm_event(struct nfsm *m, enum nfsm_event e);
/* Takes the device's interrupts and acts on them. */
void nfsm_scan(struct nfsm *m);
void nfsm_due(struct due *d);
/* `s` has something to send by the NFSM it is bound to. */
void nfsm_ready(struct source *s);
/* Moves a source to another NFSM, or to none. */
void nfsm_bind(struct source *s, struct nfsm *m);
/* Writes a finished frame (all but addresses and CRC) to the neighbour `hop`. */
enum give nfsm_write(struct nfsm *m, u8 *frame, size_t len, const u8 hop[6]);
/* Whether the largest frame would be taken now: asked before much is done for one. */
bool nfsm_can_write(const struct nfsm *m);
/* Queues a copy of a frame behind the through traffic; false when there is no room. */
bool nfsm_pass(struct nfsm *m, const u8 *frame, size_t len, const u8 hop[6]);

/* peer.c, peer_out.c, peer_in.c: conversations. */
struct peer *peer_get(struct net *n, machine_t machine);
void peer_destroy(struct peer *p);
void peer_due(struct due *d);
void peer_fresh(struct peer *p);
/* Forgets all of the conversation; the next one is with `epoch` (0: not known). */
void peer_reset(struct peer *p, u32 epoch);
/* Frames from a boot of the machine: newer resets, older is refused (false). */
bool peer_epoch(struct peer *p, u32 epoch);
/* The route changed under the peer. */
void peer_rebind(struct peer *p);
/* Looks for a path: asks who may know, or all. */
void peer_find(struct peer *p);
/* The same where it is likely to be a neighbour, for something came from there. */
void peer_find_at(struct peer *p, struct nfsm *m, const u8 hop[6]);
void peer_found(struct peer *p);
/* Something of ours was acknowledged: the path works. */
void peer_answers(struct peer *p);
enum net_result peer_send(struct peer *p, const void *head, size_t head_len, const void *body,
                          size_t body_len);
enum give peer_give(struct peer *p);
bool peer_has_work(const struct peer *p);
void peer_timeout(struct peer *p);
u64 peer_rto(const struct peer *p);
void peer_data(struct net *n, struct nfsm *m, u8 *f);
void peer_acks(struct net *n, struct nfsm *m, u8 *f);
void peer_acknowledged(struct peer *p, const u8 *f);
void peer_missing(struct peer *p, const u8 *item);
void peer_drop_out(struct peer *p);
void peer_drop_in(struct peer *p);
void peer_set_acks(struct peer *p, u8 *f);
size_t peer_ack_items(const struct peer *p, u8 *body, size_t room);

/* route.c: who is reached how. */
struct route *route_find(const struct net *n, machine_t machine);
struct route *route_get(struct net *n, machine_t machine);
void route_free_all(struct net *n);
void route_device_gone(struct net *n, struct nfsm *m);
void route_ask(struct net *n, machine_t target, bool wide);
/* So many ask everybody that one more question had better wait until `crowd_until`. */
bool route_crowded(const struct net *n, u32 waits);
void route_hello(struct net *n);
void route_hello_due(struct due *d);
void route_reply_due(struct due *d);
void route_heard(struct net *n, struct nfsm *m, u8 *f);
void route_reply(struct net *n, struct nfsm *m, u8 *f);
void route_reply_ack(struct net *n, struct nfsm *m, u8 *f);
void route_error(struct net *n, struct nfsm *m, u8 *f);
void route_drop_replies(struct net *n, struct nfsm *m);
/* A question for one machine, to its neighbour alone: it answers as if it had been flooded. */
void route_ask_at(struct net *n, machine_t target, struct nfsm *m, const u8 hop[6]);
/* The nearest machine that announces something and can be reached; or NULL. */
struct route *route_nearest_announcer(struct net *n, machine_t not_this);

/* groups.c: whom this node wants to hear of. */
void groups_want(struct net *n, machine_t machine);
void groups_want_all(struct net *n);
/* To whom a frame of the routing protocol is flooded by this device. */
void groups_address(const struct nfsm *m, const u8 *f, u8 to[6]);

/* where.c: whom to ask before everybody. False: nobody. */
bool where_ask(struct net *n, machine_t target);
void where_asked(struct net *n, struct nfsm *m, u8 *f);
void where_told(struct net *n, struct nfsm *m, u8 *f);

/* through.c: what is not guaranteed, and what is not for us. */
void through_forward(struct net *n, struct nfsm *m, u8 *f);
void through_datagram(struct net *n, struct nfsm *m, u8 *f);
enum net_result through_send(struct net *n, machine_t to, const void *head, size_t head_len,
                             const void *body, size_t body_len);

/* bulk.c: data areas. */
struct bulk;
enum give bulk_give(struct source *s);
void bulk_due(struct due *d);
void bulk_data(struct net *n, struct nfsm *m, u8 *f);
void bulk_ask(struct net *n, struct nfsm *m, u8 *f);
void bulk_done(struct net *n, struct nfsm *m, u8 *f);
void bulk_peer_gone(struct net *n, machine_t machine);
void bulk_rebind(struct net *n, machine_t machine);
void bulk_free_all(struct net *n);

/* net.c: helpers for all. */
static inline void net_trace(struct net *n, enum net_trace type, u32 who, u64 a, u64 b)
{
    if (!n->silent)
        net_up_trace(n, (u16)type, who, a, b);
}
void net_drop(struct net *n, enum net_drop why, const u8 *f);
/* Lays a header with this node as source over 64 bytes. */
void frame_start(const struct net *n, u8 *f, enum frame_kind kind, machine_t dst, u32 epoch);
/* A keyed value in 0..limit-1, for timers' jitter. */
u64 net_jitter(struct net *n, u64 limit);
void net_due(struct net *n, struct due *d, u64 at);

#endif
