/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's small objects: zeroed, and charged to a domain's overhead (NULL: the
 * hypervisor's own). Blocks of a page or more come from and go back to the frames.
 */
#ifndef HYP_MM_POOL_H
#define HYP_MM_POOL_H

#include "base/types.h"

struct domain;

/* NULL when the machine has no more. 16-byte aligned; page-aligned from PAGE_SIZE on. */
void *pool_alloc(struct domain *d, size_t size);
/* The size must be said again. Accepts NULL. */
void pool_free(struct domain *d, void *block, size_t size);

#endif
