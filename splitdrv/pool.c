/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lent pages by number. Who holds which is known here, not taken from the peer's word.
 */
#include "splitdrv/pool.h"

bool pool_open(struct pool *p, domid_t peer, void *pages, u32 count, bool readonly)
{
    *p = (struct pool){.pages = pages};
    if (count > POOL_MAX)
        return false;
    for (u32 i = 0; i < count; i++) {
        p->ref[i] = split_grant(peer, pool_page(p, i), readonly);
        if (!p->ref[i]) {
            pool_close(p);
            return false;
        }
        p->count++;
        p->stack[p->free++] = (u16)i;
    }
    return true;
}

bool pool_close(struct pool *p)
{
    bool all = true;

    for (u32 i = 0; i < p->count; i++) {
        if (p->ref[i] && split_ungrant(p->ref[i]))
            p->ref[i] = 0;
        all = all && !p->ref[i];
    }
    if (all)
        p->count = p->free = 0;
    return all;
}

u32 pool_take(struct pool *p)
{
    u32 id = p->stack[--p->free];

    p->out[id] = true;
    return id;
}

bool pool_back(struct pool *p, u32 id)
{
    if (id >= p->count || !p->out[id])
        return false;
    p->out[id] = false;
    p->stack[p->free++] = (u16)id;
    return true;
}
