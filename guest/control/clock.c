/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains' clocks that were set wrong: the command, and the way back from what a domain wrote by
 * such a clock to the time that all share. What it had written before a change is taken first, so
 * that each record is read by the clock it was written by.
 */
#include "base/format.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/rt/hypercall.h"

enum { RATE_WORDS = 1000000000 }; /* fits where a rate stands; the hypervisor knows the rest */

bool clock_stands(const struct guest *g)
{
    return g->clock.back && g->clock.rate_ppm == RATE_STANDS;
}

/* While its clock stands a domain asks the hypervisor what time it is, but for what it wrote before
 * it was told. */
u64 clock_true(const struct guest *g, u64 ns)
{
    if (clock_stands(g))
        return ns == g->clock.guest_ns ? g->clock.system_ns : ns;
    if (!g->clock.back || ns < g->clock.guest_ns)
        return g->clock.back ? g->clock.system_ns : ns;
    return g->clock.system_ns +
           (u64)((unsigned __int128)(ns - g->clock.guest_ns) * g->clock.back >> 32);
}

static bool skew(struct command *c, struct guest *g, struct osm_skew *s)
{
    bool paused = g->paused || !g->started || !ctl_pause(g->domid);
    long error;

    if (!paused)
        return command_refuse(c, "the hypervisor does not pause it");
    ctl_wait_off(g->domid);
    trace_guest(g);
    error = hypercall_osmosis(OSM_OP_skew, s);
    if (!error) {
        g->clock = (struct guest_clock){s->system_ns, s->guest_ns, s->back, s->rate_ppm};
        trace_stands(g);
    }
    if (!g->paused && g->started)
        ctl_unpause(g->domid);
    return !error ||
           command_refuse(c, "the hypervisor refused: rate from -990000 to 9000000, or "
                             "-1000000");
}

/* An option that may have a sign in front; what it is without it has the given form. */
static bool signed_option(struct command *c, const char *key, bool (*read)(const char *, u64 *),
                          s64 *value)
{
    const char *text = words_option(c->w, key);
    bool less = text && *text == '-';
    u64 size = 0;

    if (text && (!read(text + less, &size) || size >> 60))
        return command_refuse(c, "%s=%s is not understood", key, text);
    *value = less ? -(s64)size : (s64)size;
    return true;
}

bool do_clock(struct command *c)
{
    struct guest *g = command_guest(c, 0);
    struct osm_skew s = {0};
    s64 rate = 0;

    if (!g || !signed_option(c, "step", words_time, &s.step_ns) ||
        !signed_option(c, "rate", words_number, &rate))
        return false;
    if (!g->built || g->ended)
        return command_refuse(c, "%s is not running", g->name);
    s.domid = g->domid;
    if (rate > RATE_WORDS || rate < -RATE_WORDS)
        return command_refuse(c, "a rate is in millionths, -990000 to 9000000, or -1000000");
    s.rate_ppm = words_option(c->w, "rate") ? (s32)rate : g->clock.rate_ppm;
    if (!skew(c, g, &s))
        return false;
    json_number(c->answer, "shows_ns", s.guest_ns);
    return true;
}
