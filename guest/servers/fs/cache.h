/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block cache: delayed writes, least recently used out first. Bytes are copied in and
 * out, no pointer into it ever leaves.
 *
 * Blocks changed as `journalled` stay in memory until the journal has taken them
 * (journal.c); other dirty blocks may be written in place at any time.
 */
#ifndef GUEST_SERVERS_FS_CACHE_H
#define GUEST_SERVERS_FS_CACHE_H

#include "base/heap.h"
#include "base/list.h"
#include "guest/servers/fs/disk.h"
#include "guest/servers/fs/format.h"

enum { CACHE_RUN = 64 }; /* blocks moved by one disk request at most */

struct buffer {
    struct list lru, chain;
    u32 block;
    bool valid, dirty, journalled;
    u8 data[FS_BLOCK];
};

struct cache {
    struct disk *disk;
    struct heap *heap;
    struct buffer *buffer;
    struct list *bucket;
    u32 count, buckets;
    u32 journalled;                  /* dirty blocks the journal must take */
    struct list lru;                 /* least recently used first */
    u32 *order;                      /* scratch: indexes of buffers sorted by block */
    u8 *run;                         /* scratch: CACHE_RUN blocks */
    u64 hits, misses, reads, writes; /* the last two count disk requests */
};

int cache_init(struct cache *c, struct disk *disk, struct heap *heap, u32 blocks);
void cache_destroy(struct cache *c);
int cache_read(struct cache *c, u32 block, u32 offset, void *to, u32 len);
/* A whole-block write needs no read first. `journalled` sticks until the next commit. */
int cache_write(struct cache *c, u32 block, u32 offset, const void *from, u32 len,
                bool journalled);
/* If any of the `wanted` blocks is missing, reads on from it by one request, up to `most`
 * blocks from `block` on or until the next that is cached. */
int cache_prefetch(struct cache *c, u32 block, u32 wanted, u32 most);
/* Writes every dirty block that is not journalled, in runs. No barrier. */
int cache_write_data(struct cache *c);
/* Forgets a block that was given back: its content will never be wanted. */
void cache_forget(struct cache *c, u32 block);
/* The indexes of all journalled blocks, sorted by block, in c->order; their number. */
u32 cache_list(struct cache *c, bool journalled);
/* Writes the listed buffers in place, runs joined, and marks them clean. */
int cache_write_listed(struct cache *c, u32 listed);

#endif
