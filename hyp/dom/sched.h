/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's pure core: who runs where, given the time. It knows entities (vCPUs) and
 * groups (domains), nothing else; time and the word that a CPU should look again
 * (sched_poke) pass through its interface, so host tests drive it by the million.
 *
 * Each entity has a virtual time that grows with the time it ran divided by its share of
 * its group's weight; a CPU runs the entity with the smallest one. A CPU without work, and one
 * at the end of a slice, looks at the other queues and takes what lags further. A group's
 * cap is a budget of time per period; spending more is a debt carried over. An entity that
 * is blocked is in no queue and costs nothing.
 *
 * Locks: each CPU's queue has one; two are taken in the order of the CPUs' numbers; a
 * group's is innermost.
 */
#ifndef HYP_DOM_SCHED_H
#define HYP_DOM_SCHED_H

#include "base/list.h"
#include "hyp/cpu/spinlock.h"
#include "hyp/dom/order.h"

enum {
    SCHED_CPUS = 64,
    SCHED_WEIGHT = 256, /* of a group that says nothing, as Xen's credit scheduler has it */
    SCHED_WEIGHT_MAX = 65535,
};
#define SCHED_SLICE_NS    4000000ull  /* while somebody else waits */
#define SCHED_PERIOD_NS   20000000ull /* over which a cap is kept */
#define SCHED_WAKE_NS     500000ull   /* a woken entity pre-empts one that is this far ahead */
#define SCHED_HANDOVER_NS 50000ull    /* how long a woken entity waits for its waker to block */
#define SCHED_NEVER       (~0ull)

struct sched_group {
    struct spinlock lock;
    u32 weight;   /* 1..SCHED_WEIGHT_MAX, shared by the group's entities */
    u32 cap;      /* percent of one CPU; 0: none */
    u32 runnable; /* entities that run or wait */
    u64 period;   /* number of the period that `spent` is of */
    s64 spent_ns; /* may start a period above 0: debt */
};

enum sched_state { SCHED_ASLEEP, SCHED_WAITING, SCHED_PARKED, SCHED_ON_CPU };

struct sched_entity {
    struct order_node node; /* in its CPU's queue; the key is its virtual time */
    struct sched_group *group;
    u64 vtime;
    u64 ran_ns;        /* in all */
    u64 since_ns;      /* start of the stretch being charged */
    u64 affinity;      /* CPUs it may run on, a bit each */
    u32 cpu;           /* whose queue it is or was last in */
    u8 state;          /* enum sched_state; under that queue's lock */
    bool wake_pending; /* woken while it was still on its CPU */
};

struct sched_cpu {
    struct spinlock lock;
    bool online, idle, look_again;
    struct order waiting, parked; /* parked: keyed by the time they may run again */
    struct sched_entity *running;
    struct sched_entity *handed; /* woken by what runs here: goes first when that blocks */
    u64 floor;                   /* of virtual time: never falls */
    u64 deadline_ns;             /* when sched_pick should be asked again */
    u32 load;                    /* entities waiting here */
};

struct sched {
    struct sched_cpu cpu[SCHED_CPUS];
    u32 cpus;
    u64 slice_ns; /* 0: run until it blocks, no caps (discrete-event time) */
};

void sched_init(struct sched *s, u64 slice_ns);
void sched_cpu_online(struct sched *s, u32 cpu);
void sched_group_init(struct sched_group *g);
/* Weight 0 leaves it; false when a value is out of range. */
bool sched_group_set(struct sched_group *g, u32 weight, u32 cap);
void sched_entity_init(struct sched_entity *e, struct sched_group *g, u32 cpu);
/* The affinity must hold an online CPU. A running entity moves at its next pick. */
void sched_set_affinity(struct sched *s, struct sched_entity *e, u64 affinity);

/* Makes an entity runnable; `waker` is the CPU that asks. Harmless when it already is. */
void sched_wake(struct sched *s, struct sched_entity *e, u32 waker, u64 now_ns);
/* Chooses what CPU `cpu` runs from now. `runnable` says what becomes of the entity that
 * ran here: back into the queue, or asleep. NULL: idle. */
struct sched_entity *sched_pick(struct sched *s, u32 cpu, bool runnable, u64 now_ns);
/* Takes a waiting entity out (pause, destroy): true when it is asleep now, false when it
 * is on a CPU, which is then poked; ask again when that CPU has picked. */
bool sched_sleep(struct sched *s, struct sched_entity *e, u64 now_ns);
/* The running entity gives way once: everything that waits here goes first. */
void sched_yield(struct sched *s, u32 cpu, u64 now_ns);
/* Time run so far, the current stretch included. */
u64 sched_ran(struct sched *s, const struct sched_entity *e, u64 now_ns);

/* Supplied by the user: CPU `cpu` must call sched_pick soon. May be the caller's own. */
void sched_poke(u32 cpu);

#endif
