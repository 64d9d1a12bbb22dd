/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the simulated machine share, and nobody else sees.
 */
#ifndef GUEST_MACHINE_SIM_INSIDE_H
#define GUEST_MACHINE_SIM_INSIDE_H

#include "guest/kernel/machine.h"
#include "guest/machine/sim/space.h"

static inline struct sim_node *sim_owner(struct node *n)
{
    return node_owner(n);
}

static inline struct sim_space *sim_space_of(const struct task *t)
{
    return t->machine;
}

/* The core has to serve a page of the range first; it is told which. */
bool sim_missing(struct node *n, struct task *t, u64 address, size_t len, u32 access);

#endif
