/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file system's disk (guest/servers/fs/disk.h): requests to the disk interface whose
 * link is "disk".
 */
#include "guest/servers/files/disk.h"
#include "guest/lib/words.h"
#include "guest/servers/fs/disk.h"
#include "guest/servers/fs/format.h"

static int ask(enum disk_op op, u64 block, u64 count, s64 area, u64 *blocks)
{
    struct words w;
    s64 result;

    if (area < 0)
        return FS_E_IO;
    words_start(&w, op);
    words_put(&w, block);
    words_put(&w, count);
    result = words_call(demos_link("disk"), &w, &area, area > 0, NULL);
    *blocks = words_get(&w);
    return result < 0 ? FS_E_IO : FS_OK;
}

int disk_read(struct disk *d, u64 block, u32 count, void *to)
{
    u64 blocks;

    (void)d;
    return ask(DISK_READ, block, count,
               demos_link_area(DEMOS_GIVE | DEMOS_AREA_WRITE, to, (size_t)count * FS_BLOCK),
               &blocks);
}

int disk_write(struct disk *d, u64 block, u32 count, const void *from)
{
    u64 blocks;

    (void)d;
    return ask(DISK_WRITE, block, count,
               demos_link_area(DEMOS_GIVE | DEMOS_AREA_READ, from, (size_t)count * FS_BLOCK),
               &blocks);
}

int disk_flush(struct disk *d)
{
    u64 blocks;

    (void)d;
    return ask(DISK_FLUSH, 0, 0, 0, &blocks);
}

u64 disk_blocks(struct disk *d)
{
    u64 blocks = 0;

    (void)d;
    return ask(DISK_SIZE, 0, 0, 0, &blocks) == FS_OK ? blocks : 0;
}
