/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network of nodes in one process: the real protocol over the real media models, in
 * virtual time, with a ledger beside it. Every guaranteed message carries its sender, its
 * receiver and its number, and is checked where it arrives: none lost, none twice, none
 * out of order, no byte changed.
 */
#ifndef TESTS_NET_SIM_H
#define TESTS_NET_SIM_H

#include "base/keyed.h"
#include "net/media/medium.h"
#include "net/net.h"
#include "net/trace.h"

enum { SIM_DEVICES = 8, SIM_RX = 4096 };

struct sim_packet {
    struct sim_packet *next;
    size_t len;
    u8 bytes[];
};

struct sim_device {
    struct net_device device;
    struct sim_node *node;
    struct medium *medium; /* NULL: unplugged */
    u32 port;
    u32 pending;
    bool up, refused;
    bool rude; /* asks for no room first: the medium's queue overflows */
    struct sim_packet *first, **last;
    u64 writes, refusals;
};

struct sim_bulk {
    u64 id, len, done_at;
    u8 *bytes; /* at the receiver */
    u64 pattern;
    int result;
    bool done, source;
    u32 not_now; /* answer "not now" so often */
    u64 reads;   /* blocks it was asked for */
};

struct sim_node {
    struct sim *sim;
    u32 index;
    machine_t machine;
    u32 epoch;
    bool running, touched;
    u64 slow_until;          /* paused: not polled before */
    u32 window, queue_bytes; /* of its net_config */
    size_t memory_size;
    u8 *memory;
    struct heap heap;
    struct net *net;
    u32 devices;
    struct sim_device device[SIM_DEVICES];
    u64 deadline;
    u32 *sent, *got; /* messages to and from every node in this boot */
    u32 *got_epoch;  /* boot of the other side that `got` counts */
    u32 *done;       /* messages below this number have arrived, or were for a boot now over */
    u64 delivered, plain, rooms, unreachable_told, reachable_told;
    u8 announce[NET_ANNOUNCE_MAX];
    size_t announce_len;
    machine_t announcer;
    struct sim_bulk bulk[8];
    bool echo; /* answers every message from inside net_up_message */
};

struct sim {
    u64 now, seed;
    u32 nodes, media;
    u64 *when; /* a tree of times: media, then nodes; whose turn is next */
    u32 leaves;
    struct sim_node *node;
    struct medium **medium;
    u64 *medium_at;
    u8 *media_memory;
    struct heap media_heap;
    u64 trace;     /* hash over every trace and medium event */
    u64 decisions; /* hash over drops by chance only */
    u64 violations, deliveries, events;
    u64 waiting; /* ledgered messages that have not arrived and still may */
    void (*watch)(struct sim *s, struct medium *m, const struct medium_event *e);
};

struct sim *sim_create(u32 nodes, u32 media, u64 seed);
void sim_destroy(struct sim *s);
/* Medium number `at` of a kind; rate 0: its own. */
struct medium *sim_medium(struct sim *s, u32 at, enum medium_kind kind, u32 ports, u64 rate);
/* Gives a node a device on a port of a medium. */
struct sim_device *sim_plug(struct sim *s, u32 node, u32 medium, u32 port);
void sim_link_up(struct sim *s, struct sim_device *d, bool up);
/* Starts all nodes that are not running. */
void sim_start(struct sim *s);
/* Two nodes on one medium, started. */
struct sim *sim_two(enum medium_kind kind, u64 rate, u64 seed);
void sim_crash(struct sim *s, u32 node);
/* The node takes another for dead, as its kernel is told by the authority. */
void sim_declare_dead(struct sim *s, u32 node, u32 dead);
/* A ledgered message of `len` bytes (at least 24); NET_FULL and others pass through. */
enum net_result sim_send(struct sim *s, u32 from, u32 to, u32 len);
/* The turn of one medium or node; false when nothing will ever happen again. */
bool sim_step(struct sim *s);
void sim_run(struct sim *s, u64 until_ns);
/*
 * Runs until every ledgered message has arrived or `limit_ns` has passed; true if so. One to
 * a machine that went down counts until its sender learns of the new boot, or declares the old
 * one dead.
 */
bool sim_settle(struct sim *s, u64 limit_ns);
bool sim_all_arrived(const struct sim *s);
void sim_fault(struct sim *s, u32 medium, const char *line);
/* A frame that somebody at the port says, whoever that is. */
void sim_inject(struct sim *s, u32 medium, u32 port, const void *frame, size_t len);
void sim_touch(struct sim_node *n);
void sim_announce(struct sim *s, u32 node, const void *bytes, size_t len);
u64 sim_sum(const struct sim *s, size_t offset_in_stats);
#define SIM_SUM(s, field) sim_sum(s, offsetof(struct net_stats, field))

#endif
