/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end's side of persistent grants: a page is mapped when first named and stays so
 * until the device closes, so that a frame then costs a memory copy and no hypercall.
 * Bounded; what does not fit is copied by the hypervisor.
 */
#ifndef SPLITDRV_CACHE_H
#define SPLITDRV_CACHE_H

#include "splitdrv/platform.h"

enum { CACHE_SIZE = 256 };

struct cache {
    domid_t peer;
    bool readonly;
    u32 used;
    struct {
        void *at; /* NULL: not mapped */
        u32 token;
        grant_ref_t ref;
    } entry[CACHE_SIZE];
};

/* For an empty one: never used, or dropped. */
void cache_open(struct cache *c, domid_t peer, bool readonly);
/* Where the page `ref` is mapped, or NULL: copy it the other way. */
u8 *cache_page(struct cache *c, grant_ref_t ref);
void cache_drop(struct cache *c);

#endif
