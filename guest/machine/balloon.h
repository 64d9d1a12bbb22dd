/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that the node's toolstack wants back for now: Xen's memory/target in the store, in KiB,
 * as `xl mem-set` and the control domain's `memory` write it. Frames that are free go, and the
 * core pages out to have more; all come back when the target rises again.
 */
#ifndef GUEST_MACHINE_BALLOON_H
#define GUEST_MACHINE_BALLOON_H

#include "guest/kernel/node.h"

/* Watches the target: before rt_shutdown_heed, which waits for the store's first words. */
void balloon_heed(void);
/* A step towards the target, where no process is running. Looks at one word when there is nothing
 * to do. */
void balloon_follow(struct node *n);

#endif
