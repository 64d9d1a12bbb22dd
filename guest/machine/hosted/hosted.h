/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosted machine: one Linux process is one node, its frames a memory file, each DEMOS
 * process a child (child.h) whose mappings mirror the tables of its space.
 */
#ifndef GUEST_MACHINE_HOSTED_HOSTED_H
#define GUEST_MACHINE_HOSTED_HOSTED_H

#include <stdio.h>
#include "guest/kernel/machine.h"
#include "guest/machine/hosted/child.h"
#include "guest/machine/hosted/disk.h"
#include "guest/machine/hosted/ether.h"
#include "guest/machine/hosted/packet.h"
#include "guest/machine/place.h"
#include "guest/machine/registers.h"
#include "guest/machine/space.h"

enum { HOSTED_PACKETS = 4 };

struct hosted {
    struct node *node;
    struct frames frames;
    struct net *net; /* NULL: alone */
    struct ether ether;
    struct packet packet[HOSTED_PACKETS];
    u32 packets;
    struct hosted_disks disks;
    int memory_fd;
    u32 entry_frame;
    u64 started_ns; /* of the host's monotonic clock */
    bool halted;
    s64 status;
    FILE *trace; /* NULL: none */
    struct machine_miss miss;
    struct announcement announcement;
};

/* task->machine. The space comes first: guest/machine/memory.c relies on it. */
struct hosted_task {
    struct space space;
    struct hosted *host;
    struct child child;
    bool broken; /* the host refused a mapping: the process cannot go on */
};

/* Where the entry page's system-call instruction ends. */
#define HOSTED_ENTRY_RETURN (DEMOS_ENTRY_PAGE + 2)

static inline struct hosted_task *hosted_task(const struct task *t)
{
    return t->machine;
}

/* The host's memory for frames and tables. False: the host has none. */
bool hosted_memory(struct hosted *h, u64 bytes);
u64 hosted_clock_ns(void);
/* Runs processes until the node halts or has none left; its status. */
int hosted_loop(struct hosted *h);

#endif
