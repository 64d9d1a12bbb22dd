/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of one vif in the fabric's domain: the handshake, netback over the mapped
 * rings, and a port of the fabric between them.
 */
#ifndef NET_FABRIC_VIFBACK_H
#define NET_FABRIC_VIFBACK_H

#include "base/list.h"
#include "net/fabric/fabric.h"
#include "splitdrv/backends.h"
#include "splitdrv/rings.h"

struct vifback {
    struct split_backend end;
    struct list ready; /* in the queue of those with something to do */
    struct fabric *fabric;
    struct vif_rings rings;
    struct fabric_port *port; /* NULL: not connected */
    u64 prompted_ns;
};

/* A back end for device `handle` of `domain`; NULL: no memory, or the store does not know it. */
struct vifback *vifback_open(struct fabric *f, u32 domain, u32 handle);
void vifback_close(struct vifback *v);
/* Puts a frame before the front end at once, if there is room; its next turn tells it. */
bool vifback_give(struct vifback *v, const u8 *frame, size_t len, u32 checksum);
/* Something has come for it. */
void vifback_is_ready(struct vifback *v);
/* Serves all that are ready until each has had its turn. True: nobody has more to do. */
bool vifback_turn(u64 now);

#endif
