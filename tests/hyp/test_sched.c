/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's core driven by a model machine (H03): CPUs pick when they must, spinners
 * spin, sleepers sleep. Shares by weight and cap within 2 %, pinning, stealing, hand-over,
 * no work for blocked entities; and random runs that check that nothing is lost or doubled.
 */
#include "base/keyed.h"
#include "tests/hyp/cpus.h"

static u64 ran(u32 i)
{
    return sched_ran(&entity[i], now);
}

#define CHECK_SHARE(i, wanted, per_mille)                                              \
    do {                                                                               \
        u64 is = ran(i), should = (wanted);                                            \
        CHECK(is * 1000 >= should * (1000 - (per_mille)));                             \
        CHECK(is * 1000 <= should * (1000 + (per_mille)));                             \
        if (is * 1000 < should * (1000 - (per_mille)) ||                               \
            is * 1000 > should * (1000 + (per_mille)))                                 \
            printf("  entity %u ran %llu of %llu wanted\n", i, (unsigned long long)is, \
                   (unsigned long long)should);                                        \
    } while (0)

#define SECOND 1000000000ull

static void two_spinners_share_a_cpu(void)
{
    begin(1, SCHED_SLICE_NS);
    wake(0, SCHED_NO_WAKER);
    wake(1, SCHED_NO_WAKER);
    run_until(now + SECOND);
    CHECK_SHARE(0, SECOND / 2, 20);
    CHECK_SHARE(1, SECOND / 2, 20);
}

static void weights_set_the_shares(void)
{
    static const u32 weight[] = {256, 512, 1024, 128};
    u64 sum = 256 + 512 + 1024 + 128;

    begin(1, SCHED_SLICE_NS);
    for (u32 i = 0; i < 4; i++) {
        CHECK(sched_group_set(&group[i], weight[i], 0, now));
        wake(i, SCHED_NO_WAKER);
    }
    run_until(now + 4 * SECOND);
    for (u32 i = 0; i < 4; i++)
        CHECK_SHARE(i, 4 * SECOND * weight[i] / sum, 20);
    CHECK(!sched_group_set(&group[0], 0, 0, now));
    CHECK(!sched_group_set(&group[0], 65536, 0, now));
}

static void a_groups_entities_share_its_weight(void)
{
    begin(1, SCHED_SLICE_NS);
    entity[1].group = entity[2].group = &group[0];
    wake(0, SCHED_NO_WAKER);
    wake(1, SCHED_NO_WAKER);
    wake(2, SCHED_NO_WAKER);
    wake(3, SCHED_NO_WAKER); /* alone in its group: half of the CPU */
    run_until(now + 3 * SECOND);
    CHECK_SHARE(3, 3 * SECOND / 2, 20);
    for (u32 i = 0; i < 3; i++)
        CHECK_SHARE(i, SECOND / 2, 20);
}

static void caps_are_kept(void)
{
    static const u32 caps[] = {1, 10, 25, 50, 73};

    for (u32 i = 0; i < ARRAY_SIZE(caps); i++) {
        begin(1, SCHED_SLICE_NS);
        CHECK(sched_group_set(&group[0], 256, caps[i], now));
        wake(0, SCHED_NO_WAKER); /* alone, and yet no more than its cap */
        run_until(now + 4 * SECOND);
        CHECK_SHARE(0, 4 * SECOND * caps[i] / 100, 20);
    }
    begin(2, SCHED_SLICE_NS);
    CHECK(sched_group_set(&group[0], 256, 30, now));
    wake(0, SCHED_NO_WAKER);
    wake(1, SCHED_NO_WAKER);
    run_until(now + 4 * SECOND);
    CHECK_SHARE(0, 4 * SECOND * 30 / 100, 20);
    CHECK_SHARE(1, 4 * SECOND, 20);
    begin(2, SCHED_SLICE_NS); /* more than one CPU's worth */
    entity[1].group = entity[2].group = &group[0];
    CHECK(sched_group_set(&group[0], 256, 150, now));
    for (u32 i = 0; i < 3; i++)
        wake(i, SCHED_NO_WAKER);
    run_until(now + 4 * SECOND);
    CHECK((ran(0) + ran(1) + ran(2)) * 1000 >= 4 * SECOND * 150 / 100 * 980);
    CHECK((ran(0) + ran(1) + ran(2)) * 1000 <= 4 * SECOND * 150 / 100 * 1020);
}

static void three_spinners_share_two_cpus(void)
{
    begin(2, SCHED_SLICE_NS);
    for (u32 i = 0; i < 3; i++)
        wake(i, SCHED_NO_WAKER);
    run_until(now + 6 * SECOND);
    for (u32 i = 0; i < 3; i++)
        CHECK_SHARE(i, 4 * SECOND, 20);
}

/* When a run begins, the clock goes back to 0: nobody has run or idled for the time of the boot,
 * and who ran all through it is no worse off. */
static void time_begins_anew(void)
{
    begin(2, SCHED_SLICE_NS);
    now = 3 * SECOND;
    wake(0, SCHED_NO_WAKER);
    run_until(now + SECOND);
    CHECK_EQ(s.cpu[1].idle_since_ns, 1000);
    now = 0;
    sched_restart(&s, now);
    CHECK_EQ(ran(0), 0);
    sched_set_affinity(&s, &entity[0], 1, now);
    sched_set_affinity(&s, &entity[2], 1, now);
    wake(2, SCHED_NO_WAKER);
    CHECK(!poked[0]); /* it waits its turn */
    run_until(now + SECOND);
    CHECK_SHARE(0, SECOND / 2, 40);
    CHECK_SHARE(2, SECOND / 2, 40);
    CHECK_EQ(s.cpu[1].idle_since_ns, 0);
    CHECK_EQ(s.cpu[1].idle_ns, 0);
}

static void no_cpu_idles_while_somebody_waits(void)
{
    begin(4, SCHED_SLICE_NS);
    for (u32 i = 0; i < 4; i++) { /* all born on CPU 0's queue */
        sched_entity_init(&entity[i], &group[i], 0);
        wake(i, SCHED_NO_WAKER);
    }
    run_until(now + SECOND);
    for (u32 i = 0; i < 4; i++)
        CHECK_SHARE(i, SECOND, 20);
}

static void pinned_entities_stay(void)
{
    begin(2, SCHED_SLICE_NS);
    for (u32 i = 0; i < 4; i++) {
        wake(i, SCHED_NO_WAKER);
        sched_set_affinity(&s, &entity[i], i < 3 ? 1 : 2, now);
    }
    run_until(now + 3 * SECOND);
    for (u32 i = 0; i < 3; i++)
        CHECK_SHARE(i, SECOND, 25);
    CHECK_SHARE(3, 3 * SECOND, 10);
    sched_set_affinity(&s, &entity[2], 2, now);
    run_until(now + SECOND / 10);
    CHECK_EQ(entity[2].cpu, 1);
    CHECK_EQ(entity[0].cpu, 0);
}

/* A steal must look past a pinned head: entity 1 is pinned to CPU 0 and lags most. */
static void stealing_passes_over_the_pinned(void)
{
    begin(2, SCHED_SLICE_NS);
    for (u32 i = 0; i < 3; i++) {
        sched_entity_init(&entity[i], &group[i], 0);
        entity[i].affinity = i < 2 ? 1 : 3;
    }
    for (u32 i = 0; i < 3; i++)
        wake(i, SCHED_NO_WAKER);
    run_until(now + 2 * SECOND);
    CHECK_SHARE(0, SECOND, 25);
    CHECK_SHARE(1, SECOND, 25);
    CHECK_SHARE(2, 2 * SECOND, 25);
}

static void a_blocked_entity_costs_nothing(void)
{
    begin(1, SCHED_SLICE_NS);
    wake(0, SCHED_NO_WAKER);
    settle();
    CHECK_EQ(sched_deadline(&s, 0), SCHED_NEVER); /* alone: no slice, no tick */
    sched_hold(&s, &entity[0], SCHED_HOLD_BLOCKED);
    settle();
    CHECK_EQ(entity[0].state, SCHED_ASLEEP);
    CHECK_EQ(sched_deadline(&s, 0), SCHED_NEVER);
    picks = 0;
    run_until(now + 100 * SECOND);
    CHECK_EQ(picks, 0);
    CHECK(sched_is_off(&entity[0]));
}

static void a_woken_entity_follows_its_waker(void)
{
    begin(2, SCHED_SLICE_NS);
    wake(0, SCHED_NO_WAKER);
    wake(2, SCHED_NO_WAKER); /* somebody else waits on CPU 0 too */
    sched_set_affinity(&s, &entity[2], 1, now);
    settle();
    for (u32 turn = 0; turn < 100; turn++) { /* 0 and 3 play ping-pong beside the spinner */
        u32 cpu = entity[turn & 1 ? 3 : 0].cpu;

        if (on[cpu] != &entity[turn & 1 ? 3 : 0])
            continue;
        now += 1000;
        wake(turn & 1 ? 0 : 3, cpu);
        sched_hold(&s, &entity[turn & 1 ? 3 : 0], SCHED_HOLD_BLOCKED);
        pick(cpu);
        CHECK(on[cpu] == &entity[turn & 1 ? 0 : 3]);
    }
}

/* The straight path of two that hand the one CPU over keeps the same accounts as any other turn:
 * with a cap, which takes the general one, everything is as without. */
static void two_hand_the_cpu_over(void)
{
    u64 spent[2][2] = {{0}}, wanted[2] = {0};

    for (u32 capped = 0; capped < 2; capped++) {
        begin(1, SCHED_SLICE_NS);
        CHECK(!capped || sched_group_set(&group[0], 256, 100, now));
        wake(0, SCHED_NO_WAKER);
        settle();
        for (u32 turn = 0; turn < 1000; turn++) {
            u32 from = turn & 1, to = !from;

            CHECK(on[0] == &entity[from]);
            now += 100 + turn % 7;
            wanted[from] += capped ? 0 : 100 + turn % 7;
            wake(to, 0);
            CHECK_EQ(entity[to].state, SCHED_WAITING);
            CHECK(sched_deadline(&s, 0) != SCHED_NEVER); /* its waker might go on */
            sched_hold(&s, &entity[from], SCHED_HOLD_BLOCKED);
            pick(0);
            CHECK_EQ(entity[from].state, SCHED_ASLEEP);
            CHECK_EQ(group[from].runnable, 0);
            CHECK_EQ(group[to].runnable, 1);
            CHECK_EQ(s.cpu[0].load, 0);
            CHECK(!s.cpu[0].handed && !order_first(&s.cpu[0].waiting));
            CHECK(capped || sched_deadline(&s, 0) == SCHED_NEVER);
        }
        for (u32 i = 0; i < 2; i++) {
            spent[capped][i] = entity[i].vtime;
            CHECK_EQ(ran(i), wanted[i]);
        }
    }
    CHECK_EQ(spent[0][0], spent[1][0]);
    CHECK_EQ(spent[0][1], spent[1][1]);
}

/* Where nobody else could take what was woken, it goes before a waker that computes on, after a
 * short while and not at the end of the slice; one that has had its share does not. */
static void a_waker_that_goes_on_lets_the_woken_in(void)
{
    for (u32 count = 1; count <= 2; count++) {
        begin(count, SCHED_SLICE_NS);
        sched_set_affinity(&s, &entity[0], 1, now);
        sched_set_affinity(&s, &entity[2], 1, now);
        wake(0, SCHED_NO_WAKER);
        if (count == 2)
            wake(1, SCHED_NO_WAKER);
        run_until(now + SECOND);
        CHECK(on[0] == &entity[0] && ran(2) == 0);
        wake(2, 0);
        run_until(now + (count == 1 ? SCHED_ALONE_NS : SCHED_HANDOVER_NS) - 1);
        CHECK(on[0] == &entity[0]);
        run_until(now + 1);
        CHECK(on[0] == &entity[2]);
        run_until(now + SECOND);
        CHECK_SHARE(2, SECOND / 2, 20);
        while (on[0] == &entity[2])
            run_until(now + 1000);
        sched_hold(&s, &entity[2], SCHED_HOLD_BLOCKED);
        wake(2, 0);
        run_until(now + SCHED_ALONE_NS + 1);
        CHECK(on[0] == &entity[0]);
    }
}

static void ping_pong_does_not_starve_a_spinner(void)
{
    u64 end;

    begin(1, SCHED_SLICE_NS);
    wake(2, SCHED_NO_WAKER);
    wake(0, SCHED_NO_WAKER);
    settle();
    for (end = now + SECOND; now < end;) {
        if (on[0] == &entity[2] || !on[0]) {
            run_until(now + 100000);
            continue;
        }
        now += 5000;
        wake(on[0] == &entity[0] ? 1 : 0, 0);
        sched_hold(&s, on[0], SCHED_HOLD_BLOCKED);
        pick(0);
    }
    CHECK(ran(2) > SECOND * 30 / 100); /* two thirds would be the pair's at most */
    CHECK(ran(0) + ran(1) > SECOND * 30 / 100);
}

/* Two that hand each other the CPU all the time, one of which sends something to a third, who slept:
 * it gets its turn as soon as it would pre-empt either, and so it does each time. */
static void ping_pong_lets_the_woken_in(void)
{
    begin(1, SCHED_SLICE_NS);
    wake(0, SCHED_NO_WAKER);
    settle();
    for (u32 round = 0; round < 50; round++) {
        u64 woken = 0;

        for (u32 turn = 0; turn < 1000 && on[0] != &entity[2]; turn++) {
            struct sched_entity *from = on[0];

            now += 5000;
            wake(from == &entity[0] ? 1 : 0, 0);
            if (turn == 200)
                wake(2, 0);
            woken = turn == 200 ? now : woken;
            sched_hold(&s, from, SCHED_HOLD_BLOCKED);
            pick(0);
        }
        CHECK(on[0] == &entity[2]);
        CHECK(now - woken <= SCHED_WAKE_NS);
        now += 20000;
        sched_hold(&s, &entity[2], SCHED_HOLD_BLOCKED);
        pick(0);
    }
}

/* The spinner on CPU 0 is five seconds of virtual time ahead of the one that begins later on
 * CPU 1. A sleeper that the first one wakes takes over its CPU's virtual time; woken by the other
 * and pinned there, it must not wait for all that distance. */
static void a_sleeper_that_moves_is_not_late(void)
{
    u64 latest = 0;

    begin(2, SCHED_SLICE_NS);
    entity[0].affinity = 1;
    entity[1].affinity = 2;
    wake(0, SCHED_NO_WAKER);
    run_until(now + 5 * SECOND);
    wake(1, SCHED_NO_WAKER);
    run_until(now + SECOND / 10);
    for (u32 turn = 0; turn < 20; turn++) {
        u64 woken = now;

        if (turn == 10)
            sched_set_affinity(&s, &entity[2], 2, now);
        wake(2, turn < 10 ? 0 : 1);
        while (entity[2].state != SCHED_ON_CPU && now < woken + 10 * SECOND)
            run_until(now + 100000);
        latest = now - woken > latest ? now - woken : latest;
        run_until(now + 200000);
        sched_hold(&s, &entity[2], SCHED_HOLD_BLOCKED);
        run_until(now + 2000000);
    }
    CHECK(latest <= 2 * SCHED_SLICE_NS);
}

/* Who runs alone is not charged, for nobody asks: the time when somebody comes counts from then. */
static void time_alone_is_no_debt(void)
{
    u64 before;

    begin(1, SCHED_SLICE_NS);
    wake(0, SCHED_NO_WAKER);
    run_until(now + 10 * SECOND);
    before = ran(0);
    wake(1, SCHED_NO_WAKER);
    run_until(now + SECOND / 5);
    CHECK((ran(0) - before) * 10 > SECOND / 5 * 4);
    CHECK(ran(1) * 10 > SECOND / 5 * 4);
}

/* CPU 0's virtual time is far ahead of CPU 1's, because what ran there alone weighs little. */
static void cpus_share_alike_after_they_were_apart(void)
{
    u64 before[3];

    begin(2, SCHED_SLICE_NS);
    CHECK(sched_group_set(&group[3], 8, 0, now));
    wake(3, SCHED_NO_WAKER);
    sched_set_affinity(&s, &entity[3], 1, now);
    run_until(now + 5 * SECOND);
    wake(4, SCHED_NO_WAKER); /* makes CPU 0 look at the time */
    run_until(now + SECOND / 10);
    for (u32 i = 0; i < 3; i++)
        wake(i, SCHED_NO_WAKER);
    for (u32 i = 3; i < 5; i++)
        sched_hold(&s, &entity[i], SCHED_HOLD_BLOCKED);
    run_until(now + SECOND / 10);
    for (u32 i = 0; i < 3; i++)
        before[i] = ran(i);
    run_until(now + 3 * SECOND);
    for (u32 i = 0; i < 3; i++) {
        entity[i].ran_ns -= before[i];
        CHECK_SHARE(i, 2 * SECOND, 25);
    }
}

/* Stolen by an idle CPU from one that is far ahead, an entity is not far ahead there. */
static void a_stolen_one_keeps_its_distance(void)
{
    u64 before;

    begin(2, SCHED_SLICE_NS);
    CHECK(sched_group_set(&group[0], 8, 0, now));
    sched_entity_init(&entity[1], &group[1], 0);
    wake(0, SCHED_NO_WAKER);
    wake(1, SCHED_NO_WAKER);
    sched_set_affinity(&s, &entity[0], 1, now);
    sched_set_affinity(&s, &entity[1], 1, now);
    run_until(now + SECOND);
    sched_set_affinity(&s, &entity[1], 3, now);
    while (entity[1].cpu == 0) /* beside 0, until CPU 1 takes it */
        run_until(now + 100000);
    sched_set_affinity(&s, &entity[1], 2, now);
    sched_set_affinity(&s, &entity[3], 2, now);
    now += 100000;
    wake(3, SCHED_NO_WAKER);
    before = ran(1);
    run_until(now + SECOND / 2);
    entity[1].ran_ns -= before;
    CHECK_SHARE(1, SECOND / 4, 50);
}

/* vCPUs of one domain spin for each other: the one that is woken goes where a CPU is free,
 * and does not wait for its waker to block. */
static void a_sibling_does_not_wait_for_its_waker(void)
{
    begin(3, SCHED_SLICE_NS);
    entity[1].group = &group[0];
    wake(0, SCHED_NO_WAKER);
    settle();
    for (u32 turn = 0; turn < 10; turn++) {
        now += 100000;
        wake(1, entity[0].cpu);
        settle();
        CHECK_EQ(entity[1].state, SCHED_ON_CPU);
        now += 10000;
        sched_hold(&s, &entity[1], SCHED_HOLD_BLOCKED);
        settle();
    }
    begin(1, SCHED_SLICE_NS);
    entity[1].group = &group[0];
    wake(0, SCHED_NO_WAKER);
    settle();
    looks = 0;
    wake(1, 0);
    CHECK(looks > 0); /* whoever spins is to be watched from now on */
}

static void discrete_time_runs_until_blocked(void)
{
    begin(1, 0);
    CHECK(sched_group_set(&group[0], 256, 5, now));
    for (u32 i = 0; i < 3; i++)
        wake(i, SCHED_NO_WAKER);
    settle();
    for (u32 i = 0; i < 3; i++) {
        CHECK(on[0] == &entity[i]); /* first come, first served */
        CHECK_EQ(sched_deadline(&s, 0), SCHED_NEVER);
        sched_hold(&s, &entity[i], SCHED_HOLD_BLOCKED);
        pick(0);
    }
    CHECK(!on[0]);
}

/* --- random runs ------------------------------------------------------------------------- */

static u64 draw(u64 seed, u64 step, u64 what, u64 limit)
{
    return keyed_below(seed, step, what, limit);
}

static void anything_may_happen(void)
{
    for (u64 seed = 0; seed < test_length(60, 4000); seed++) {
        u32 count = 1 + (u32)draw(seed, 0, 0, 12);

        begin(1 + (u32)draw(seed, 0, 1, 4), draw(seed, 0, 2, 4) ? SCHED_SLICE_NS : 0);
        for (u64 step = 1; step < 400; step++) {
            struct step t = {.what = (u32)draw(seed, step, 2, 8),
                             .entity = (u32)draw(seed, step, 0, count),
                             .cpu = (u32)draw(seed, step, 1, cpus),
                             .more = draw(seed, step, 3, 1ull << 40),
                             .most = draw(seed, step, 4, 1ull << 40)};

            happen(&t, count);
            if (checks_failed)
                return;
        }
    }
}

TESTS(CASE(two_spinners_share_a_cpu), CASE(weights_set_the_shares),
      CASE(a_groups_entities_share_its_weight), CASE(caps_are_kept),
      CASE(three_spinners_share_two_cpus), CASE(no_cpu_idles_while_somebody_waits),
      CASE(time_begins_anew), CASE(pinned_entities_stay), CASE(stealing_passes_over_the_pinned),
      CASE(a_blocked_entity_costs_nothing), CASE(a_woken_entity_follows_its_waker),
      CASE(two_hand_the_cpu_over), CASE(a_waker_that_goes_on_lets_the_woken_in),
      CASE(ping_pong_does_not_starve_a_spinner), CASE(ping_pong_lets_the_woken_in),
      CASE(a_sleeper_that_moves_is_not_late), CASE(time_alone_is_no_debt),
      CASE(cpus_share_alike_after_they_were_apart), CASE(a_stolen_one_keeps_its_distance),
      CASE(a_sibling_does_not_wait_for_its_waker), CASE(discrete_time_runs_until_blocked),
      CASE(anything_may_happen))
