/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The user processor on the domain's second vCPU. See turn.h.
 */
#ifndef GUEST_MACHINE_Z8000_APART_H
#define GUEST_MACHINE_Z8000_APART_H

#include "guest/machine/z8000/board.h"

/* False: there is none; the two processors stay coroutines. */
bool apart_start(struct board *b);

#endif
