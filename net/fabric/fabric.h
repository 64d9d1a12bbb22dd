/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fabric's core: joins the vifs of domains with media, believes no frame about where
 * it comes from, captures, and carries out faults. Pure; the domain around it is main.c.
 */
#ifndef NET_FABRIC_FABRIC_H
#define NET_FABRIC_FABRIC_H

#include "net/fabric/capture.h"
#include "net/fabric/checksum.h"
#include "net/media/medium.h"

enum {
    FABRIC_MEDIA_MAX = 1024,
    FABRIC_QUEUE_BYTES = 256 << 10, /* at most, and of a quarter of the heap its share */
    FABRIC_NODES_MAX = 16384
};
enum { FABRIC_OUTSIDE_BLOCK = 32768 }; /* a datagram of the host's carries it */

/* A frame that has arrived and waits for the vif to take it. */
struct fabric_frame {
    struct fabric_frame *next;
    size_t len;
    u32 checksum;
    u8 bytes[];
};

/* One vif. */
struct fabric_port {
    struct fabric *fabric;
    struct fabric_medium *medium;
    struct fabric_port *next; /* on its medium */
    u32 port;                 /* of the medium */
    u32 domain;               /* whose vif this is */
    u32 node;                 /* where its record was last */
    u8 address[6];
    bool outside; /* no vif: many nodes are behind it, none of them ours */
    struct fabric_frame *first, **last;
    size_t queued; /* bytes of the heap */
    u64 forged, unfetched, taken, given;
    void *owner;
};

struct fabric_medium {
    struct fabric *fabric;
    struct medium *medium;
    u32 interface;
    bool captured, outside; /* `outside`: a port of it leads there */
    char recorder[MEDIUM_NAME];
    struct fabric_port *ports;
};

struct fabric {
    struct heap *heap;
    u64 seed, now;
    u32 media, ports;
    size_t queue_bytes; /* of frames that may wait for one vif */
    struct fabric_medium *medium[FABRIC_MEDIA_MAX];
    struct {
        u32 domain, machine, vifs; /* machine 0: not known yet */
    } * node;
    u32 nodes, node_room;
    struct capture *capture;
};

/* capture may be NULL. */
void fabric_init(struct fabric *f, struct heap *heap, u64 seed, struct capture *capture);
void fabric_destroy(struct fabric *f);
/* A medium from words "name=N kind=K rate=R latency=T queue=B block=B capture=no recorder=P".
 * NULL, or in words what is wrong. */
const char *fabric_add(struct fabric *f, const char *words);
/* A vif of `domain` on the medium of that name, with the port's name (for faults). NULL: no
 * such medium, or it has no place left. `machine`: its number in the DEMOS network if the
 * configuration says it, else 0: the first one it uses. */
struct fabric_port *fabric_attach(struct fabric *f, const char *medium, const char *port,
                                  u32 domain, u32 machine, const u8 address[6]);
/* A port that leads out of this fabric, to machines that have none of its vifs' addresses. */
struct fabric_port *fabric_attach_outside(struct fabric *f, const char *medium,
                                          const char *port);
void fabric_detach(struct fabric_port *p);
/* The domain is gone: its number may come back as another node. */
void fabric_forget(struct fabric *f, u32 domain);
/* A frame from the vif. Takes it by what it is, whatever it says. `checksum` is what its sender
 * says of it (checksum.h): good ones stay good and blank ones become so until the medium damages
 * the frame. */
void fabric_take(struct fabric_port *p, u8 *frame, size_t len, u32 checksum, u64 now);
/* Moves frames that have arrived by `now` to the ports' queues; true if there were any. */
bool fabric_run(struct fabric *f, u64 now);
u64 fabric_deadline(const struct fabric *f);
/* The next frame for a vif, or NULL; gone after fabric_given. */
const struct fabric_frame *fabric_next(const struct fabric_port *p);
void fabric_given(struct fabric_port *p);
/* "MEDIUM words of a fault"; NULL or what is wrong. */
const char *fabric_fault(struct fabric *f, const char *line, u64 now);

/* The owner's: a frame has arrived for this port, with CHECKSUM_GOOD or 0. True: the vif has it;
 * else it waits, and fabric_up_ready says so. */
bool fabric_up_arrived(struct fabric_port *p, const u8 *frame, size_t len, u32 checksum);
void fabric_up_ready(struct fabric_port *p);
/* The owner's: a trace record (types in net/trace.h). */
void fabric_up_trace(struct fabric *f, u16 type, u32 who, u64 a, u64 b);

#endif
