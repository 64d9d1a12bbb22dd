/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's core: see sched.h for the rules.
 */
#include "hyp/dom/sched.h"

/* How far behind a CPU's floor an entity may come there: woken ones a little, so that a long
 * sleep does not buy the CPU; stolen ones more, so that their arrears are not lost. */
#define WOKEN_BEHIND_NS  (2 * SCHED_WAKE_NS)
#define STOLEN_BEHIND_NS (8 * SCHED_SLICE_NS)
#define STRETCH_MOST_NS  (1ull << 40)

static u64 bit(u32 cpu)
{
    return 1ull << cpu;
}

void sched_init(struct sched *s, u64 slice_ns)
{
    *s = (struct sched){.slice_ns = slice_ns};
}

void sched_cpu_online(struct sched *s, u32 cpu, u64 now_ns)
{
    s->cpu[cpu].slice_end_ns = s->cpu[cpu].handover_ns = SCHED_NEVER;
    s->cpu[cpu].idle_since_ns = now_ns;
    s->cpu[cpu].online = true;
    __atomic_or_fetch(&s->online, bit(cpu), __ATOMIC_SEQ_CST);
}

void sched_group_init(struct sched_group *g)
{
    *g = (struct sched_group){.weight = SCHED_WEIGHT};
}

void sched_entity_init(struct sched_entity *e, struct sched_group *g, u32 cpu)
{
    *e = (struct sched_entity){
        .group = g, .affinity = ~0ull, .hold = SCHED_HOLD_DOWN, .cpu = cpu};
}

/* --- caps ------------------------------------------------------------------------- */

static s64 budget(const struct sched_group *g)
{
    return (s64)(SCHED_PERIOD_NS / 100 * MAX(g->cap, 1u));
}

/* Lets whole periods pass: each pays back one budget, and none is saved up. */
static void refill(struct sched_group *g, u64 now_ns)
{
    u64 period = now_ns / SCHED_PERIOD_NS;

    if (period > g->period) {
        u64 debts = g->spent_ns > 0 ? (u64)g->spent_ns / (u64)budget(g) : 0;
        u64 passed = period - g->period;

        g->spent_ns = passed > debts ? 0 : g->spent_ns - (s64)passed * budget(g);
        g->period = period;
    }
}

bool sched_group_set(struct sched_group *g, u32 weight, u32 cap, u64 now_ns)
{
    if (weight < 1 || weight > SCHED_WEIGHT_MAX || cap > 100 * SCHED_CPUS)
        return false;
    spin_lock(&g->lock);
    g->weight = weight;
    g->cap = cap;
    g->spent_ns = 0;
    g->period = now_ns / SCHED_PERIOD_NS;
    spin_unlock(&g->lock);
    return true;
}

static bool capped(const struct sched *s, const struct sched_group *g)
{
    return g->cap && s->slice_ns;
}

/* What the group may still run in this period: 0 and *until when nothing is left. */
static u64 allowance(struct sched *s, struct sched_group *g, u64 now_ns, u64 *until)
{
    u64 left = SCHED_NEVER;

    if (!capped(s, g))
        return left;
    spin_lock(&g->lock);
    refill(g, now_ns);
    if (g->spent_ns < budget(g)) {
        left = (u64)(budget(g) - g->spent_ns);
    } else {
        *until = (g->period + (u64)g->spent_ns / (u64)budget(g)) * SCHED_PERIOD_NS;
        left = 0;
    }
    spin_unlock(&g->lock);
    return left;
}

/* --- queues, under their CPU's lock ------------------------------------------------ */

/* Virtual time for a stretch of real time. Stretches beyond STRETCH_MOST_NS, which only a CPU
 * without competition runs, weigh no more: the products below stay within 64 bits. */
static u64 weighted(const struct sched_entity *e, u64 ran_ns)
{
    u64 sharers = MAX(__atomic_load_n(&e->group->runnable, __ATOMIC_RELAXED), 1u);
    u64 factor = SCHED_WEIGHT * sharers, weight = e->group->weight;

    ran_ns = MIN(ran_ns, STRETCH_MOST_NS);
    if (factor == weight) /* the usual weight, and nobody else of the group runs */
        return ran_ns;
    return ran_ns / weight * factor + ran_ns % weight * factor / weight;
}

static void charge(struct sched *s, struct sched_cpu *c, struct sched_entity *e, u64 now_ns)
{
    struct order_node *head = order_first(&c->waiting);
    u64 ran = now_ns > e->since_ns ? now_ns - e->since_ns : 0;
    u64 least;

    e->since_ns = now_ns;
    e->ran_ns += ran;
    e->vtime += weighted(e, ran);
    if (capped(s, e->group)) {
        spin_lock(&e->group->lock);
        e->group->spent_ns += (s64)ran;
        refill(e->group, now_ns);
        spin_unlock(&e->group->lock);
    }
    least = head ? MIN(head->key, e->vtime) : e->vtime;
    __atomic_store_n(&c->floor, MAX(c->floor, least), __ATOMIC_RELAXED);
}

/* Who runs alone has no slice and is charged when it leaves: before somebody is put beside it,
 * the CPU's virtual time has to become what it is. */
static void catch_up(struct sched *s, struct sched_cpu *c, u64 now_ns)
{
    if (c->running && now_ns > c->running->since_ns + SCHED_WAKE_NS)
        charge(s, c, c->running, now_ns);
}

static u64 floor_of(const struct sched_cpu *c)
{
    return __atomic_load_n(&c->floor, __ATOMIC_RELAXED);
}

/* An entity that changes CPUs is as far from its new CPU's virtual time as it was from the old
 * one's: the two may have grown far apart. */
static void rebase(struct sched_entity *e, const struct sched_cpu *from,
                   const struct sched_cpu *to)
{
    u64 here = floor_of(from), there = floor_of(to);

    if (e->vtime >= here)
        e->vtime = there + (e->vtime - here);
    else
        e->vtime = there - MIN(there, here - e->vtime);
}

/* A CPU without competition does not fall far behind the one that is furthest, so that the times
 * of those that wait here and there can be compared: a small distance is somebody's arrears, a
 * large one comes from having run alone. */
static void keep_up(struct sched *s, struct sched_cpu *c, struct sched_entity *e)
{
    u64 least = c->floor;

    for (u64 others = s->online; others; others &= others - 1) {
        u64 floor = floor_of(&s->cpu[__builtin_ctzll(others)]);

        least = MAX(least, floor - MIN(floor, STOLEN_BEHIND_NS));
    }
    e->vtime += least - c->floor;
    __atomic_store_n(&c->floor, least, __ATOMIC_RELAXED);
}

static void put_in(struct sched_cpu *c, struct sched_entity *e, u64 behind_ns)
{
    u64 lowest = c->floor > behind_ns ? c->floor - behind_ns : 0;

    e->vtime = MAX(e->vtime, lowest);
    __atomic_store_n(&e->state, SCHED_WAITING, __ATOMIC_RELEASE);
    order_add(&c->waiting, &e->node, e->vtime);
    __atomic_store_n(&c->load, c->load + 1, __ATOMIC_RELAXED);
}

static void take_out(struct sched_cpu *c, struct sched_entity *e)
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

static void fall_asleep(struct sched_entity *e)
{
    __atomic_sub_fetch(&e->group->runnable, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&e->state, SCHED_ASLEEP, __ATOMIC_RELEASE);
}

static void poke(struct sched *s, u32 cpu)
{
    s->cpu[cpu].look_again = true;
    sched_poke(cpu, s->cpu[cpu].running);
}

/* Asks some idle CPU to come and steal what waits for too long here. */
static void poke_idle(struct sched *s, u64 allowed, u32 not_this)
{
    u64 idle = __atomic_load_n(&s->idle, __ATOMIC_SEQ_CST) & allowed & ~bit(not_this);
    u32 cpu;

    if (!idle)
        return;
    cpu = (u32)__builtin_ctzll(idle);
    __atomic_store_n(&s->cpu[cpu].look_again, true, __ATOMIC_SEQ_CST);
    sched_poke(cpu, NULL);
}

static struct sched_cpu *lock_queue(struct sched *s, struct sched_entity *e)
{
    for (;;) {
        u32 cpu = __atomic_load_n(&e->cpu, __ATOMIC_RELAXED);

        spin_lock(&s->cpu[cpu].lock);
        if (e->cpu == cpu)
            return &s->cpu[cpu];
        spin_unlock(&s->cpu[cpu].lock);
    }
}

static u32 some_allowed(const struct sched *s, const struct sched_entity *e, u32 preferred)
{
    u64 allowed = e->affinity & s->online;

    if (!allowed || allowed & bit(preferred))
        return preferred;
    return (u32)__builtin_ctzll(allowed);
}

/* --- waking ------------------------------------------------------------------------ */

/* e has just been put into the queue of `cpu`, whose lock is held. */
static void announce(struct sched *s, u32 cpu, struct sched_entity *e, u32 waker, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct sched_entity *r = c->running;

    if (!r) {
        poke(s, cpu);
        return;
    }
    if (!s->slice_ns)
        return;
    if (c->slice_end_ns == SCHED_NEVER) {
        c->slice_end_ns = now_ns + s->slice_ns;
        sched_deadline_moved(cpu, c->slice_end_ns);
    }
    if (e->group == r->group) /* r may spin for e: the run loop is to watch it */
        sched_deadline_moved(cpu, now_ns);
    if (cpu == waker && !c->handed && e->group != r->group) {
        c->handed = e;
        if (s->online & ~bit(cpu)) { /* somebody who could take it from its waker */
            c->handover_ns = now_ns + SCHED_HANDOVER_NS;
            sched_deadline_moved(cpu, c->handover_ns);
        }
    } else if (e->vtime + SCHED_WAKE_NS < r->vtime + weighted(r, now_ns - r->since_ns)) {
        poke(s, cpu);
    } else {
        poke_idle(s, e->affinity, cpu);
    }
}

/* With its waker, which is about to block; but a sibling's waker goes on, or even waits for it,
 * so that some free CPU is better. */
static u32 wake_place(struct sched *s, const struct sched_entity *e, u32 waker)
{
    u32 cpu = some_allowed(s, e, e->cpu);
    const struct sched_entity *by = waker == SCHED_NO_WAKER ? NULL : s->cpu[waker].running;
    u64 idle = __atomic_load_n(&s->idle, __ATOMIC_SEQ_CST) & e->affinity;

    if (!by || !(e->affinity & bit(waker)))
        return cpu;
    if (by->group != e->group)
        return waker;
    return !idle || idle & bit(cpu) ? cpu : (u32)__builtin_ctzll(idle);
}

/* Where there is one CPU there is no place to choose. */
static void release_here(struct sched *s, struct sched_entity *e, u32 waker, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[e->cpu];

    spin_lock(&c->lock);
    if (e->state == SCHED_ASLEEP && !__atomic_load_n(&e->hold, __ATOMIC_SEQ_CST)) {
        __atomic_add_fetch(&e->group->runnable, 1, __ATOMIC_RELAXED);
        catch_up(s, c, now_ns);
        put_in(c, e, WOKEN_BEHIND_NS);
        announce(s, e->cpu, e, waker, now_ns);
    }
    spin_unlock(&c->lock);
}

static __attribute__((noinline)) void release_somewhere(struct sched *s, struct sched_entity *e,
                                                        u32 waker, u64 now_ns)
{
    struct sched_cpu *c = lock_queue(s, e);
    u32 cpu;

    if (e->state != SCHED_ASLEEP || __atomic_load_n(&e->hold, __ATOMIC_SEQ_CST)) {
        spin_unlock(&c->lock);
        return;
    }
    cpu = wake_place(s, e, waker);
    if (cpu != e->cpu)
        rebase(e, c, &s->cpu[cpu]);
    __atomic_add_fetch(&e->group->runnable, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&e->state, SCHED_WAITING, __ATOMIC_RELEASE);
    __atomic_store_n(&e->cpu, cpu, __ATOMIC_RELAXED);
    if (c != &s->cpu[cpu]) {
        spin_unlock(&c->lock);
        c = &s->cpu[cpu];
        spin_lock(&c->lock);
        /* Whoever moved it or put it to sleep between the two locks has seen to it. */
        if (e->cpu != cpu || e->state != SCHED_WAITING || order_in(&e->node)) {
            spin_unlock(&c->lock);
            return;
        }
    }
    catch_up(s, c, now_ns);
    put_in(c, e, WOKEN_BEHIND_NS);
    announce(s, cpu, e, waker, now_ns);
    spin_unlock(&c->lock);
}

void sched_release(struct sched *s, struct sched_entity *e, u32 why, u32 waker, u64 now_ns)
{
    if (__atomic_and_fetch(&e->hold, ~why, __ATOMIC_SEQ_CST))
        return;
    if (s->online == bit(e->cpu))
        release_here(s, e, waker, now_ns);
    else
        release_somewhere(s, e, waker, now_ns);
}

void sched_hold(struct sched *s, struct sched_entity *e, u32 why)
{
    struct sched_cpu *c;

    __atomic_or_fetch(&e->hold, why, __ATOMIC_SEQ_CST);
    c = lock_queue(s, e);
    if (e->state == SCHED_ON_CPU) {
        poke(s, e->cpu);
    } else if (e->state != SCHED_ASLEEP) {
        take_out(c, e);
        fall_asleep(e);
    }
    spin_unlock(&c->lock);
}

/* --- choosing ---------------------------------------------------------------------- */

/* Parks an entity whose group has nothing left to run in this period; true if it did. */
static bool park(struct sched *s, struct sched_cpu *c, struct sched_entity *e, u64 now_ns)
{
    u64 until;

    if (allowance(s, e->group, now_ns, &until))
        return false;
    take_out(c, e);
    __atomic_store_n(&e->state, SCHED_PARKED, __ATOMIC_RELEASE);
    order_add(&c->parked, &e->node, until);
    return true;
}

static void unpark(struct sched_cpu *c, u64 now_ns)
{
    struct order_node *first;

    while ((first = order_first(&c->parked)) && first->key <= now_ns) {
        struct sched_entity *e = container_of(first, struct sched_entity, node);

        order_remove(&c->parked, first);
        put_in(c, e, WOKEN_BEHIND_NS);
    }
}

/* The waiting entity that goes first here, or NULL: the handed one when its waker has just
 * blocked and nobody has waited much longer, else the one with least virtual time. */
static struct sched_entity *best_here(struct sched *s, struct sched_cpu *c, bool blocked,
                                      u64 now_ns)
{
    for (;;) {
        struct order_node *first = order_first(&c->waiting);
        struct sched_entity *e;

        if (!first)
            return NULL;
        e = container_of(first, struct sched_entity, node);
        if (c->handed && blocked && c->handed->vtime < e->vtime + SCHED_SLICE_NS)
            e = c->handed;
        if (!park(s, c, e, now_ns))
            return e;
    }
}

/* The entity of another queue that CPU `cpu` should run instead of waiting or of `mine`.
 * Found, it is in this CPU's queue. Queues that are busy just now are left alone. */
static struct sched_entity *steal(struct sched *s, u32 cpu, const struct sched_entity *mine)
{
    struct sched_cpu *c = &s->cpu[cpu];

    for (u64 others = s->online & ~bit(cpu); others; others &= others - 1) {
        struct sched_cpu *from = &s->cpu[__builtin_ctzll(others)];
        struct order_node *first;
        struct sched_entity *e;

        if (!__atomic_load_n(&from->load, __ATOMIC_RELAXED))
            continue;
        if (!spin_trylock(&from->lock)) {
            c->handover_ns = 0; /* look again soon: see sched_deadline */
            continue;
        }
        first = order_first(&from->waiting);
        e = first ? container_of(first, struct sched_entity, node) : NULL;
        if (e && e->affinity & bit(cpu) && !(from->handed == e && from->running) &&
            (!mine || e->vtime + 2 * SCHED_SLICE_NS < mine->vtime)) {
            take_out(from, e);
            __atomic_store_n(&e->cpu, cpu, __ATOMIC_RELAXED);
            if (!mine)
                rebase(e, from, c);
            put_in(c, e, STOLEN_BEHIND_NS);
            spin_unlock(&from->lock);
            return e;
        }
        spin_unlock(&from->lock);
    }
    return NULL;
}

/* What ran here goes where it belongs: to sleep, back into the queue, or to another CPU's.
 * Returns whether it blocked. Drops and takes the lock again in the last case. */
static bool put_back(struct sched *s, u32 cpu, struct sched_entity *e, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    u32 to;

    charge(s, c, e, now_ns);
    c->running = NULL;
    if (__atomic_load_n(&e->hold, __ATOMIC_SEQ_CST)) {
        fall_asleep(e);
        return true;
    }
    to = some_allowed(s, e, cpu);
    if (to == cpu) {
        put_in(c, e, STOLEN_BEHIND_NS);
        return false;
    }
    rebase(e, c, &s->cpu[to]);
    __atomic_store_n(&e->cpu, to, __ATOMIC_RELAXED);
    __atomic_store_n(&e->state, SCHED_WAITING, __ATOMIC_RELEASE);
    spin_unlock(&c->lock);
    spin_lock(&s->cpu[to].lock);
    if (e->cpu == to && e->state == SCHED_WAITING && !order_in(&e->node)) {
        catch_up(s, &s->cpu[to], now_ns);
        put_in(&s->cpu[to], e, STOLEN_BEHIND_NS);
        announce(s, to, e, SCHED_NO_WAKER, now_ns);
    }
    spin_unlock(&s->cpu[to].lock);
    spin_lock(&c->lock);
    return true;
}

static void go_idle(struct sched *s, u32 cpu, u64 now_ns)
{
    if (s->idle & bit(cpu))
        return;
    s->cpu[cpu].idle_since_ns = now_ns;
    __atomic_or_fetch(&s->idle, bit(cpu), __ATOMIC_SEQ_CST);
}

static void leave_idle(struct sched *s, u32 cpu, u64 now_ns)
{
    if (!(s->idle & bit(cpu))) /* only this CPU changes its bit */
        return;
    s->cpu[cpu].idle_ns += now_ns - s->cpu[cpu].idle_since_ns;
    __atomic_and_fetch(&s->idle, ~bit(cpu), __ATOMIC_SEQ_CST);
}

static void run(struct sched *s, u32 cpu, struct sched_entity *e, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    u64 until, left = allowance(s, e->group, now_ns, &until);

    take_out(c, e);
    leave_idle(s, cpu, now_ns);
    __atomic_store_n(&e->state, SCHED_ON_CPU, __ATOMIC_RELEASE);
    e->since_ns = now_ns;
    c->running = e;
    if (s->slice_ns && c->load)
        c->slice_end_ns = now_ns + s->slice_ns;
    if (left != SCHED_NEVER)
        c->slice_end_ns = MIN(c->slice_end_ns, now_ns + MAX(left, 1u));
    if (c->load && s->idle)
        poke_idle(s, ~0ull, cpu);
}

/* Somebody waits here: a CPU whose entity is far ahead of the one that waits longest is asked
 * to look, and will steal it. A CPU that runs alone has no slice and would not look itself. */
static void offer(struct sched *s, u32 cpu, u64 now_ns)
{
    struct order_node *first = order_first(&s->cpu[cpu].waiting);
    struct sched_entity *e = container_of(first, struct sched_entity, node);

    for (u64 others = s->online & e->affinity & ~bit(cpu); others; others &= others - 1) {
        u32 other = (u32)__builtin_ctzll(others);
        struct sched_cpu *c = &s->cpu[other];
        struct sched_entity *r;
        bool ahead;

        if (!spin_trylock(&c->lock))
            continue;
        r = c->running;
        ahead = r && r->vtime + weighted(r, now_ns - MIN(r->since_ns, now_ns)) >
                         e->vtime + 2 * SCHED_SLICE_NS;
        if (ahead)
            poke(s, other);
        spin_unlock(&c->lock);
        if (ahead)
            return;
    }
}

static u64 deadline_of(struct sched_cpu *c)
{
    struct order_node *parked = order_first(&c->parked);
    u64 deadline = MIN(c->slice_end_ns, c->handover_ns);

    return parked ? MIN(deadline, parked->key) : deadline;
}

/* The usual turn on the only CPU, in a straight line: what ran has blocked, what it woke is all
 * that waits, and there are no caps. NULL: it is another turn. */
static struct sched_entity *hand_over(struct sched *s, struct sched_cpu *c, u64 now_ns)
{
    struct sched_entity *from = c->running, *to = c->handed;

    if (!from || !to || c->load != 1 || order_first(&c->parked) ||
        s->online & (s->online - 1) || !__atomic_load_n(&from->hold, __ATOMIC_SEQ_CST) ||
        from->group->cap | to->group->cap)
        return NULL;
    charge(s, c, from, now_ns);
    fall_asleep(from);
    take_out(c, to);
    __atomic_store_n(&to->state, SCHED_ON_CPU, __ATOMIC_RELEASE);
    to->since_ns = now_ns;
    c->running = to;
    return to;
}

/* Any turn. */
static __attribute__((noinline)) struct sched_entity *pick(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct sched_entity *e;
    bool blocked = true;
    u64 deadline;

    if (c->running)
        blocked = put_back(s, cpu, c->running, now_ns);
    unpark(c, now_ns);
    e = best_here(s, c, blocked, now_ns);
    c->handed = NULL;
    c->handover_ns = SCHED_NEVER;
    if (s->online & ~bit(cpu)) {
        struct sched_entity *better = steal(s, cpu, e);

        if (better && !park(s, c, better, now_ns))
            e = better;
    }
    if (e)
        run(s, cpu, e, now_ns);
    else
        go_idle(s, cpu, now_ns);
    if (e && !c->load && s->online & ~bit(cpu))
        keep_up(s, c, e);
    if (c->load && s->slice_ns)
        offer(s, cpu, now_ns);
    deadline = deadline_of(c);
    if (deadline != SCHED_NEVER)
        sched_deadline_moved(cpu, deadline);
    return e;
}

struct sched_entity *sched_pick(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct sched_entity *e;

    spin_lock(&c->lock);
    __atomic_store_n(&c->look_again, false, __ATOMIC_SEQ_CST);
    c->slice_end_ns = SCHED_NEVER;
    e = hand_over(s, c, now_ns);
    if (!e)
        e = pick(s, cpu, now_ns);
    spin_unlock(&c->lock);
    return e;
}

/* --- time -------------------------------------------------------------------------- */

u64 sched_deadline(struct sched *s, u32 cpu)
{
    struct sched_cpu *c = &s->cpu[cpu];
    u64 deadline;

    spin_lock(&c->lock);
    deadline = deadline_of(c);
    spin_unlock(&c->lock);
    return deadline;
}

bool sched_expired(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct order_node *first;
    bool expired;

    spin_lock(&c->lock);
    first = order_first(&c->parked);
    expired = now_ns >= c->slice_end_ns || (first && first->key <= now_ns);
    if (now_ns >= c->handover_ns) {
        /* The waker goes on: let somebody else take what it woke. */
        c->handover_ns = SCHED_NEVER;
        expired |= !c->running;
        if (c->handed)
            poke_idle(s, c->handed->affinity, cpu);
        c->handed = NULL;
    }
    spin_unlock(&c->lock);
    return expired;
}

void sched_give_way(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct order_node *first;

    spin_lock(&c->lock);
    first = order_first(&c->waiting);
    if (c->running && first) {
        charge(s, c, c->running, now_ns);
        c->running->vtime = MAX(c->running->vtime, first->key);
        poke(s, cpu);
    }
    spin_unlock(&c->lock);
}

u64 sched_ran(const struct sched_entity *e, u64 now_ns)
{
    u64 since = e->since_ns;

    return e->ran_ns + (e->state == SCHED_ON_CPU && now_ns > since ? now_ns - since : 0);
}

void sched_set_affinity(struct sched *s, struct sched_entity *e, u64 affinity, u64 now_ns)
{
    struct sched_cpu *c = lock_queue(s, e);
    bool moves;

    e->affinity = affinity;
    moves = !(affinity & bit(e->cpu));
    if (moves && e->state == SCHED_ON_CPU)
        poke(s, e->cpu);
    moves = moves && (e->state == SCHED_WAITING || e->state == SCHED_PARKED);
    if (moves) {
        take_out(c, e);
        fall_asleep(e);
    }
    spin_unlock(&c->lock);
    if (moves)
        sched_release(s, e, 0, SCHED_NO_WAKER, now_ns);
}
