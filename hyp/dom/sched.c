/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's core: see sched.h for the rules. Here is one CPU's turn.
 */
#include "hyp/dom/sched_parts.h"

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

void sched_restart(struct sched *s, u64 now_ns)
{
    for (u32 cpu = 0; cpu < SCHED_CPUS; cpu++) {
        struct sched_cpu *c = &s->cpu[cpu];

        if (!c->online)
            continue;
        spin_lock(&c->lock);
        if (c->running) {
            c->running->since_ns = now_ns;
            c->running->ran_ns = 0;
        }
        if (c->slice_end_ns != SCHED_NEVER)
            c->slice_end_ns = now_ns + s->slice_ns;
        if (c->handover_ns != SCHED_NEVER)
            c->handover_ns = now_ns + SCHED_ALONE_NS;
        c->idle_since_ns = now_ns;
        c->idle_ns = 0;
        spin_unlock(&c->lock);
    }
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

u64 sched_weighted(const struct sched_group *g, u64 sharers, u64 ran_ns)
{
    u64 factor = SCHED_WEIGHT * sharers, weight = g->weight;

    ran_ns = MIN(ran_ns, STRETCH_MOST_NS);
    return ran_ns / weight * factor + ran_ns % weight * factor / weight;
}

/* --- waking ------------------------------------------------------------------------ */

/* r runs, and e is so far behind it that it does not wait for the end of r's slice. */
static bool pre_empts(const struct sched_entity *e, const struct sched_entity *r, u64 now_ns)
{
    return e->vtime + SCHED_WAKE_NS < r->vtime + weighted(r, now_ns - r->since_ns);
}

void sched_announce(struct sched *s, u32 cpu, struct sched_entity *e, u32 waker, u64 now_ns)
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
        c->handover_ns = now_ns + (s->online & ~bit(cpu) ? SCHED_HANDOVER_NS : SCHED_ALONE_NS);
        sched_deadline_moved(cpu, c->handover_ns);
    } else if (pre_empts(e, r, now_ns)) {
        poke(s, cpu);
    } else {
        sched_poke_idle(s, e->affinity, cpu);
    }
}

/* The usual case of the above on the only CPU: what runs has woken e, of another group and the
 * first in its turn. */
static inline bool hand(struct sched *s, struct sched_cpu *c, struct sched_entity *e, u32 waker,
                        u64 now_ns)
{
    if (waker != e->cpu || !c->running || c->handed || !s->slice_ns ||
        c->slice_end_ns != SCHED_NEVER || e->group == c->running->group)
        return false;
    c->slice_end_ns = now_ns + s->slice_ns;
    c->handed = e;
    c->handover_ns = now_ns + SCHED_ALONE_NS;
    sched_deadline_moved(waker, c->handover_ns);
    return true;
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
        if (!hand(s, c, e, waker, now_ns))
            sched_announce(s, e->cpu, e, waker, now_ns);
    }
    spin_unlock(&c->lock);
}

void sched_release(struct sched *s, struct sched_entity *e, u32 why, u32 waker, u64 now_ns)
{
    if (__atomic_and_fetch(&e->hold, ~why, __ATOMIC_SEQ_CST))
        return;
    if (s->online == bit(e->cpu))
        release_here(s, e, waker, now_ns);
    else
        sched_release_somewhere(s, e, waker, now_ns);
}

void sched_hold(struct sched *s, struct sched_entity *e, u32 why)
{
    struct sched_cpu *c;

    __atomic_or_fetch(&e->hold, why, __ATOMIC_SEQ_CST);
    c = sched_lock_queue(s, e);
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

    if (sched_allowance(s, e->group, now_ns, &until))
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
 * blocked and nobody waits who would pre-empt it, else the one with least virtual time. */
static struct sched_entity *best_here(struct sched *s, struct sched_cpu *c, bool blocked,
                                      u64 now_ns)
{
    for (;;) {
        struct order_node *first = order_first(&c->waiting);
        struct sched_entity *e;

        if (!first)
            return NULL;
        e = container_of(first, struct sched_entity, node);
        if (c->handed && blocked && c->handed->vtime < e->vtime + SCHED_WAKE_NS)
            e = c->handed;
        if (!park(s, c, e, now_ns))
            return e;
    }
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
        sched_announce(s, to, e, SCHED_NO_WAKER, now_ns);
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
    u64 until, left = sched_allowance(s, e->group, now_ns, &until);

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
        sched_poke_idle(s, ~0ull, cpu);
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
        struct sched_entity *better = sched_steal(s, cpu, e);

        if (better && !park(s, c, better, now_ns))
            e = better;
    }
    if (e)
        run(s, cpu, e, now_ns);
    else
        go_idle(s, cpu, now_ns);
    if (e && !c->load && s->online & ~bit(cpu))
        sched_keep_up(s, c, e);
    if (c->load && s->slice_ns)
        sched_offer(s, cpu, now_ns);
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

/* The waker goes on. What it woke goes to a CPU that is idle, or before its waker as anybody
 * else who is woken would; true if this CPU should pick again. */
static bool end_handover(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct sched_entity *e = c->handed;

    c->handover_ns = SCHED_NEVER;
    c->handed = NULL;
    if (!c->running)
        return true;
    if (!e)
        return false;
    if (!(__atomic_load_n(&s->idle, __ATOMIC_SEQ_CST) & e->affinity & ~bit(cpu)))
        return pre_empts(e, c->running, now_ns);
    sched_poke_idle(s, e->affinity, cpu);
    return false;
}

bool sched_expired(struct sched *s, u32 cpu, u64 now_ns)
{
    struct sched_cpu *c = &s->cpu[cpu];
    struct order_node *first;
    bool expired;

    spin_lock(&c->lock);
    first = order_first(&c->parked);
    expired = now_ns >= c->slice_end_ns || (first && first->key <= now_ns);
    if (now_ns >= c->handover_ns)
        expired |= end_handover(s, cpu, now_ns);
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
