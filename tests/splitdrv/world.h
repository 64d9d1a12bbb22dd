/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants and event channels over plain memory, for both ends in one process. A grant is a
 * page of this process; what an end does with a bad reference, a page taken back or a
 * failing hypervisor is counted here.
 */
#ifndef TESTS_SPLITDRV_WORLD_H
#define TESTS_SPLITDRV_WORLD_H

#include "splitdrv/platform.h"

enum { WORLD_GRANTS = 4096, WORLD_PORTS = 16 };

struct world {
    struct {
        u8 *page;
        bool used, readonly;
        u32 mapped;
    } grant[WORLD_GRANTS];
    u32 kicks[WORLD_PORTS];
    u64 map_calls, copy_calls, refused;
    u32 fail_every; /* every n-th map or copy fails, 0: none */
    u64 calls;
    /* Called before every access to a granted page: a peer that rewrites behind one's back. */
    void (*meddle)(void);
};

extern struct world world;
void world_reset(void);
/* Grants and mappings still held. */
u32 world_held(void);

#endif
