/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of a vif as its back end has them: the front end's pages, mapped, its event
 * channels, bound, and netback over both. Whoever is the back end (the fabric's ports, a node of a
 * direct medium) calls these from its split_driver.
 */
#ifndef SPLITDRV_RINGS_H
#define SPLITDRV_RINGS_H

#include "guest/rt/event.h"
#include "splitdrv/device.h"
#include "splitdrv/net.h"

struct vif_rings {
    struct netback net;
    struct split_mapping tx, rx;
    u32 tx_port, rx_port;
    bool open;
    bool groups; /* the front end gets the frames of those groups only that it asks for */
};

/* Writes what we can do, and what the medium is: bytes a second (0: fast), largest block. */
bool vif_rings_offer(struct split_device *d, u64 rate, u32 block);
/* Takes up what the front end has lent; NULL, or why that is not possible: then close. */
const char *vif_rings_connect(struct vif_rings *r, struct split_device *d, rt_event_fn *fn,
                              void *arg);
/* Gives everything back, however far connect came. */
void vif_rings_close(struct vif_rings *r);

#endif
