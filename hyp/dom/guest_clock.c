/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/guest_clock.h"
#include "hyp/abi/osmosis.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"

#define ONE       (1ull << 32)
#define MILLION   1000000ll
#define FAR_NS    (1ull << 62) /* no deadline lies beyond */
#define STEP_MOST (1ll << 60)

/* Parts of a million too fast. */
enum { RATE_STANDS = -1000000, RATE_LEAST = -990000, RATE_MOST = 9000000 };

static u64 scale(u64 ns, u64 rate)
{
    unsigned __int128 product = (unsigned __int128)ns * rate >> 32;

    return product > FAR_NS ? FAR_NS : (u64)product;
}

/* A clock that stands goes on at FAR_NS. */
u64 guest_clock_shows(const struct guest_clock *c, u64 system_ns)
{
    if (c->stands)
        return c->guest_ns + (system_ns > FAR_NS ? system_ns - FAR_NS : 0);
    if (system_ns < c->system_ns) /* another CPU looked a moment before the change */
        system_ns = c->system_ns;
    return c->guest_ns + scale(system_ns - c->system_ns, c->rate);
}

u64 guest_clock_lasts(const struct guest_clock *c, u64 guest_ns)
{
    return scale(guest_ns, c->back);
}

u64 guest_clock_when(const struct guest_clock *c, u64 guest_ns)
{
    u64 when;

    if (guest_ns <= c->guest_ns)
        return c->system_ns;
    if (c->stands)
        return FAR_NS + MIN(guest_ns - c->guest_ns, FAR_NS);
    when = c->system_ns + scale(guest_ns - c->guest_ns, c->back);
    while (guest_clock_shows(c, when) < guest_ns && when < FAR_NS)
        when++; /* the two rates are rounded */
    return when;
}

void guest_clock_line(const struct guest_clock *c, struct clock_sample *line)
{
    unsigned __int128 mul = (unsigned __int128)line->mul * c->rate >> 32;

    if (!c->rate)
        return;
    if (!line->mul || c->stands) { /* discrete-event time: the line is this instant */
        line->system_ns = guest_clock_shows(c, line->system_ns);
        line->mul = 0;
        return;
    }
    for (; mul >= ONE; mul >>= 1)
        line->shift++;
    line->tsc = c->tsc;
    line->system_ns = c->guest_ns;
    line->mul = (u32)mul;
}

/* A timer of the guest's keeps its instant by the guest's clock. */
static void move(struct timer *t, const struct guest_clock *old, const struct guest_clock *new)
{
    if (timer_is_set(t))
        timer_set(t, t->cpu, guest_clock_when(new, guest_time(old, t->node.key)));
}

int guest_clock_skew(struct domain *d, struct osm_skew *s)
{
    const struct guest_clock old = d->clock;
    struct guest_clock new;
    s64 step = s->step_ns, speed = MILLION + s->rate_ppm;

    new.stands = s->rate_ppm == RATE_STANDS;
    if ((s->rate_ppm < RATE_LEAST && !new.stands) || s->rate_ppm > RATE_MOST ||
        step > STEP_MOST || step < -STEP_MOST)
        return -XEN_EINVAL;
    new.rate = new.stands ? ONE : ONE *(u64)speed / MILLION;
    new.back = new.stands ? ONE : ONE *MILLION / (u64)speed;
    new.system_ns = clock_instant(&new.tsc);
    new.guest_ns = guest_time(&old, new.system_ns);
    if (step < 0)
        new.guest_ns -= MIN(new.guest_ns, (u64)-step);
    else
        new.guest_ns += (u64)step;
    d->clock = new;
    for (u32 i = 0; i < d->vcpu_count; i++) {
        move(&d->vcpu[i]->single, &old, &new);
        move(&d->vcpu[i]->periodic, &old, &new);
        move(&d->vcpu[i]->poll_timer, &old, &new);
        vcpu_update_time(d->vcpu[i]);
    }
    trace_write(OSM_T_skew, d->id, 0, (u64)s->step_ns, (u64)s->rate_ppm);
    s->system_ns = new.system_ns;
    s->guest_ns = new.guest_ns;
    s->back = new.back;
    return 0;
}
