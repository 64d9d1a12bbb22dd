/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypercall from ring 3, for guests that want to know what becomes of it. On the first
 * vCPU only, which has the task state segment.
 */
#ifndef TESTS_RT_GUESTS_RING3_H
#define TESTS_RT_GUESTS_RING3_H

#include "base/types.h"

/* Maps a page of ring 3's into the low half. False without memory for its tables. */
bool ring3_init(void);
long ring3_call(u32 nr, const u64 arg[5]);

#endif
