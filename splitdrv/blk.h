/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block split driver, both ends (xen/io/blkif.h): reads, writes, cache flush, discard,
 * and requests of up to 32 segments by an indirect page. Pure but for platform.h and the
 * disk below; both ends take the other for hostile, as in net.h.
 */
#ifndef SPLITDRV_BLK_H
#define SPLITDRV_BLK_H

#include "splitdrv/cache.h"
#include "splitdrv/pool.h"

enum {
    BLK_SECTOR = 512,
    BLK_RING = 32,
    BLK_SEGMENTS = BLKIF_MAX_SEGMENTS_PER_REQUEST,
    BLK_INDIRECT = 32, /* what the back end offers as feature-max-indirect-segments */
};

struct blkback {
    domid_t peer;
    const char *broken;
    blkif_back_ring_t ring;
    u32 port;
    bool persistent, readonly, dirty;
    u64 sectors;
    void *disk;
    struct cache cache;
    struct {
        u64 reads, writes, flushes, discards, bytes, errors, kicks;
    } stats;
};

void blkback_open(struct blkback *b, domid_t peer, void *ring, u32 port, bool persistent,
                  void *disk, u64 sectors, bool readonly);
void blkback_close(struct blkback *b);
/* Carries out up to `most` requests; true when there are more. */
bool blkback_run(struct blkback *b, u32 most);
void blkback_flush(struct blkback *b);
bool blkback_idle(struct blkback *b);

/* The disk behind a back end, found by the linker. 0 or a negative Xen errno; what is
 * written is durable after a flush. -XEN_EOPNOTSUPP: not with this disk. */
int split_disk_read(void *disk, u64 sector, void *buffer, u32 bytes);
int split_disk_write(void *disk, u64 sector, const void *buffer, u32 bytes);
int split_disk_flush(void *disk);
int split_disk_discard(void *disk, u64 sector, u64 sectors);

struct blkfront {
    domid_t peer;
    const char *broken;
    blkif_front_ring_t ring;
    u32 port;
    bool dirty;
    struct pool pool;
    struct {
        bool used;
        u8 op, pages;
        u8 page[BLK_SEGMENTS];
        u8 *buffer;
        u32 bytes;
        void *cookie;
    } request[BLK_RING];
    u64 kicks;
};

/* False: grants ran out. `pages` of at least BLK_SEGMENTS allow the largest requests. */
bool blkfront_open(struct blkfront *f, domid_t peer, void *ring, u32 port, void *pages,
                   u32 count);
bool blkfront_close(struct blkfront *f);
/* Begins BLKIF_OP_READ, _WRITE (whole sectors, at most BLK_SEGMENTS pages), or
 * _FLUSH_DISKCACHE (no bytes). `buffer` must stay until it is answered. False: no room. */
bool blkfront_begin(struct blkfront *f, u8 op, u64 sector, void *buffer, u32 bytes,
                    void *cookie);
/* The next request that was answered, and how (BLKIF_RSP_*); false: none. */
bool blkfront_end(struct blkfront *f, void **cookie, s16 *status);
void blkfront_flush(struct blkfront *f);
bool blkfront_idle(struct blkfront *f);

#endif
