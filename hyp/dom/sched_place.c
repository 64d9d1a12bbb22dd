/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler between several CPUs: where a woken entity goes, what an idle CPU takes from the
 * others, who is asked to come. Two queues' locks are held one after the other, or the second is
 * only tried.
 */
#include "hyp/dom/sched_parts.h"

/* A CPU without competition does not fall far behind the one that is furthest, so that the times
 * of those that wait here and there can be compared: a small distance is somebody's arrears, a
 * large one comes from having run alone. */
void sched_keep_up(struct sched *s, struct sched_cpu *c, struct sched_entity *e)
{
    u64 least = c->floor;

    for (u64 others = s->online; others; others &= others - 1) {
        u64 floor = floor_of(&s->cpu[__builtin_ctzll(others)]);

        least = MAX(least, floor - MIN(floor, STOLEN_BEHIND_NS));
    }
    e->vtime += least - c->floor;
    __atomic_store_n(&c->floor, least, __ATOMIC_RELAXED);
}

void sched_poke_idle(struct sched *s, u64 allowed, u32 not_this)
{
    u64 idle = __atomic_load_n(&s->idle, __ATOMIC_SEQ_CST) & allowed & ~bit(not_this);
    u32 cpu;

    if (!idle)
        return;
    cpu = (u32)__builtin_ctzll(idle);
    __atomic_store_n(&s->cpu[cpu].look_again, true, __ATOMIC_SEQ_CST);
    sched_poke(cpu, NULL);
}

struct sched_cpu *sched_lock_queue(struct sched *s, struct sched_entity *e)
{
    for (;;) {
        u32 cpu = __atomic_load_n(&e->cpu, __ATOMIC_RELAXED);

        spin_lock(&s->cpu[cpu].lock);
        if (e->cpu == cpu)
            return &s->cpu[cpu];
        spin_unlock(&s->cpu[cpu].lock);
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

void sched_release_somewhere(struct sched *s, struct sched_entity *e, u32 waker, u64 now_ns)
{
    struct sched_cpu *c = sched_lock_queue(s, e);
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
    sched_announce(s, cpu, e, waker, now_ns);
    spin_unlock(&c->lock);
}

/* The entity of another queue that CPU `cpu` should run instead of waiting or of `mine`.
 * Found, it is in this CPU's queue. Queues that are busy just now are left alone. */
struct sched_entity *sched_steal(struct sched *s, u32 cpu, const struct sched_entity *mine)
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

/* Somebody waits here: a CPU whose entity is far ahead of the one that waits longest is asked
 * to look, and will steal it. A CPU that runs alone has no slice and would not look itself. */
void sched_offer(struct sched *s, u32 cpu, u64 now_ns)
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

void sched_set_affinity(struct sched *s, struct sched_entity *e, u64 affinity, u64 now_ns)
{
    struct sched_cpu *c = sched_lock_queue(s, e);
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
