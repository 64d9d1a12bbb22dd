/* SPDX-License-Identifier: BSD-2-Clause */
/* What a node's network keeps of other machines. */
#ifndef TESTS_KERNEL_REMOTES_H
#define TESTS_KERNEL_REMOTES_H

#include "net/net.h"

/* How many remote processors there are, and the bytes of all of them with what they hold. */
u32 remote_processors(const struct net *n, size_t *bytes);

#endif
