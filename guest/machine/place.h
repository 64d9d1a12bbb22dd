/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machines' common code needs from the one it is linked into, and what it does
 * for them: the first process, and the kernel processes that are the machine's own.
 */
#ifndef GUEST_MACHINE_PLACE_H
#define GUEST_MACHINE_PLACE_H

#include "guest/kernel/machine.h"
#include "guest/machine/frames.h"
#include "net/net.h"

/*
 * Makes the node's first process from the member `init` of a bundle, puts the whole bundle
 * into its memory and gives it links to the node's kernel processes and to itself. NULL,
 * or a sentence about what is wrong.
 */
const char *boot_first(struct node *n, const void *bundle, size_t len);

/* What another machine last announced of itself; from 0: nobody has. */
struct announcement {
    machine_t from;
    u32 len;
    u8 bytes[NET_ANNOUNCE_MAX];
};

/* Calls of the common code, found by the linker. */

void place_write(struct node *n, const void *text, size_t len);
/* Bytes of console input that are there now, at most `room`. */
size_t place_read(struct node *n, void *text, size_t room);
struct frames *place_frames(struct node *n);
/* Where the last access that the core is to serve is put down. */
struct machine_miss *place_miss(struct node *n);
struct announcement *place_announcement(struct node *n);
/* The processor's counter and its ticks per millisecond. */
u64 place_cycles(struct node *n, u64 *per_ms);
/* World switches, TLB flushes and bytes copied on this node's behalf; false: nobody knows. */
bool place_counts(struct node *n, u64 counts[3]);
/* What MACHINE_FEATURES answers. */
u64 place_features(struct node *n);
/* The node is to end when the machine's loop is next reached. */
void place_halt(struct node *n, s64 status);

#endif
