/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypercall from ring 3, for guests that want to know what becomes of it, from any of the
 * first RING3_VCPUS vCPUs.
 */
#ifndef TESTS_RT_GUESTS_RING3_H
#define TESTS_RT_GUESTS_RING3_H

#include "base/types.h"

enum { RING3_VCPUS = 4 };

/* Maps a page of ring 3's into the low half: once, before any vCPU goes there. False without
 * memory for its tables. */
bool ring3_init(void);
/* Gives the calling vCPU descriptor tables of its own, with the stack for the way back. */
void ring3_load(u32 vcpu);
long ring3_call(u32 vcpu, u32 nr, const u64 arg[5]);

#endif
