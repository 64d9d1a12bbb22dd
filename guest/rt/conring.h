/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console's page (xen/io/console.h) as its front end uses it. Pure. Its other end is another
 * domain's and all of it is in memory that both can write: each index is read once and checked
 * before it is gone by.
 */
#ifndef GUEST_RT_CONRING_H
#define GUEST_RT_CONRING_H

#include "base/types.h"
#include "hyp/abi/xen.h"
#include <xen/io/console.h>

/* Puts what fits; the number of bytes taken. Where the indexes cannot be, all of them, which go
 * nowhere: their reader plays games, and nobody waits for it. */
size_t conring_put(struct xencons_interface *ring, const char *text, size_t len);
/* Takes what has been typed, up to `room` bytes; none where the indexes cannot be. */
size_t conring_take(struct xencons_interface *ring, char *text, size_t room);
/* Nothing more fits until the other end takes something. */
bool conring_full(const struct xencons_interface *ring);

#endif
