/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open addressing by reference; four probes and no eviction, as a well-behaved front end
 * names the same few hundred pages for ever.
 */
#include "splitdrv/cache.h"

enum { PROBES = 4 };

void cache_open(struct cache *c, domid_t peer, bool readonly)
{
    c->peer = peer;
    c->readonly = readonly;
}

u8 *cache_page(struct cache *c, grant_ref_t ref)
{
    struct split_mapping m;

    for (u32 i = 0; i < PROBES; i++) {
        u32 at = (ref + i * 61) % CACHE_SIZE;

        if (c->entry[at].at && c->entry[at].ref == ref)
            return c->entry[at].at;
        if (c->entry[at].at)
            continue;
        if (!split_map(c->peer, ref, c->readonly, &m))
            return NULL;
        c->entry[at].at = m.at;
        c->entry[at].token = m.token;
        c->entry[at].ref = ref;
        c->used++;
        return m.at;
    }
    return NULL;
}

void cache_drop(struct cache *c)
{
    for (u32 i = 0; c->used && i < CACHE_SIZE; i++) {
        struct split_mapping m = {c->entry[i].at, c->entry[i].token};

        if (!m.at)
            continue;
        split_unmap(&m);
        c->entry[i].at = NULL;
        c->used--;
    }
}
