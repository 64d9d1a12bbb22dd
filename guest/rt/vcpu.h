/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Further vCPUs. They run with interrupts off, take no events, and share everything with
 * the first; what is between them is the image's business.
 */
#ifndef GUEST_RT_VCPU_H
#define GUEST_RT_VCPU_H

#include "base/types.h"

/* Starts vCPU `id` (1 and up) in fn(arg), which must not return. 0 or a negative errno. */
long rt_vcpu_start(u32 id, void (*fn)(void *arg), void *arg);

#endif
