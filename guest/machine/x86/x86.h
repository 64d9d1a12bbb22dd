/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 machine: one processor, one node, its frames one run of physical memory, its
 * processes in ring 3 below the kernel's half of the address space.
 */
#ifndef GUEST_MACHINE_X86_X86_H
#define GUEST_MACHINE_X86_X86_H

#include "guest/machine/place.h"
#include "guest/machine/space.h"
#include "guest/machine/x86/cpu.h"
#include "splitdrv/wire.h"

struct osm_ring_header;

struct x86 {
    struct node *node;
    struct net *net; /* NULL: no vif and no Ethernet, a node by itself */
    struct wire wire;
    bool disks; /* there are some */
    struct frames frames;
    struct machine_miss miss;
    struct announcement announcement;
    struct osm_ring_header *trace; /* NULL: none */
    u32 entry_frame;
    u64 started_ns;
    u64 alarm_ns; /* what the runtime's alarm is set to */
    bool slice_over;
    bool halted;
    s64 status;
};

_Static_assert(offsetof(struct x86, node) == 0, "call.S");

/* There is one processor and one node: the traps that lead here carry no pointer. */
extern struct x86 x86;

/* task->machine. The space comes first: guest/machine/memory.c relies on it. */
struct x86_task {
    struct space space;
    struct cpu_space cpu;
};

static inline struct x86_task *x86_task(const struct task *t)
{
    return t->machine;
}

struct rt_frame;

/* Puts the registers of the interrupted x86_current away. */
void x86_save_frame(const struct rt_frame *f);
/* Installs the handlers of traps and of the alarm. */
void x86_traps_init(void);
void x86_loop_init(void);
/* Boots are numbered by the time, so that they grow. */
u32 x86_boot_now(void);
/* The network in a boot of this machine; NULL: no memory. */
struct net *x86_net_create(u32 epoch);
/* Suspends the node, if its toolstack asks for that; between two turns of the loop. */
void x86_suspend_obey(void);
/* Acts on what the core answered for a thread, which is x86_current's; does not return. */
NORETURN void x86_follow(struct thread *t, enum outcome o, s64 result);

#endif
