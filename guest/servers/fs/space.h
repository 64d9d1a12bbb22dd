/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free space: the disk's bitmap, and which blocks were given back since the last commit.
 *
 * A block freed in this transaction is still part of what the last commit describes, so it
 * is not handed out again before the next one: a crash must find its old bytes.
 */
#ifndef GUEST_SERVERS_FS_SPACE_H
#define GUEST_SERVERS_FS_SPACE_H

#include "guest/servers/fs/cache.h"

struct space {
    struct cache *cache;
    u32 bitmap;     /* first block of the bitmap on disk */
    u32 first, end; /* blocks that may be handed out */
    u64 *used;      /* as the bitmap says */
    u64 *freed;     /* given back since the last commit */
    size_t map_bytes;
    u32 free; /* neither used nor freed */
    u32 next; /* where the last search ended */
};

int space_init(struct space *s, struct cache *cache, u32 bitmap, u32 first, u32 end);
void space_destroy(struct space *s);
/* A run of 1 to `want` blocks, at `goal` if that is free (contiguous growth), else the
 * first run that is long enough, else the longest. */
int space_take(struct space *s, u32 goal, u32 want, u32 *start, u32 *count);
/* A block that was marked free, and is not. */
int space_keep(struct space *s, u32 block);
int space_give(struct space *s, u32 start, u32 count);
void space_committed(struct space *s);
bool space_in_use(const struct space *s, u32 block);

#endif
