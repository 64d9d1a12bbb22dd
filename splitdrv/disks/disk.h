/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk of the disk domain: memory, or a device of the machine; and what goes wrong with it
 * on demand. Pure: time is an argument, decisions are drawn by key (seed, disk, request).
 */
#ifndef SPLITDRV_DISKS_DISK_H
#define SPLITDRV_DISKS_DISK_H

#include "splitdrv/blk.h"
#include "splitdrv/disks/past.h"

enum { DISK_NAME = 32 };

/* Probabilities in parts of 2^32. All zero: nothing goes wrong. */
struct disk_faults {
    u64 error;    /* a request fails, and nothing of it is done */
    u64 torn;     /* a write fails after its first few sectors */
    u64 lost;     /* a write is answered as done, and is not */
    u64 stray;    /* a write goes to another place of the disk */
    u64 stale;    /* a read brings what was there before the last write */
    u64 delay_ns; /* each request takes so much longer */
    u64 full;     /* not 0: every write fails */
};

/* What struck a request; trace records say so, `who` being the low half of disk.object. */
enum disk_why {
    DISK_WHY_ERROR,
    DISK_WHY_TORN,
    DISK_WHY_LOST,
    DISK_WHY_FULL,
    DISK_WHY_STRAY,
    DISK_WHY_STALE,
    DISK_WHY_CACHED, /* a write that the power's failing would undo */
    DISK_WHY_LATE
};
enum { DISK_T_STRUCK = 0x9200 }; /* a = enum disk_why, b = number of the request */

struct disk {
    struct disk *next;
    char id[DISK_NAME], name[DISK_NAME]; /* here, and outside */
    u64 sectors;
    bool readonly, discards;
    u8 *bytes;         /* the memory it is, or NULL */
    struct past *past; /* of a memory disk, once a fault needs it; else NULL */
    bool cached;  /* writes are in a cache of so many sectors until a flush or the next ones */
    u64 durable;  /* past->next when all before it was flushed */
    void *device; /* or whom disk_down_begin gives its jobs */
    struct disk_faults faults;
    u64 seed, object, count; /* of requests so far */
    void *writer;            /* who may write it now, or NULL */
    struct blk_job *waiting; /* delayed, the earliest first */
};

/* `name` decides, with the seed, what befalls it. */
void disk_init(struct disk *d, const char *id, const char *name, u64 seed);
/* Takes a job, at `now`: answered before it returns, by a later disk_run, or by the device. */
void disk_begin(struct disk *d, struct blk_job *j, u64 now);
/* Does what is due. */
void disk_run(struct disk *d, u64 now);
/* When the next is due, or ~0. */
u64 disk_deadline(const struct disk *d);

/* Of a memory disk with a past: from now on what is written is lost when the power fails before a
 * flush, and then (`on` false) it fails. How many writes of a sector were lost. */
u64 disk_cache(struct disk *d, bool on);

/* A device has done a job. */
void disk_done(struct blk_job *j, int error);

/* Found by the linker: whoever gave the job gets the answer; a device gets a job and answers
 * by disk_done. */
void disk_up_answer(struct blk_job *j, int error);
void disk_down_begin(void *device, struct blk_job *j);
/* A fault befalls the disk's request d->count. */
void disk_up_struck(const struct disk *d, enum disk_why why);

#endif
