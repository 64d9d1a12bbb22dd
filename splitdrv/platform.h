/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the split drivers need of the world: grants and event channels. Found by the linker:
 * splitdrv/domain.c gives them over the domain runtime, the tests over plain memory.
 */
#ifndef SPLITDRV_PLATFORM_H
#define SPLITDRV_PLATFORM_H

#include "splitdrv/ring.h"

struct split_mapping {
    void *at; /* NULL: not mapped */
    u32 token;
};

/* One copy between local memory and a page the peer has granted. */
struct split_copy {
    void *local;
    grant_ref_t ref;
    u16 offset, len;
    s16 status; /* out: 0, or not copied */
};

/* Lends a page of ours; 0: the grant table is full. */
grant_ref_t split_grant(domid_t peer, void *page, bool readonly);
/* False while the peer still maps it; the page must not be used for anything else then. */
bool split_ungrant(grant_ref_t ref);
bool split_map(domid_t peer, grant_ref_t ref, bool readonly, struct split_mapping *m);
void split_unmap(struct split_mapping *m);
/* All copies in one call of the hypervisor. */
void split_copy(domid_t peer, bool to_peer, struct split_copy *copies, u32 count);
void split_notify(u32 port);

#endif
