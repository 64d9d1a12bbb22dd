/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vif as a DEMOS network device: netfront behind the four device functions. It finds its
 * vif in the store, connects, and connects again after the back end was away.
 */
#ifndef SPLITDRV_VIF_H
#define SPLITDRV_VIF_H

#include "net/net.h"
#include "splitdrv/device.h"
#include "splitdrv/net.h"

enum { VIF_TX_PAGES = 32, VIF_RX_PAGES = 64 };

struct vif {
    struct net_device device;
    struct split_device bus;
    struct netfront front;
    void *rings, *buffers; /* frames of ours, kept over reconnections */
    grant_ref_t tx_ref, rx_ref;
    u32 port;
    bool opened, up, refused;
    u32 interrupts; /* enum net_interrupt, not yet taken */
};

/* The vif number `n` of this domain. False: there is none, or no memory for it. Waits
 * until its back end has connected it, but no longer than `wait_ns`: a later connection
 * comes as a status interrupt. */
bool vif_open(struct vif *v, u32 n, u64 wait_ns);
/* Goes on with the handshake: call after rt_store_poll, before net_poll. */
void vif_poll(struct vif *v);
/* From now on the back end tells of what arrives. False: something has already. */
bool vif_listen(struct vif *v);
/* Sends what write_block has queued, with one kick; call before sleeping. False: something
 * has arrived in between, do not sleep. */
bool vif_rest(struct vif *v);

#endif
