/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulator: the pure kernel with scripted processes, as many nodes in one process of
 * the host as one likes, under sanitizers. Time is a number that moves when all is idle.
 *
 * A process's program is a C function that gets the result of its last kernel call and
 * names the next one; its memory is real (pages with copy-on-write), and `self` keeps what
 * a program wants to remember. Programs are numbered; the number is the entry address.
 */
#ifndef GUEST_MACHINE_SIM_H
#define GUEST_MACHINE_SIM_H

#include "guest/kernel/machine.h"

enum { SIM_PAGE = 4096, SIM_PROGRAMS = 64, SIM_WORDS = 16 };
/* Memory that every process made by sim_spawn has, readable and writable. */
#define SIM_DATA 0x100000ull

struct sim;
struct sim_node;

struct sim_call {
    u32 number; /* enum demos_call, or SIM_FAULT, SIM_PREEMPT */
    u64 args[6];
};
enum { SIM_FAULT = 1000, SIM_PREEMPT = 1001, SIM_TOUCH = 1002 }; /* TOUCH: address, access */

struct sim_process {
    struct sim_node *node;
    struct task *task;
    struct thread *thread;
    u64 program, stack, start;
    u64 self[SIM_WORDS]; /* the "registers": exported and imported with the thread */
    void *data;          /* a test's own, not exported */
    s64 result;          /* of the last call */
    bool fresh, parked;
    struct sim_call again; /* a TOUCH that had to wait */
};

typedef struct sim_call sim_program(struct sim_process *p, s64 result);

struct sim {
    struct sim_node *nodes;
    u32 count;
    u64 now;
    u64 calls;         /* kernel calls made, all nodes */
    u64 pages, copies; /* page frames in use; frames copied on write */
    sim_program *programs[SIM_PROGRAMS];
    void (*on_trace)(struct sim_node *sn, u16 type, u32 who, u64 a, u64 b);
    void (*on_blocked)(struct sim_process *p); /* went on in the kernel, and waits again */
    void (*on_console)(struct sim_node *sn, const void *text, size_t len);
    u64 seed;
    void *owner;  /* of who made it */
    bool cramped; /* nothing more than what was just allocated may be had: fails frames */
    u32 lose;     /* of a hundred blocks that somebody would get, the wire loses so many */
    u64 aimed;    /* blocks so far that somebody would get, while it does */
    bool absent;  /* pages have to be fetched: every first access of a call waits once */
};

/* A node's own clock: at true time `at` it showed `shown`, and gains `rate` millionths. */
struct sim_clock {
    u64 at, shown;
    s64 rate;
};

struct sim_node {
    struct sim *sim;
    struct node *node;
    struct net *net;
    struct heap heap;
    void *memory;
    size_t memory_size;
    u32 index;
    u32 epoch; /* of its boot */
    bool down; /* crashed, or not booted: runs nothing, hears nothing */
    bool cut;  /* off the wire: runs, and hears nobody, and is not heard */
    u32 wire;  /* which of the wires it is on */
    struct sim_clock clock;
    struct thread *running;
    struct sim_process *last;  /* that a fault was simulated for */
    u64 switches;              /* by NODE_SWITCH and NODE_HANDOVER */
    u64 handovers;             /* by the latter */
    struct list ports;         /* wires attached here */
    struct sim_frame **frames; /* the core's, by number; the first is none */
    u32 frame_count;           /* that there may be, set before anything is paged; 0: many */
    u32 frames_taken;
    u32 table_frames; /* that have to be free for a page to be shown */
    struct machine_miss miss;
};

/* `count` nodes, numbered from 1, each with a heap of `memory` bytes. Flags of enum
 * node_flags; `networked` joins them all by one broadcast wire. */
struct sim *sim_create(u32 count, size_t memory, u32 flags, bool networked);
struct sim *sim_create_limits(u32 count, size_t memory, u32 flags, bool networked,
                              const struct demos_limits *limits);
void sim_destroy(struct sim *s);
/* The same by parts: `count` nodes that are all down; a boot in its next epoch, on no medium; its
 * end, which answers the bytes that the node did not give back. */
struct sim *sim_begin(u32 count, u64 seed);
void sim_boot(struct sim_node *sn, size_t memory, u32 flags, bool networked,
              const struct demos_limits *limits);
size_t sim_end(struct sim_node *sn);
/* What the node's clock shows, and the true time at which it will show `shown`. */
u64 sim_now(const struct sim_node *sn);
u64 sim_when(const struct sim_node *sn, u64 shown);
/* From now on the clock shows `step` ns more, and has that rate. As in a domain (guest/rt/time.c), one that is
 * set back goes on from what it last showed. */
void sim_set_clock(struct sim_node *sn, s64 step, s64 rate);
/* The machine loses everything and comes up again, in its next epoch. */
void sim_reboot(struct sim_node *sn);
/* A link to a process, as its holder may hold it. */
struct link sim_link_to(const struct sim_process *to, u32 kind, u32 attr, u32 channel,
                        u64 code);
/* A process of `program` with `pages` pages at SIM_DATA, a link "kernel" to its node's
 * process kernel process and "self", started. */
struct sim_process *sim_spawn(struct sim_node *sn, u32 program, u32 pages);
struct sim_process *sim_process_of(const struct task *t);
/* Runs one thread of a node until its next call is made; false: nothing to run. */
bool sim_step(struct sim_node *sn);
/* Lets everything run, time included, until all is idle; false: not within `steps`. */
bool sim_run(struct sim *s, u64 steps);
/* Kernel-side view of a process's memory; false: not mapped. */
bool sim_peek(struct sim_process *p, u64 address, void *to, size_t len);
bool sim_poke(struct sim_process *p, u64 address, const void *from, size_t len);
/* A link to `to` in the table of `of`, by fiat. */
s64 sim_link(struct sim_process *of, const struct sim_process *to, u32 kind, u32 attr,
             u32 channel, u64 code);

static inline struct sim_call sim_call(u32 number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
    return (struct sim_call){number, {a, b, c, d, e, f}};
}

#endif
