/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies between the kernel and the process whose address space is in the processor, by
 * its own tables: what the hardware refuses faults, and the copy ends there.
 */
#ifndef GUEST_MACHINE_X86_USER_H
#define GUEST_MACHINE_X86_USER_H

#include "base/types.h"

/* One of the two lies in the process, wholly below DEMOS_GLOBAL_END, and they do not
 * overlap. False: a page was not there, or not to be used so; some bytes may be copied. */
bool user_copy(void *to, const void *from, size_t len);
/* A page fault in the kernel at *rip: true when user_copy made it, which goes on at *rip. */
bool user_fault(u64 *rip);

#endif
