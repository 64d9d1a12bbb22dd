/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain that joins a medium as any node does and then misbehaves towards its back end, in the way
 * that its key `data/misbehave` names, until that says something else. All it does is drawn from
 * its seed. What must not come of it: anything that others notice.
 */
#ifndef SPLITDRV_FOE_FOE_H
#define SPLITDRV_FOE_FOE_H

#include "splitdrv/device.h"
#include <xen/io/netif.h>

enum { FOE_PAGES = 4 };

struct foe {
    struct split_device bus;
    netif_tx_sring_t *tx;
    netif_rx_sring_t *rx;
    u8 *page[FOE_PAGES]; /* what its requests point into */
    grant_ref_t tx_ref, rx_ref, ref[FOE_PAGES];
    u32 port;
    bool up;
    u64 seed, draws;
    u64 done, connections;
    u32 acts;     /* on this connection */
    u64 since_ns; /* it has none */
};

struct deed {
    const char *name;
    void (*act)(struct foe *f); /* some of it; called again and again */
};

/* The deed of that name, or NULL. */
const struct deed *deed_of(const char *name);
/* Requests that a decent front end would make: an empty frame to everybody. */
void foe_greet(struct foe *f);

#endif
