/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a connection that is over, some of which the peer still has mapped. They are kept
 * aside, for nothing else, until all grants could be ended; then the next connection uses them.
 */
#ifndef SPLITDRV_ASIDE_H
#define SPLITDRV_ASIDE_H

#include "base/list.h"
#include "splitdrv/pool.h"

enum { ASIDE_GRANTS = 128 };

struct aside {
    struct list others;    /* the owner's; unlinked until it is put there */
    void *rings, *buffers; /* the owner's, as it had them */
    u32 count;
    grant_ref_t ref[ASIDE_GRANTS]; /* not ended yet */
};

/* False: no room. A reference of 0 is none. */
bool aside_add(struct aside *a, grant_ref_t ref);
/* All that a closed pool could not end; from now on they are not the pool's. */
bool aside_add_pool(struct aside *a, struct pool *p);
/* The first set of which the peer has nothing any more, taken off the list; NULL: it has of each. */
struct aside *aside_take(struct list *sets);

#endif
