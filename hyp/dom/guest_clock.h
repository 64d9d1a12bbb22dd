/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's clock against the machine's system time (F25): set off, running fast or slow, or
 * standing still as OSM_OP_skew says. Everything a guest reads or asks for in system time goes through here; a
 * domain whose clock was never touched costs one test. Its local APIC's timer is another clock,
 * and stays right.
 */
#ifndef HYP_DOM_GUEST_CLOCK_H
#define HYP_DOM_GUEST_CLOCK_H

#include "base/types.h"

struct clock_sample;
struct domain;
struct osm_skew;

/* Since system_ns, when the guest's clock stood at guest_ns and its TSC at tsc. */
struct guest_clock {
    u64 system_ns, guest_ns, tsc;
    u64 rate, back; /* 2^32: as fast as the machine's; the reverse; rate 0: never touched */
    bool stands;    /* until a time that nobody lives to see, by which its deadlines are kept */
};

/* What the guest's clock shows at that instant. */
u64 guest_clock_shows(const struct guest_clock *c, u64 system_ns);
/* When it shows so much, if nothing changes; not before it does. */
u64 guest_clock_when(const struct guest_clock *c, u64 guest_ns);
/* How long so much of the guest's time takes. */
u64 guest_clock_lasts(const struct guest_clock *c, u64 guest_ns);
/* The line by which a guest reads its clock, from the machine's own. */
void guest_clock_line(const struct guest_clock *c, struct clock_sample *line);
/* OSM_OP_skew on a domain that is paused and on no CPU: moves its clock, and its timers with it. */
int guest_clock_skew(struct domain *d, struct osm_skew *s);

static inline u64 guest_time(const struct guest_clock *c, u64 system_ns)
{
    return __builtin_expect(c->rate != 0, 0) ? guest_clock_shows(c, system_ns) : system_ns;
}

static inline u64 guest_deadline(const struct guest_clock *c, u64 guest_ns)
{
    return __builtin_expect(c->rate != 0, 0) ? guest_clock_when(c, guest_ns) : guest_ns;
}

static inline u64 guest_lasts(const struct guest_clock *c, u64 guest_ns)
{
    return __builtin_expect(c->rate != 0, 0) ? guest_clock_lasts(c, guest_ns) : guest_ns;
}

#endif
