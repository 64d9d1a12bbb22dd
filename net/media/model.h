/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside of the media models: ports, rules and frames on their way.
 */
#ifndef NET_MEDIA_MODEL_H
#define NET_MEDIA_MODEL_H

#include "base/memory.h"
#include "net/media/medium.h"

enum rule_kind {
    RULE_LOSS,
    RULE_BURST,
    RULE_NTH,
    RULE_DUPLICATE,
    RULE_REORDER,
    RULE_CORRUPT,
    RULE_TRUNCATE,
    RULE_PAD,
    RULE_BITERROR,
    RULE_DELAY,
    RULE_JITTER,
    RULE_CUT,
    RULE_FLAP,
    RULE_KINDS,
};

/* One fault in force. */
struct rule {
    enum rule_kind kind;
    u32 from, to; /* ports or MEDIUM_ANY */
    u32 chance;   /* parts of 2^32 */
    u32 chance2;  /* burst: back to the good state */
    u64 value;    /* a time, a count or a number, by kind */
    u64 since;
};

struct kind {
    const char *name;
    u64 rate, latency_ns;
    u32 ports_max, queue_bytes;
    u16 block_max, min_frame;
    bool shared;             /* one transmitter at a time */
    u64 gap_ns, ack_slot_ns; /* after each frame */
};

struct port {
    char name[MEDIUM_NAME];
    u8 address[6];
    bool up, bad;      /* bad: state of a Gilbert-Elliott channel */
    u16 group;         /* side of a partition */
    u32 last_to;       /* where its last frame for one address went */
    u32 chain, next;   /* of the table of addresses */
    void *owner;       /* the medium's user's */
    const u64 *groups; /* that it wants, or NULL */
    u64 sent;          /* frames so far: numbers the decisions */
    u64 free_at;       /* when its line has swallowed everything */
};

/* Bytes shared by all arrivals of one frame. */
struct parcel {
    u32 refs, mark;
    size_t len;
    u8 bytes[];
};

/* To ports [port, end), of which the sender is none, one after the other. */
struct flight {
    u64 at, order;
    u16 port, end, from;
    u64 number;
    struct parcel *parcel;
};

_Static_assert(MEDIUM_PORTS_MAX < 0xffff, "a flight says ports in 16 bits");

struct medium {
    struct heap *heap;
    struct medium_config config;
    const struct kind *kind;
    void *owner;
    struct medium_stats stats;
    u64 free_at; /* shared media: of the one channel */
    u64 stalled_until;
    u64 own_rate; /* what the medium was made with; config has what faults make of it */
    u32 own_queue;
    u64 order;
    u32 recorder; /* port, or MEDIUM_ANY */
    u32 rules, flights, room;
    u32 newest; /* where the flight is that was pushed last, until one is taken; 0: none is known */
    struct rule rule[MEDIUM_RULES_MAX];
    struct flight *flight; /* a heap by (at, order), 1-based */
    struct parcel *last;   /* handed out by the last medium_deliver */
    struct port *port;     /* config.ports of them, port_room places */
    u32 port_room;
};

#define CHANGED(why) (1u << (why))
/* A frame of which the bytes are others, or not as many. */
#define DAMAGED                                                                      \
    (CHANGED(MEDIUM_CORRUPT) | CHANGED(MEDIUM_BITERROR) | CHANGED(MEDIUM_TRUNCATE) | \
     CHANGED(MEDIUM_PAD))

/* What the rules say about one frame in one direction. */
struct verdict {
    enum medium_why drop; /* MEDIUM_OK: it goes */
    u64 extra_ns;
    u32 changed;  /* bits of enum medium_why: what the frame goes through */
    u64 again_ns; /* a second copy so much later, 0: none */
    u32 flips;
    bool shorten, lengthen;
};

/* rules.c */
void rules_judge(struct medium *m, u32 from, u32 to, u64 number, size_t len, u64 now,
                 struct verdict *v);
/* The Gilbert-Elliott state of a sender moves once per frame. */
void rules_step(struct medium *m, u32 from, u64 number);
/* A damaged copy of the frame, or NULL: no memory. */
struct parcel *rules_damage(struct medium *m, const struct parcel *p, u32 from, u32 to,
                            u64 number, const struct verdict *v);
/* addresses.c: which port has an address. One of zeros is none. */
void addresses_set(struct medium *m, u32 port, const u8 address[6]);
/* There is room for more ports now. */
void addresses_again(struct medium *m);
/* MEDIUM_ANY: nobody is known to have it. */
u32 addresses_find(const struct medium *m, const u8 address[6]);
struct parcel *parcel_create(struct medium *m, const void *bytes, size_t len);

#endif
