/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages that a front end lends to its back end for as long as the device is connected.
 */
#ifndef SPLITDRV_POOL_H
#define SPLITDRV_POOL_H

#include "splitdrv/platform.h"

enum { POOL_MAX = 256 };

struct pool {
    u8 *pages; /* count * SPLIT_PAGE bytes of the caller's, page-aligned */
    u32 count, free;
    grant_ref_t ref[POOL_MAX];
    u16 stack[POOL_MAX]; /* ids of the free ones */
    bool out[POOL_MAX];  /* with the peer now */
};

/* Lends all pages. False: grants ran out (then none is lent). */
bool pool_open(struct pool *p, domid_t peer, void *pages, u32 count, bool readonly);
/* False while the peer maps some of them. */
bool pool_close(struct pool *p);
/* An id, marked as with the peer; call only while `free` is not 0. */
u32 pool_take(struct pool *p);
/* The peer gave `id` back; false if it did not have it. */
bool pool_back(struct pool *p, u32 id);

static inline u8 *pool_page(const struct pool *p, u32 id)
{
    return p->pages + (size_t)id * SPLIT_PAGE;
}

#endif
