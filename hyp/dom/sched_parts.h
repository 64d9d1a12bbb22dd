/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the scheduler's files share: virtual time and the queue of one CPU, whose lock is held
 * wherever nothing else is said. sched.c has the rules for one CPU, sched_place.c those between
 * several, sched_cap.c the budgets.
 */
#ifndef HYP_DOM_SCHED_PARTS_H
#define HYP_DOM_SCHED_PARTS_H

#include "hyp/dom/sched.h"

/* How far behind a CPU's floor an entity may come there: woken ones a little, so that a long
 * sleep does not buy the CPU; stolen ones more, so that their arrears are not lost. */
#define WOKEN_BEHIND_NS  (2 * SCHED_WAKE_NS)
#define STOLEN_BEHIND_NS (8 * SCHED_SLICE_NS)
#define STRETCH_MOST_NS  (1ull << 40)

static inline u64 bit(u32 cpu)
{
    return 1ull << cpu;
}

/* --- sched_cap.c -------------------------------------------------------------------- */

static inline bool capped(const struct sched *s, const struct sched_group *g)
{
    return g->cap && s->slice_ns;
}

/* The group has run for so long. */
void sched_spend(struct sched_group *g, u64 ran_ns, u64 now_ns);
/* What the group may still run in this period: 0 and *until when nothing is left. */
u64 sched_allowance(struct sched *s, struct sched_group *g, u64 now_ns, u64 *until);

/* --- sched_place.c ------------------------------------------------------------------ */

/* Asks some idle CPU to come and steal what waits for too long here. */
void sched_poke_idle(struct sched *s, u64 allowed, u32 not_this);
/* The queue that e is in, locked. */
struct sched_cpu *sched_lock_queue(struct sched *s, struct sched_entity *e);
/* e, whose last hold has been dropped, waits where it is best; no lock is held. */
void sched_release_somewhere(struct sched *s, struct sched_entity *e, u32 waker, u64 now_ns);
struct sched_entity *sched_steal(struct sched *s, u32 cpu, const struct sched_entity *mine);
void sched_offer(struct sched *s, u32 cpu, u64 now_ns);
void sched_keep_up(struct sched *s, struct sched_cpu *c, struct sched_entity *e);

/* --- sched.c -------------------------------------------------------------------------- */

/* A stretch of real time of one of so many entities of g that share its weight. */
u64 sched_weighted(const struct sched_group *g, u64 sharers, u64 ran_ns);
/* e has just been put into the queue of `cpu`, whose lock is held. */
void sched_announce(struct sched *s, u32 cpu, struct sched_entity *e, u32 waker, u64 now_ns);

/* --- virtual time ----------------------------------------------------------------------- */

/* Virtual time for a stretch of real time. Stretches beyond STRETCH_MOST_NS, which only a CPU
 * without competition runs, weigh no more: products stay within 64 bits. */
static inline u64 weighted(const struct sched_entity *e, u64 ran_ns)
{
    u64 sharers = __atomic_load_n(&e->group->runnable, __ATOMIC_RELAXED);

    if (sharers == 1 && e->group->weight == SCHED_WEIGHT) /* nearly always */
        return MIN(ran_ns, STRETCH_MOST_NS);
    return sched_weighted(e->group, MAX(sharers, 1u), ran_ns);
}

static inline void charge(struct sched *s, struct sched_cpu *c, struct sched_entity *e,
                          u64 now_ns)
{
    struct order_node *head = order_first(&c->waiting);
    u64 ran = now_ns > e->since_ns ? now_ns - e->since_ns : 0;
    u64 least;

    e->since_ns = now_ns;
    e->ran_ns += ran;
    e->vtime += weighted(e, ran);
    if (capped(s, e->group))
        sched_spend(e->group, ran, now_ns);
    least = head ? MIN(head->key, e->vtime) : e->vtime;
    __atomic_store_n(&c->floor, MAX(c->floor, least), __ATOMIC_RELAXED);
}

/* Who runs alone has no slice and is charged when it leaves: before somebody is put beside it,
 * the CPU's virtual time has to become what it is. */
static inline void catch_up(struct sched *s, struct sched_cpu *c, u64 now_ns)
{
    if (c->running && now_ns > c->running->since_ns + SCHED_WAKE_NS)
        charge(s, c, c->running, now_ns);
}

static inline u64 floor_of(const struct sched_cpu *c)
{
    return __atomic_load_n(&c->floor, __ATOMIC_RELAXED);
}

/* An entity that changes CPUs is as far from its new CPU's virtual time as it was from the old
 * one's: the two may have grown far apart. */
static inline void rebase(struct sched_entity *e, const struct sched_cpu *from,
                          const struct sched_cpu *to)
{
    u64 here = floor_of(from), there = floor_of(to);

    if (e->vtime >= here)
        e->vtime = there + (e->vtime - here);
    else
        e->vtime = there - MIN(there, here - e->vtime);
}

/* --- a queue ------------------------------------------------------------------------------ */

static inline void put_in(struct sched_cpu *c, struct sched_entity *e, u64 behind_ns)
{
    u64 lowest = c->floor > behind_ns ? c->floor - behind_ns : 0;

    e->vtime = MAX(e->vtime, lowest);
    __atomic_store_n(&e->state, SCHED_WAITING, __ATOMIC_RELEASE);
    order_add(&c->waiting, &e->node, e->vtime);
    __atomic_store_n(&c->load, c->load + 1, __ATOMIC_RELAXED);
}

static inline void take_out(struct sched_cpu *c, struct sched_entity *e)
{
    if (e->state == SCHED_PARKED) {
        order_remove(&c->parked, &e->node);
    } else if (order_in(&e->node)) {
        order_remove(&c->waiting, &e->node);
        __atomic_store_n(&c->load, c->load - 1, __ATOMIC_RELAXED);
    }
    if (c->handed == e) {
        c->handed = NULL;
        c->handover_ns = SCHED_NEVER;
    }
}

static inline void fall_asleep(struct sched_entity *e)
{
    __atomic_sub_fetch(&e->group->runnable, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&e->state, SCHED_ASLEEP, __ATOMIC_RELEASE);
}

static inline void poke(struct sched *s, u32 cpu)
{
    s->cpu[cpu].look_again = true;
    sched_poke(cpu, s->cpu[cpu].running);
}

static inline u32 some_allowed(const struct sched *s, const struct sched_entity *e,
                               u32 preferred)
{
    u64 allowed = e->affinity & s->online;

    if (!allowed || allowed & bit(preferred))
        return preferred;
    return (u32)__builtin_ctzll(allowed);
}

#endif
