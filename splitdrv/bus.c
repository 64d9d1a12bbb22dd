/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table. First row that fits counts; no row: wait.
 */
#include "splitdrv/bus.h"

#define U (1u << XenbusStateUnknown)
#define I (1u << XenbusStateInitialising)
#define W (1u << XenbusStateInitWait)
#define D (1u << XenbusStateInitialised)
#define C (1u << XenbusStateConnected)
#define G (1u << XenbusStateClosing)
#define X (1u << XenbusStateClosed)

struct row {
    u32 own, other; /* sets of states */
    bool online;    /* only while the device is to exist */
    enum bus_action action;
    XenbusState next;
};

static const struct row front[] = {
    {U, U | I | W | D | C | G | X, true, BUS_NOTHING, XenbusStateInitialising},
    {I, W, true, BUS_LEND, XenbusStateInitialised},
    {D, C, true, BUS_RUN, XenbusStateConnected},
    {D | C, G | X, false, BUS_STOP, XenbusStateClosed},
    {D, U | I, false, BUS_STOP, XenbusStateInitialising}, /* it died and came again */
    {C, U | I | W, false, BUS_STOP, XenbusStateInitialising},
    {X, I | W, true, BUS_NOTHING, XenbusStateInitialising},
    {G, U | G | X, false, BUS_NOTHING, XenbusStateClosed},
    /* We have let go, and nobody uses it: it closed and began anew while we did not look. */
    {G, I | W, true, BUS_NOTHING, XenbusStateClosed},
};

static const struct row back[] = {
    /* A front end that is past lending when we begin belongs to our predecessor. */
    {U | I, D | C, true, BUS_NOTHING, XenbusStateClosing},
    {U | I, U | I | W | G | X, true, BUS_OFFER, XenbusStateInitWait},
    {W, D | C, true, BUS_CONNECT, XenbusStateConnected},
    {W, U | I | W | D | C | G | X, true, BUS_NOTHING, XenbusStateInitWait},
    {C, G, false, BUS_STOP, XenbusStateClosing},
    {C, X | U, false, BUS_STOP, XenbusStateClosed},
    {C, I | W, false, BUS_STOP, XenbusStateInitialising},
    {G, X | U, false, BUS_NOTHING, XenbusStateClosed},
    {G, I | W, true, BUS_NOTHING, XenbusStateInitialising},
    {X, U | I | W | X, true, BUS_NOTHING, XenbusStateInitialising},
};

struct bus_step bus_next(enum bus_side side, XenbusState own, XenbusState other, bool online)
{
    const struct row *row = side == BUS_FRONT ? front : back;
    u32 rows = side == BUS_FRONT ? ARRAY_SIZE(front) : ARRAY_SIZE(back);

    if (!online && (own == XenbusStateConnected || own == XenbusStateInitialised))
        return (struct bus_step){BUS_STOP, XenbusStateClosing};
    for (u32 i = 0; i < rows; i++, row++) {
        if (row->own >> own & 1 && row->other >> other & 1 && (online || !row->online))
            return (struct bus_step){row->action, row->next};
    }
    return (struct bus_step){BUS_NOTHING, own};
}

XenbusState bus_said(XenbusState own, bool eager)
{
    return eager && own == XenbusStateInitialised ? XenbusStateConnected : own;
}

const char *bus_state_name(XenbusState s)
{
    static const char *const names[] = {"unknown",     "initialising",  "init-wait",
                                        "initialised", "connected",     "closing",
                                        "closed",      "reconfiguring", "reconfigured"};

    return (u32)s < ARRAY_SIZE(names) ? names[s] : "?";
}
