/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handshake between a front and a back end (xen/io/xenbus.h) as a table: given our own
 * state and the other's, what to do and what to say next. Either side may restart, with or
 * without a goodbye, at any edge; the other notices by the state it reads.
 */
#ifndef SPLITDRV_BUS_H
#define SPLITDRV_BUS_H

#include "splitdrv/ring.h"

enum bus_side { BUS_FRONT, BUS_BACK };

enum bus_action {
    BUS_NOTHING,
    BUS_OFFER,   /* back: write what it can do */
    BUS_LEND,    /* front: make rings and ports, write where they are */
    BUS_CONNECT, /* back: read that, map the rings, bind the ports */
    BUS_RUN,     /* front: the other side is there, traffic may flow */
    BUS_STOP,    /* both: let go of everything of this connection */
};

struct bus_step {
    enum bus_action action;
    XenbusState next;
};

/* What to do now. When `next` differs from `own`, do the action, write `next` and ask
 * again; when it does not, wait for the other side. `online`: the device is to exist. */
struct bus_step bus_next(enum bus_side side, XenbusState own, XenbusState other, bool online);
/* What to write for `own`. A driver that is `eager` says Connected as soon as it has lent:
 * Linux's netback looks at rings only then, as its netfront never says Initialised. */
XenbusState bus_said(XenbusState own, bool eager);
const char *bus_state_name(XenbusState s);

#endif
