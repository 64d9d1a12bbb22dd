/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Broadcast wires, at first one for all nodes (sim_node.wire): every block arrives, once, in order,
 * at the next poll, unless a test has some lost. The media with faults are net/media; here the
 * kernel is under test, not the network.
 */
#ifndef GUEST_MACHINE_SIM_WIRE_H
#define GUEST_MACHINE_SIM_WIRE_H

#include "guest/machine/sim/sim.h"

/* Joins nodes [first, first + count). */
void wire_join(struct sim *s, u32 first, u32 count);
void wire_leave(struct sim_node *sn);
/* Blocks are on their way. */
bool wire_busy(const struct sim *s);

#endif
