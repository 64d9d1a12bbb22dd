/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands where in a guest's physical map, and what it counts: RAM given and taken,
 * shared pages, foreign pages. Beside it, only grant_map.c changes maps at guests' wish.
 */
#ifndef HYP_DOM_PHYSMAP_H
#define HYP_DOM_PHYSMAP_H

#include "hyp/dom/domain.h"

/* RAM at gfn..gfn+count: 0, -ENOMEM beyond the domain's limit or the machine's memory.
 * Where there is RAM already nothing changes. */
s64 physmap_populate(struct domain *d, u64 gfn, u64 count);
/* The RAM at gfn goes back: -EINVAL when there is none. */
s64 physmap_give_back(struct domain *d, u64 gfn);
/* XENMEM_add_to_physmap: shared info, grant frame, the guest's own page moved, or (with
 * `foreign`) another domain's. */
s64 physmap_add(struct domain *d, struct domain *foreign, u32 space, u64 idx, u64 gfn);
/* Whatever is at gfn, except a grant. */
s64 physmap_remove(struct domain *d, u64 gfn);

#endif
