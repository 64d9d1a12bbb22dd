/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine memory at start: what the loader's map leaves free, the direct map over it, and
 * the few pages taken before the frame allocator stands. Boot CPU only.
 */
#ifndef HYP_MM_MEMORY_H
#define HYP_MM_MEMORY_H

#include "hyp/mm/frame.h"

void memory_init(void);
/* The identity map that start-up needs goes, so that a NULL pointer faults; on each CPU, when all
 * have started. */
void memory_unmap_low(void);
u64 memory_top(void); /* above the highest RAM, page aligned */
/* Zeroed, page aligned, for good; panics when there is no room. */
void *memory_early_alloc(u64 size);
/* Range i of what is still free, in frames; false at the end. */
bool memory_free_range(u32 i, u64 *first, u64 *count);
/* The frames of boot module i; false at the end. */
bool memory_module_frames(u32 i, u64 *first, u64 *count);

#endif
