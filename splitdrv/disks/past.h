/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk's sectors held before they were last written, of as many as were written lately: what a
 * stale read brings, and what is there again when the power fails before a flush.
 */
#ifndef SPLITDRV_DISKS_PAST_H
#define SPLITDRV_DISKS_PAST_H

#include "splitdrv/blk.h"

enum { PAST_SECTORS = 248 };

/* All zero: nothing was written. */
struct past {
    u64 next; /* counts up */
    struct {
        u64 sector;
        u8 bytes[BLK_SECTOR];
    } kept[PAST_SECTORS];
};

/* Keeps what `sectors` at `sector`, now at `bytes`, hold. */
void past_keep(struct past *p, u64 sector, const u8 *bytes, u64 sectors);
/* What the sector held before its last write; NULL: it was not written, or too long ago. */
const u8 *past_of(const struct past *p, u64 sector);
/* Puts back what the sectors of the disk at `bytes` held before all that was kept since `next` was
 * `since`, as far as it is still there. How many writes of a sector that undid. */
u64 past_undo(struct past *p, u64 since, u8 *bytes);

#endif
