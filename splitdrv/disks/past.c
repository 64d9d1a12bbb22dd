/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of sectors; the latest of one that is there twice counts.
 */
#include "splitdrv/disks/past.h"

void past_keep(struct past *p, u64 sector, const u8 *bytes, u64 sectors)
{
    for (u64 i = 0; i < sectors; i++) {
        u64 at = p->next++ % PAST_SECTORS;

        p->kept[at].sector = sector + i;
        memcpy(p->kept[at].bytes, bytes + i * BLK_SECTOR, BLK_SECTOR);
    }
}

const u8 *past_of(const struct past *p, u64 sector)
{
    u64 count = MIN(p->next, (u64)PAST_SECTORS);

    for (u64 back = 1; back <= count; back++) {
        u64 at = (p->next - back) % PAST_SECTORS;

        if (p->kept[at].sector == sector)
            return p->kept[at].bytes;
    }
    return NULL;
}

u64 past_undo(struct past *p, u64 since, u8 *bytes)
{
    u64 count = MIN(p->next - since, (u64)PAST_SECTORS);

    for (u64 back = 1; back <= count; back++) {
        u64 at = (p->next - back) % PAST_SECTORS;

        memcpy(bytes + p->kept[at].sector * BLK_SECTOR, p->kept[at].bytes, BLK_SECTOR);
    }
    p->next -= count;
    return count;
}
