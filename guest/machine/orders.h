/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an experiment orders of a node in a domain, by data/kill in the store: "NAME [N]" ends
 * the node's N-th process of that name, in the order of its table (1 where none is said). Called
 * by the machine's loop, where no process is running.
 */
#ifndef GUEST_MACHINE_ORDERS_H
#define GUEST_MACHINE_ORDERS_H

#include "guest/kernel/node.h"

/* Watches for orders: before rt_shutdown_heed, which waits for the store's first words. */
void orders_heed(void);
/* Carries out what has been ordered since. */
void orders_obey(struct node *n);

#endif
