/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A model machine around the scheduler's core: CPUs pick when they must, time jumps to the next
 * deadline, and whatever has happened, nobody is lost or in two places.
 */
#ifndef TESTS_HYP_CPUS_H
#define TESTS_HYP_CPUS_H

#include "hyp/dom/sched.h"
#include "tests/check.h"

enum { MOST = 64 }; /* entities, each with a group */

static struct sched s;
static struct sched_group group[MOST];
static struct sched_entity entity[MOST];
static struct sched_entity *on[SCHED_CPUS];
static bool poked[SCHED_CPUS];
static u32 cpus, picks, looks;
static u64 now;

/* The core's pokes, instead of the hypervisor's (this object comes before the library's). */
void sched_poke(u32 cpu, struct sched_entity *running)
{
    (void)running;
    poked[cpu] = true;
}

void sched_deadline_moved(u32 cpu, u64 deadline_ns)
{
    (void)cpu;
    looks += deadline_ns <= now;
}

static bool wants_pick(u32 cpu)
{
    return s.cpu[cpu].look_again || poked[cpu];
}

static void pick(u32 cpu)
{
    poked[cpu] = false;
    on[cpu] = sched_pick(&s, cpu, now);
    picks++;
    if (on[cpu]) {
        CHECK_EQ(on[cpu]->state, SCHED_ON_CPU);
        CHECK_EQ(on[cpu]->cpu, cpu);
        CHECK(on[cpu]->affinity >> cpu & 1);
        CHECK_EQ(on[cpu]->hold, 0);
    }
    for (u32 other = 0; other < cpus; other++)
        CHECK(other == cpu || !on[cpu] || on[other] != on[cpu]);
}

static void begin(u32 count, u64 slice)
{
    sched_init(&s, slice);
    memset(on, 0, sizeof(on));
    memset(poked, 0, sizeof(poked));
    cpus = count;
    now = 1000;
    picks = 0;
    for (u32 i = 0; i < MOST; i++) {
        sched_group_init(&group[i]);
        sched_entity_init(&entity[i], &group[i], i % count);
    }
    for (u32 i = 0; i < count; i++)
        sched_cpu_online(&s, i, now);
    for (u32 i = 0; i < count; i++)
        pick(i);
}

static void wake(u32 i, u32 waker)
{
    sched_release(&s, &entity[i], SCHED_HOLD_DOWN | SCHED_HOLD_BLOCKED, waker, now);
}

static void settle(void)
{
    for (u32 turn = 0; turn < 8; turn++)
        for (u32 cpu = 0; cpu < cpus; cpu++)
            if (wants_pick(cpu) || (on[cpu] && on[cpu]->hold))
                pick(cpu);
}

/* Time passes to the next deadline, or to `until`. */
static void run_until(u64 until)
{
    settle();
    while (now < until) {
        u64 next = until;

        for (u32 cpu = 0; cpu < cpus; cpu++) {
            u64 deadline = sched_deadline(&s, cpu);

            next = deadline < next ? deadline : next;
        }
        now = next > now ? next : now + 1;
        for (u32 cpu = 0; cpu < cpus; cpu++)
            if (sched_expired(&s, cpu, now))
                pick(cpu);
        settle();
    }
}

static void check_all(u32 count)
{
    for (u32 i = 0; i < count; i++) {
        u32 running = 0;

        for (u32 cpu = 0; cpu < cpus; cpu++)
            running += on[cpu] == &entity[i];
        CHECK(running <= 1);
        CHECK_EQ(running, entity[i].state == SCHED_ON_CPU);
        CHECK_EQ(order_in(&entity[i].node),
                 entity[i].state == SCHED_WAITING || entity[i].state == SCHED_PARKED);
        if (entity[i].hold)
            CHECK(entity[i].state == SCHED_ASLEEP || entity[i].state == SCHED_ON_CPU);
        else
            CHECK(entity[i].state != SCHED_ASLEEP);
    }
}

/* Anything that may happen: which of eight things, to whom, where, and two numbers more. */
struct step {
    u32 what, entity, cpu;
    u64 more, most;
};

static void happen(const struct step *t, u32 count)
{
    u32 i = t->entity % count, cpu = t->cpu % cpus;

    switch (t->what % 8) {
    case 0: sched_hold(&s, &entity[i], SCHED_HOLD_BLOCKED); break;
    case 1: wake(i, on[cpu] ? cpu : SCHED_NO_WAKER); break;
    case 2: wake(i, SCHED_NO_WAKER); break;
    case 3: sched_give_way(&s, cpu, now); break;
    case 4: sched_set_affinity(&s, &entity[i], 1 + t->more % ((1u << cpus) - 1), now); break;
    case 5:
        sched_group_set(&group[i], 1 + (u32)(t->more % 1000), (u32)(t->most % 3) * 30, now);
        break;
    default: run_until(now + t->more % 10000000); break;
    }
    settle();
    check_all(count);
}

#endif
