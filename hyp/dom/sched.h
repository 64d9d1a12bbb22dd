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
#define SCHED_ALONE_NS    500000ull   /* ... where no other CPU could take it */
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

/* Why an entity cannot run, apart from waiting for a CPU; it runs when all are clear. */
enum sched_hold {
    SCHED_HOLD_DOWN = 1,    /* not initialised, or taken down */
    SCHED_HOLD_BLOCKED = 2, /* waits for an event or interrupt */
    SCHED_HOLD_PAUSED = 4,  /* by its domain's pause count, or its domain's end */
};

struct sched_entity {
    struct order_node node; /* in its CPU's queue; the key is its virtual time */
    struct sched_group *group;
    u64 vtime;
    u64 ran_ns;   /* in all */
    u64 since_ns; /* start of the stretch that is not yet charged */
    u64 affinity; /* CPUs it may run on, a bit each */
    u32 hold;     /* enum sched_hold; changed atomically */
    u32 cpu;      /* whose queue it is or was last in */
    u8 state;     /* enum sched_state; under that queue's lock */
};

struct sched_cpu {
    struct spinlock lock;
    bool online;
    bool look_again;              /* poked since the last pick */
    bool for_nobody;              /* a timer or an interrupt: what it wakes has no waker */
    struct order waiting, parked; /* parked: keyed by the time they may run again */
    struct sched_entity *running;
    struct sched_entity *handed; /* woken by what runs here: goes first when that blocks */
    u64 floor;                   /* of virtual time: never falls; others read it */
    u64 slice_end_ns;            /* of the running entity, while others wait */
    u64 handover_ns;             /* until when `handed` waits for its waker */
    u64 idle_since_ns, idle_ns;
    u32 load;                    /* entities in `waiting` */
} __attribute__((aligned(128))); /* cache lines of its own */

struct sched {
    struct sched_cpu cpu[SCHED_CPUS];
    u64 online, idle; /* CPUs, a bit each */
    u64 slice_ns;     /* 0: run until it blocks, no caps (discrete-event time) */
};

enum { SCHED_NO_WAKER = ~0u };

void sched_init(struct sched *s, u64 slice_ns);
void sched_cpu_online(struct sched *s, u32 cpu, u64 now_ns);
/* Time has begun anew, and is `now_ns`: what ran or idled until then is forgotten. */
void sched_restart(struct sched *s, u64 now_ns);
void sched_group_init(struct sched_group *g);
/* False, and nothing changed, when a value is out of range. */
bool sched_group_set(struct sched_group *g, u32 weight, u32 cap, u64 now_ns);
/* Born held DOWN, allowed everywhere. */
void sched_entity_init(struct sched_entity *e, struct sched_group *g, u32 cpu);
/* The affinity must hold an online CPU. A running entity moves at its next pick. */
void sched_set_affinity(struct sched *s, struct sched_entity *e, u64 affinity, u64 now_ns);

/* Adds holds. An entity that waits leaves its queue; one that is on a CPU gets it poked and
 * is off it once sched_is_off says so. */
void sched_hold(struct sched *s, struct sched_entity *e, u32 why);
/* Drops holds; the last one dropped makes the entity runnable. `waker` is the CPU whose
 * guest asks, SCHED_NO_WAKER when none does (timers). */
void sched_release(struct sched *s, struct sched_entity *e, u32 why, u32 waker, u64 now_ns);
static inline bool sched_is_off(const struct sched_entity *e)
{
    return __atomic_load_n(&e->state, __ATOMIC_ACQUIRE) != SCHED_ON_CPU;
}

/* The CPU it is on, if sched_is_off has said no: before it shows as on a CPU it names it. */
static inline u32 sched_cpu_of(const struct sched_entity *e)
{
    return __atomic_load_n(&e->cpu, __ATOMIC_RELAXED);
}

/* Chooses what CPU `cpu` runs from now; what ran there goes back into a queue unless held.
 * NULL: idle. */
struct sched_entity *sched_pick(struct sched *s, u32 cpu, u64 now_ns);
/* When sched_expired should be asked, or SCHED_NEVER. */
u64 sched_deadline(struct sched *s, u32 cpu);
/* True when CPU `cpu` should pick again now. */
bool sched_expired(struct sched *s, u32 cpu, u64 now_ns);
/* The entity running on `cpu` lets those that wait there go first, once. */
void sched_give_way(struct sched *s, u32 cpu, u64 now_ns);
/* Somebody waits for CPU `cpu`. */
static inline bool sched_is_crowded(const struct sched *s, u32 cpu)
{
    return __atomic_load_n(&s->cpu[cpu].load, __ATOMIC_RELAXED);
}
/* Time run so far, the current stretch included. */
u64 sched_ran(const struct sched_entity *e, u64 now_ns);

/* Supplied by the user, called under that CPU's queue lock. sched_poke: CPU `cpu`, which runs
 * `running` (NULL: idle), must call sched_pick soon. sched_deadline_moved: it must call
 * sched_expired at `deadline_ns`, unless sched_deadline says otherwise by then. */
void sched_poke(u32 cpu, struct sched_entity *running);
void sched_deadline_moved(u32 cpu, u64 deadline_ns);

#endif
