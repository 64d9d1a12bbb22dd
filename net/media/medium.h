/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Models of network media: when, whether, how often and in what state a frame arrives.
 * Pure: time is passed in, memory comes from a heap, and every decision is drawn by
 * base/keyed.h from the run's seed, the medium with the two ports, and the number of the
 * frame at its sender, so that neither other traffic nor other faults change it.
 *
 * A medium has up to `ports` ports. Faults are set and lifted by lines of text, the same
 * in plans and at the command port; medium_command lists them.
 */
#ifndef NET_MEDIA_MEDIUM_H
#define NET_MEDIA_MEDIUM_H

#include "base/heap.h"
#include "base/types.h"

enum medium_kind {
    MEDIUM_PARALLEL,  /* 8-bit parallel line, point to point, 5,000 bytes/s */
    MEDIUM_SERIAL,    /* RS-232, point to point, 19,200 baud */
    MEDIUM_ACK_ETHER, /* 10 Mb/s, shared, with an acknowledge slot for the recorder */
    MEDIUM_ETHER,     /* 1 Gb/s, switched, a line of its own for every port */
    MEDIUM_KINDS,
};

enum { MEDIUM_NAME = 24, MEDIUM_PORTS_MAX = 16384, MEDIUM_RULES_MAX = 256 };
#define MEDIUM_ANY 0xffffffffu

/* What became of a frame; also the words that captures show. */
enum medium_why {
    MEDIUM_OK,
    MEDIUM_QUEUE,     /* dropped: sender's queue full */
    MEDIUM_LOSS,      /* dropped by chance */
    MEDIUM_BURST,     /* dropped in the bad state of a Gilbert-Elliott channel */
    MEDIUM_NTH,       /* dropped by number */
    MEDIUM_CUT,       /* dropped: cut */
    MEDIUM_PARTITION, /* dropped: other side of a partition */
    MEDIUM_RECORDER,  /* dropped: the recorder did not acknowledge it */
    MEDIUM_MEMORY,    /* dropped: the model is out of memory */
    MEDIUM_TOO_LONG,  /* dropped: longer than the medium carries, or empty */
    MEDIUM_DUPLICATE, /* delivered again */
    MEDIUM_CORRUPT,   /* delivered with bits flipped */
    MEDIUM_TRUNCATE,  /* delivered short */
    MEDIUM_PAD,       /* delivered with junk behind it */
    MEDIUM_REORDER,   /* delivered late on purpose */
    MEDIUM_STALL,     /* held up while the medium stood still */
    MEDIUM_FLAP,      /* dropped: flapping, and down */
    MEDIUM_BITERROR,  /* delivered with bits flipped, by a rate of errors */
    MEDIUM_DELAY,     /* delivered later, by always the same */
    MEDIUM_JITTER,    /* delivered later, by more or less */
    MEDIUM_RATE,      /* carried at another rate than the medium's own */
    MEDIUM_WHYS,
};

struct medium_config {
    enum medium_kind kind;
    u32 id;         /* unique in the run: keys the decisions */
    u32 ports;      /* to begin with; medium_add_port makes more */
    bool they_come; /* a command may name a port that has not come yet */
    u64 seed;
    u64 rate;        /* bytes/s, 0: the kind's own */
    u64 latency_ns;  /* 0: the kind's own */
    u32 queue_bytes; /* per sending port, 0: the kind's own */
    u16 block_max;   /* largest frame, 0: the kind's own, which it cannot pass */
    char name[MEDIUM_NAME];
};

/* Told to medium_up_event. For a drop `to` may be MEDIUM_ANY: nobody got it. */
struct medium_event {
    u64 ns;
    enum { MEDIUM_SENT, MEDIUM_DROPPED, MEDIUM_CHANGED, MEDIUM_DELIVERED } type;
    enum medium_why why;
    u32 from, to;
    u64 number; /* of the frame at its sender, from 1 */
    const u8 *frame;
    size_t len;
};

/* A frame that arrives. `frame` is valid until the next call for this medium. */
struct medium_arrival {
    u32 port, from, mark;
    u64 number;
    const u8 *frame;
    size_t len;
};

struct medium_stats {
    u64 sent, delivered, bytes, dropped, changed;
};

struct medium;

/* NULL: no memory, or the configuration asks for something the kind cannot be. */
struct medium *medium_create(struct heap *heap, const struct medium_config *config);
void medium_destroy(struct medium *m);
void medium_set_owner(struct medium *m, void *owner);
void *medium_owner(const struct medium *m);
/* Names a port (for commands) and says its Ethernet address: a frame for that address goes
 * to no other port. NULL: leave as is; an all-zero address: unknown. */
void medium_port(struct medium *m, u32 port, const char *name, const u8 address[6]);
/* The port of that name, made (down) if there is none yet; MEDIUM_ANY: no room for it. A
 * node that comes back finds its port, and its frames' numbers go on. */
u32 medium_add_port(struct medium *m, const char *name);
const char *medium_port_name(const struct medium *m, u32 port);
void medium_port_set_owner(struct medium *m, u32 port, void *owner);
void *medium_port_owner(const struct medium *m, u32 port);
/* Of frames for a group of addresses (net/net.h) this port gets those of the groups in `wanted`, a
 * bitmap of its owner's; NULL: all. */
void medium_port_groups(struct medium *m, u32 port, const u64 *wanted);
/* A port whose link is down neither sends nor receives. Ports start up. */
void medium_port_up(struct medium *m, u32 port, bool up);
/* A frame begins its way at `now`; the medium copies it. */
void medium_send(struct medium *m, u32 port, const void *frame, size_t len, u64 now);
/* The same with a word about its bytes, which arrives as it is wherever they do, and as 0 where
 * they were damaged. */
void medium_send_marked(struct medium *m, u32 port, const void *frame, size_t len, u32 mark,
                        u64 now);
/* When the next frame arrives; ~0 for never. */
u64 medium_deadline(const struct medium *m);
/* The next frame that has arrived by `now`; false when there is none. */
bool medium_deliver(struct medium *m, u64 now, struct medium_arrival *arrival);
/* Bytes that fit into a port's queue now: what a polite sender looks at first. */
u32 medium_room(const struct medium *m, u32 port, u64 now);
u64 medium_rate(const struct medium *m);
u16 medium_block_max(const struct medium *m);
const struct medium_config *medium_config(const struct medium *m);
const struct medium_stats *medium_stats(const struct medium *m);

/*
 * Sets or lifts a fault. [A>B] limits it to one direction between two ports (names or
 * numbers, * for any); the last command of a kind and direction counts. `off` lifts it.
 *   loss P [A>B]                 burst PBAD PGOOD [A>B]       drop N A>B
 *   duplicate P [TIME] [A>B]     reorder P TIME [A>B]         corrupt P [BITS] [A>B]
 *   truncate P [A>B]             pad P [A>B]                  biterror P [A>B]
 *   delay TIME [A>B]             jitter TIME [A>B]            stall TIME
 *   cut A>B | cut A              heal [A>B]                   flap TIME A>B
 *   partition A,B|C,D            rate BYTES                   queue BYTES
 *   recorder A | recorder off    clear
 * P is a probability (0.3), TIME has a unit (250us, 10ms, 2s); rate and queue 0 are what the
 * medium was made with. Clear lifts all. Returns NULL or, in words, what is wrong with the line.
 */
const char *medium_command(struct medium *m, const char *line, u64 now);

const char *medium_why_name(enum medium_why why);
/* The kind of that name (parallel, serial, ack-ether, ether), or MEDIUM_KINDS. */
enum medium_kind medium_kind_named(const char *name);

/* The owner's: capture and trace. */
void medium_up_event(struct medium *m, const struct medium_event *event);

#endif
