/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open addressing by reference; four probes and no eviction, as a well-behaved front end
 * names the same few hundred pages for ever.
 */
#include "splitdrv/cache.h"

enum { PROBES = 4 };

u8 *cache_page(struct cache *c, grant_ref_t ref)
{
    for (u32 i = 0; i < PROBES; i++) {
        u32 at = (ref + i * 61) % CACHE_SIZE;

        if (c->entry[at].map.at && c->entry[at].ref == ref)
            return c->entry[at].map.at;
        if (!c->entry[at].map.at) {
            if (!split_map(c->peer, ref, c->readonly, &c->entry[at].map))
                return NULL;
            c->entry[at].ref = ref;
            return c->entry[at].map.at;
        }
    }
    return NULL;
}

void cache_drop(struct cache *c)
{
    for (u32 i = 0; i < CACHE_SIZE; i++) {
        if (c->entry[i].map.at)
            split_unmap(&c->entry[i].map);
        c->entry[i].map.at = NULL;
    }
}
