/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One or two nodes on the bench: loads the programs, runs a process on each user
 * processor until it ends, and measures in clocks.
 */
#ifndef Z8000_BENCH_RIG_H
#define Z8000_BENCH_RIG_H

#include <stdio.h>
#include "z8000/node/node.h"

enum {
    RIG_NODES = 2,
    RIG_MEMORY = 1 << 23,
    RIG_IMAGE_MOST = 0xe000,
    RIG_BLOCKS = 256,
    RIG_MESSAGE_MOST = 1024
};

/* Where user.s has its programs. */
enum rig_program {
    RIG_EMPTY = 0x0000,
    RIG_NULL = 0x0040,
    RIG_LINK = 0x0080,
    RIG_MESSAGE = 0x00c0,
    RIG_BLOCK = 0x0100,
    RIG_REMOTE = 0x0140,
    RIG_ECHO = 0x0180,
    RIG_TOUCH = 0x01c0,
    RIG_LRU = 0x0280,
};

/* What differs between a measurement and its ablations. */
struct rig_machine {
    u32 hz;
    u32 bytes_per_second; /* of the parallel interface */
    u32 wrong_every;      /* so many bytes between nodes, one has a wrong bit; 0: none has */
    bool one_processor;   /* calls without ports only: null, links, messages to oneself */
};

struct image {
    u8 bytes[RIG_IMAGE_MOST];
    size_t length;
};

struct rig {
    struct node node[RIG_NODES];
    unsigned nodes;
    struct z8000_table *table;
    struct image kernel, stub, single, user, load;
    u8 *blocks;
    FILE *vcd;
    struct rig_machine machine;
    u16 answer; /* bytes the echo sends back */
};

struct rig_time {
    u64 user;        /* the user processor's clock at the end */
    u64 kernel_busy; /* clocks of the kernel processor not halted */
    u64 line_bytes;  /* through the parallel ports of both nodes */
    u64 faults, map_loads, evictions;
    u64 interrupts; /* of both processors: kernel calls, and what one tells the other */
    u64 resent;     /* frames that were sent again */
    bool
        intact; /* what the other node received last is what was sent, and the answer as well */
};

/* Reads the images from a directory; says what is missing and returns false. */
bool rig_open(struct rig *r, const char *directory);
void rig_close(struct rig *r);
/* Fresh nodes; `program` on the first one `times` times with `argument` in r12, the echo
 * on a second if there is one. False: a node crashed or ran too long, said on stderr. */
bool rig_run(struct rig *r, enum rig_program program, u16 times, u16 argument, unsigned nodes,
             struct rig_time *time);

#endif
