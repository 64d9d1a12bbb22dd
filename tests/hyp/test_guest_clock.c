/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks that are wrong on demand (H20, F25): what a guest reads and what its timers wait for go by
 * one line; it can be moved, bent and stopped at any time, deadlines move along; other domains' stay
 * right.
 */
#include "base/keyed.h"
#include "hyp/dom/timer.h"
#include "hyp/dom/timers.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

#define SECOND 1000000000ull

static struct domain *control, *d, *other;

static void begin(void)
{
    world_init(2);
    control = world_domain(0, 1, 64);
    d = world_domain(1, 2, 64);
    other = world_domain(2, 1, 64);
    world.now_ns = 100 * SECOND;
}

static void end(void)
{
    world_end(other);
    world_end(d);
    world_end(control);
}

static s64 skew_op(struct osm_skew *s)
{
    return world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_skew, s, sizeof(*s));
}

/* As the control domain does it: stop, set, let go. */
static void skew(s64 step_ns, s32 ppm)
{
    struct osm_skew s = {.domid = 1, .rate_ppm = ppm, .step_ns = step_ns};

    domain_pause(d);
    CHECK_EQ(skew_op(&s), 0);
    CHECK_EQ(domain_unpause(d), 0);
}

/* What the guest reads: its pvclock at the TSC of this moment. */
static u64 reads(struct domain *of, u32 vcpu)
{
    const struct vcpu_time_info *t = &of->vcpu[vcpu]->info->time;
    u64 ticks = world.now_ns - t->tsc_timestamp;

    ticks = t->tsc_shift < 0 ? ticks >> -t->tsc_shift : ticks << t->tsc_shift;
    return t->system_time + (u64)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
}

static bool near(u64 a, u64 b)
{
    return a - b + 1000 <= 2000;
}

static void a_step_and_a_rate(void)
{
    begin();
    vcpu_update_time(d->vcpu[0]);
    CHECK_EQ(reads(d, 0), 100 * SECOND);
    skew(-40 * (s64)SECOND, 0);
    CHECK_EQ(reads(d, 0), 60 * SECOND);
    CHECK_EQ(reads(d, 1), 60 * SECOND);
    world.now_ns += SECOND;
    CHECK(near(reads(d, 0), 61 * SECOND));
    skew(0, 1000000); /* twice as fast */
    world.now_ns += SECOND;
    CHECK(near(reads(d, 0), 63 * SECOND));
    skew(0, -500000);
    world.now_ns += 2 * SECOND;
    CHECK(near(reads(d, 0), 64 * SECOND));
    skew(0, 9000000);
    world.now_ns += SECOND;
    CHECK(near(reads(d, 0), 74 * SECOND));
    skew(5 * SECOND, 0);
    world.now_ns += SECOND;
    CHECK(near(reads(d, 1), 80 * SECOND));
    skew(-1000 * (s64)SECOND, 0); /* not below nothing */
    CHECK_EQ(reads(d, 0), 0);
    vcpu_update_time(other->vcpu[0]);
    CHECK_EQ(reads(other, 0), 105 * SECOND + SECOND);
    end();
}

/* A deadline is met when the guest's clock shows it, wherever the clock goes meanwhile. */
static void timers_go_by_it(void)
{
    struct vcpu *v;

    begin();
    v = d->vcpu[0];
    skew(0, 1000000);
    vcpu_set_timer_op(v, 110 * SECOND); /* ten of its seconds: five */
    CHECK(near(v->single.node.key, 105 * SECOND));
    skew(4 * SECOND, 0); /* six left, at the true rate */
    CHECK(near(v->single.node.key, 106 * SECOND));
    skew(-4 * (s64)SECOND, -500000); /* ten left, at half of it */
    CHECK(near(v->single.node.key, 120 * SECOND));
    skew(60 * SECOND, 0);
    CHECK_EQ(v->single.node.key, world.now_ns); /* over: at once */
    timer_run(v->cpu, world.now_ns);
    CHECK(!timer_is_set(&v->single));
    CHECK_EQ(vcpu_set_periodic(v, 10000000), 0);
    CHECK(near(v->periodic.node.key, world.now_ns + 10000000));
    skew(0, 1000000);
    CHECK_EQ(vcpu_set_periodic(v, 10000000), 0);
    CHECK(near(v->periodic.node.key, world.now_ns + 5000000));
    CHECK_EQ(vcpu_set_periodic(v, 0), 0);
    end();
}

/* It stands, and all that waits by it waits; what is over by then is over. Then it goes on from there. */
static void it_stands_still(void)
{
    struct vcpu *v;

    begin();
    v = d->vcpu[0];
    vcpu_set_timer_op(v, 110 * SECOND);
    CHECK_EQ(vcpu_set_periodic(v, SECOND), 0);
    skew(-10 * (s64)SECOND, -1000000);
    world.now_ns += 1000 * SECOND;
    vcpu_update_time(v);
    CHECK_EQ(v->info->time.tsc_to_system_mul, 0);
    CHECK_EQ(reads(d, 0), 90 * SECOND);
    CHECK_EQ(reads(d, 1), 90 * SECOND);
    timer_run(v->cpu, world.now_ns);
    CHECK(timer_is_set(&v->single) && timer_is_set(&v->periodic));
    vcpu_set_timer_op(d->vcpu[1], 80 * SECOND);
    timer_run(d->vcpu[1]->cpu, world.now_ns);
    CHECK(!timer_is_set(&d->vcpu[1]->single));
    vcpu_set_timer_op(d->vcpu[1], 95 * SECOND);
    skew(2 * SECOND, -1000000); /* set while it stands */
    CHECK_EQ(reads(d, 0), 92 * SECOND);
    skew(0, 0);
    CHECK_EQ(reads(d, 0), 92 * SECOND);
    CHECK_EQ(v->single.node.key, world.now_ns + 18 * SECOND);
    CHECK_EQ(v->periodic.node.key, world.now_ns + 9 * SECOND); /* due at 101 of its seconds */
    CHECK_EQ(d->vcpu[1]->single.node.key, world.now_ns + 3 * SECOND);
    world.now_ns += SECOND;
    CHECK_EQ(reads(d, 0), 93 * SECOND);
    timer_run(v->cpu, world.now_ns + 8 * SECOND);
    CHECK(timer_is_set(&v->single) && v->periodic.node.key > world.now_ns + 8 * SECOND);
    end();
}

/* `when` is the first instant at which the clock shows so much. */
static void the_two_ways_agree(void)
{
    struct guest_clock c;
    struct osm_skew s;

    begin();
    for (u64 i = 0; i < 2000; i++) {
        u64 guest, when;

        s = (struct osm_skew){.domid = 1,
                              .rate_ppm = (s32)keyed_below(5, 1, i, 9990001) - 990000,
                              .step_ns = (s64)keyed_below(5, 2, i, 200 * SECOND) -
                                         100 * (s64)SECOND};
        CHECK_EQ(guest_clock_skew(d, &s), 0);
        c = d->clock;
        CHECK_EQ(s.system_ns, world.now_ns);
        CHECK_EQ(s.guest_ns, c.guest_ns);
        guest = c.guest_ns + keyed_below(5, 3, i, 1000 * SECOND);
        when = guest_clock_when(&c, guest);
        CHECK(guest_clock_shows(&c, when) >= guest);
        CHECK(when == c.system_ns || guest_clock_shows(&c, when - 2) < guest);
        world.now_ns += keyed_below(5, 4, i, SECOND);
        CHECK(near(reads(d, 0), guest_clock_shows(&d->clock, world.now_ns)));
    }
    end();
}

static void what_is_refused(void)
{
    struct osm_skew s = {.domid = 1};

    begin();
    CHECK_EQ(skew_op(&s), -XEN_EBUSY); /* it runs */
    s.domid = 0;
    CHECK_EQ(skew_op(&s), -XEN_EBUSY); /* oneself */
    s.domid = 77;
    CHECK_EQ(skew_op(&s), -XEN_ESRCH);
    domain_pause(d);
    s = (struct osm_skew){.domid = 1, .rate_ppm = -990001};
    CHECK_EQ(skew_op(&s), -XEN_EINVAL);
    s = (struct osm_skew){.domid = 1, .rate_ppm = -999999};
    CHECK_EQ(skew_op(&s), -XEN_EINVAL);
    s = (struct osm_skew){.domid = 1, .rate_ppm = -1000001};
    CHECK_EQ(skew_op(&s), -XEN_EINVAL);
    s = (struct osm_skew){.domid = 1, .rate_ppm = 9000001};
    CHECK_EQ(skew_op(&s), -XEN_EINVAL);
    s = (struct osm_skew){.domid = 1, .step_ns = (s64)(1ull << 63)};
    CHECK_EQ(skew_op(&s), -XEN_EINVAL);
    CHECK_EQ(d->clock.rate, 0);
    CHECK_EQ(world_op(other->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_skew, &s, sizeof(s)),
             -XEN_EPERM);
    end();
}

TESTS(CASE(a_step_and_a_rate), CASE(timers_go_by_it), CASE(it_stands_still),
      CASE(the_two_ways_agree), CASE(what_is_refused))
