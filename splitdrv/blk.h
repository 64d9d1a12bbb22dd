/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block split driver, both ends (xen/io/blkif.h): reads, writes, cache flush, discard,
 * and requests of up to 32 segments by an indirect page. Pure but for platform.h and the
 * disk below; both ends take the other for hostile, as in net.h.
 *
 * The back end gives its disk jobs: requests checked and copied, in a buffer of ours, so
 * that nothing the front end does meanwhile changes them. The disk may answer at once or
 * later, in any order.
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
    BLK_JOBS = 8,      /* that the disk has at a time; the rest waits in the ring */
    BLK_JOB_BYTES = BLK_INDIRECT * SPLIT_PAGE,
};

struct blkback;

struct blk_job {
    struct blkback *owner;
    struct blk_job *next; /* the disk's, while it has the job */
    u64 due_ns;           /* the disk's */
    int error;            /* the disk's */
    u8 op;                /* BLKIF_OP_READ, _WRITE, _FLUSH_DISKCACHE or _DISCARD */
    u64 sector, sectors;  /* within the disk */
    u8 *data;             /* of a read or write: sectors * BLK_SECTOR bytes, page-aligned */
    /* The back end's own. */
    bool used;
    u8 asked; /* the operation as the answer says it */
    u64 id;
    u32 count;
    struct blkif_request_segment seg[BLK_INDIRECT];
};

/* What a back end serves. */
struct blk_disk {
    void *disk;
    u64 sectors;
    bool readonly;
};

struct blkback {
    domid_t peer;
    const char *broken;
    blkif_back_ring_t ring;
    u32 stride; /* bytes of a place in the ring: 32-bit front ends pack theirs */
    u32 port;
    bool persistent, dirty;
    struct blk_disk disk;
    struct cache cache;
    struct blk_job job[BLK_JOBS];
    u32 busy; /* jobs the disk has */
    struct {
        u64 reads, writes, flushes, discards, bytes, errors, kicks;
    } stats;
};

enum blk_layout { BLK_LAYOUT_64, BLK_LAYOUT_32 };

/* Begins to serve a ring. `buffers`: BLK_JOBS * BLK_JOB_BYTES, page-aligned. Not while jobs of
 * an earlier connection are with the disk (`busy`). */
void blkback_open(struct blkback *b, domid_t peer, void *ring, u32 port, enum blk_layout layout,
                  bool persistent, const struct blk_disk *disk, u8 *buffers);
/* Ends the connection. Jobs that the disk has are its own until it answers them. */
void blkback_close(struct blkback *b);
/* Takes up to `most` requests, as far as there are jobs; true when there is more to take. */
bool blkback_run(struct blkback *b, u32 most);
/* The disk is done with a job: 0 or a negative Xen errno. -XEN_EOPNOTSUPP: not with this disk. */
void blkback_answer(struct blk_job *j, int error);
void blkback_flush(struct blkback *b);
/* True when nothing can be done before the front end kicks or the disk answers. */
bool blkback_idle(struct blkback *b);

/* The disk behind a back end, found by the linker: begins the job, which lies within the disk
 * and is no write to a read-only one. What is written is durable after a flush that was
 * begun when the write had been answered. */
void split_disk_begin(void *disk, struct blk_job *j);

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
    RING_IDX due;     /* what had been asked at the last prompt */
    u64 kicks, again; /* again: of the kicks, those of a prompt */
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
/* When answers are overdue: kicks again when what was asked before the last call has none. */
void blkfront_prompt(struct blkfront *f);

#endif
