/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of one vif in the fabric's domain: the handshake, netback over the mapped
 * rings, and a port of the fabric between them.
 */
#ifndef NET_FABRIC_VIFBACK_H
#define NET_FABRIC_VIFBACK_H

#include "net/fabric/fabric.h"
#include "splitdrv/device.h"
#include "splitdrv/net.h"

struct vifback {
    struct vifback *next, *next_ready;
    struct fabric *fabric;
    u32 domain, handle;
    struct split_device bus;
    struct netback net;
    struct split_mapping tx, rx;
    u32 tx_port, rx_port;
    struct fabric_port *port; /* NULL: not connected */
    bool ready;               /* on the list of those with something to do */
};

/* A back end for device `handle` of `domain`; NULL: no memory, or the store does not know it. */
struct vifback *vifback_open(struct fabric *f, u32 domain, u32 handle);
void vifback_close(struct vifback *v);
/* Moves frames both ways. True: call again, there is more. */
bool vifback_run(struct vifback *v, u64 now);
/* The list of back ends with something to do; the event handlers add to it. */
struct vifback *vifback_take_ready(void);
void vifback_is_ready(struct vifback *v);

#endif
