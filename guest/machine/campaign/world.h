/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cluster of simulated nodes on the fabric's own media: one run after the other in the same
 * memory, each a function of plan and seed alone. Time jumps from event to event; what a
 * process computes takes none.
 */
#ifndef GUEST_MACHINE_CAMPAIGN_WORLD_H
#define GUEST_MACHINE_CAMPAIGN_WORLD_H

#include "guest/machine/campaign/ledger.h"
#include "guest/machine/campaign/moment.h"
#include "guest/machine/sim/sim.h"
#include "net/fabric/fabric.h"
#include "net/net.h"

enum {
    WORLD_NAME = 64,
    WORLD_LINE = 512,
    WORLD_MEDIA = 8, /* that a node is on */
    WORLD_LINES = 16 /* of a boot list */
};

struct world;

/* A node's interface on a medium. */
struct world_port {
    struct world *world;
    u32 node; /* index */
    char medium[MEDIUM_NAME];
    u8 address[6];
    struct net_device device;
    struct fabric_port *fabric; /* NULL: unplugged, or the node is down */
    u32 pending;
    bool refused;
};

/* What the plan says of a node, and how it is in this run. */
struct world_node {
    char name[WORLD_NAME];
    struct world_port port[WORLD_MEDIA];
    u32 ports;
    char program[WORLD_LINES][WORLD_LINE];
    u32 programs;
    bool still;        /* paused */
    u32 waiting;       /* programs of its boot list that have not ended */
    bool worst;        /* one of them ended badly */
    const char *ended; /* how; NULL: it runs */
    char *console;
    size_t console_len, console_room;
};

/* Something that the plan does at a time. */
struct world_event {
    u64 ns;
    u32 number; /* orders events of one time */
    char command[WORLD_LINE];
};

/* What consoles must show, and how nodes must end. */
struct world_expectation {
    u32 node;
    bool exit;
    char text[WORLD_LINE];
};

struct world {
    struct sim *sim;
    struct world_node *node;
    u64 *due; /* when each wants a turn by itself; 0: something has happened to it since */
    u32 nodes, room;
    char (*medium)[WORLD_LINE];
    u32 media;
    struct world_event *event; /* of the plan, then those of this run alone */
    u32 events, own, event_room, next_event;
    struct world_moment *moment; /* the same of what waits for something else */
    u32 moments, own_moments;
    struct world_expectation *expected;
    u32 expectations;
    u64 end_ns, heal_ns, calm_ns;
    u32 until; /* number of the node whose end ends the run; 0: none */
    bool tracing;

    struct fabric fabric;
    struct heap heap;
    void *memory;
    struct ledger ledger;
    u64 records, digest, seed;
    u64 calm_now;      /* calm_ns, or later by what has fired */
    const char *wrong; /* the run cannot go on */
    u64 missed;        /* expectations */
    char first_missed[WORLD_LINE + WORLD_NAME + 2];
};

void world_init(struct world *w);
void world_free(struct world *w);
/* One run. */
void world_run(struct world *w, u64 seed);

/* plan.c: a line of the plan. NULL, or what is wrong with it. */
const char *world_line(struct world *w, char *line);
/* What the plan says for a time. NULL, or what is wrong. */
const char *world_command(struct world *w, const char *command);
/* Events of this run alone are gone. */
void world_forget(struct world *w);

/* ports.c */
void ports_plug(struct world *w, struct world_node *n, u32 port);
void ports_unplug(struct world *w, struct world_node *n, u32 port);
void ports_attach(struct world *w, struct world_node *n);

/* world.c, for plan.c */
void world_start(struct world *w, u32 index);
void world_stop(struct world *w, u32 index, const char *how);

static inline struct world *world_of(const struct sim_node *sn)
{
    return sn->sim->owner;
}

#endif
