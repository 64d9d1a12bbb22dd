/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk's sectors held before they were last written, of as many as were written lately: what a
 * stale read brings.
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

#endif
