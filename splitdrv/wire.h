/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All vifs of a domain as the devices of its network: what a machine calls around net.h.
 *
 *   net = net_create(heap, &config);
 *   wire_init(&wire, net);  wire_open(&wire, 5 * 1000000000ull);
 *   loop:  wire_poll(&wire);          store, handshakes, network; handlers run inside
 *          if (wire_rest(&wire))      one kick per batch; false: something came in between
 *              rt_wait_until(MIN(own deadline, net_deadline(net)));
 *
 * Between wire_poll calls net_send and the like may be called freely; wire_flush sends what
 * they wrote when the machine goes on computing instead of resting.
 */
#ifndef SPLITDRV_WIRE_H
#define SPLITDRV_WIRE_H

#include "splitdrv/vif.h"

enum { WIRE_VIFS = 8 };

struct wire {
    struct net *net;
    u32 count, attached;
    struct vif *vif[WIRE_VIFS];
    struct rt_store_watch watch; /* of what we are the back end of, if we are of any */
    bool backs_changed;
};

void wire_init(struct wire *w, struct net *net);
/* One more that somebody else has found, and that needs no handshake. */
void wire_add(struct wire *w, struct vif *v);
/* Opens vifs 0, 1, ... as far as the store has them and those of direct media whose back end
 * we are, waits up to `wait_ns` for all to connect, and attaches them and what was added. Returns
 * how many there are. */
u32 wire_open(struct wire *w, u64 wait_ns);
/* True when there is reason to call wire_poll now: cheap, for the way back to a program. */
bool wire_wants(const struct wire *w);
void wire_poll(struct wire *w);
/* The same when programs compute and nobody rests: also what came without a word, and from
 * now on wire_wants says when more does. */
void wire_attend(struct wire *w);
void wire_flush(struct wire *w);
bool wire_rest(struct wire *w);
/* splitdrv/device.h, for all of them; wire_alone: of all. */
void wire_leave(struct wire *w);
bool wire_alone(const struct wire *w);
void wire_suspend(struct wire *w);
void wire_resume(struct wire *w);
/* The network is another one, which is to have all devices; after wire_suspend. */
void wire_begin_again(struct wire *w, struct net *net);

#endif
