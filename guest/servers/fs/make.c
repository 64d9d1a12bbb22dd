/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lays an empty file system on a disk. The superblock comes last, behind a barrier: a disk
 * that was not finished is not mounted.
 */
#include "base/crc32.h"
#include "base/memory.h"
#include "guest/servers/fs/store.h"

struct layout {
    u32 blocks, journal, journal_len, bitmap, bitmap_len, table, table_len, data;
};

static bool plan(struct layout *l, u64 blocks, u32 rows)
{
    if (blocks > UINT32_MAX || blocks < 2 * STORE_JOURNAL_MIN)
        return false;
    *l = (struct layout){.blocks = (u32)blocks, .journal = 1};
    l->journal_len = MIN(MAX(l->blocks / 64, (u32)STORE_JOURNAL_MIN), 2048);
    l->bitmap = l->journal + l->journal_len;
    l->bitmap_len = (l->blocks + FS_BITS_PER_BLOCK - 1) / FS_BITS_PER_BLOCK;
    l->table = l->bitmap + l->bitmap_len;
    rows = rows ? rows : MIN(MAX(l->blocks / 16, 64u), 65536u);
    l->table_len = (rows + FS_ROWS_PER_BLOCK - 1) / FS_ROWS_PER_BLOCK;
    if (l->table_len >= l->blocks - l->table)
        return false;
    l->data = l->table + l->table_len;
    return true;
}

static int clear(struct disk *disk, u32 from, u32 to, u8 *zeros)
{
    int error = FS_OK;

    for (u32 at = from; !error && at < to; at += CACHE_RUN)
        error = disk_write(disk, at, MIN(to - at, (u32)CACHE_RUN), zeros);
    return error;
}

static int write_bitmap(struct disk *disk, const struct layout *l)
{
    for (u32 i = 0; i < l->bitmap_len; i++) {
        u8 block[FS_BLOCK] = {0};
        int error;

        for (u32 k = 0; k < FS_BITS_PER_BLOCK; k++)
            if (i * FS_BITS_PER_BLOCK + k < l->data || i * FS_BITS_PER_BLOCK + k >= l->blocks)
                block[k / 8] = (u8)(block[k / 8] | 1 << (k % 8));
        error = disk_write(disk, l->bitmap + i, 1, block);
        if (error)
            return error;
    }
    return FS_OK;
}

static int write_first_rows(struct disk *disk, const struct layout *l)
{
    u8 block[FS_BLOCK] = {0};

    be16_put(block + FS_ROOT * FS_ROW + FS_R_KIND, FS_DIRECTORY);
    be32_put(block + FS_ROOT * FS_ROW + FS_R_GENERATION, 1);
    be16_put(block + FS_QUOTAS * FS_ROW + FS_R_KIND, FS_FILE);
    be32_put(block + FS_QUOTAS * FS_ROW + FS_R_GENERATION, 1);
    return disk_write(disk, l->table, 1, block);
}

static int write_super(struct disk *disk, const struct layout *l)
{
    u8 block[FS_BLOCK] = {0};

    be64_put(block + FS_S_MAGIC, FS_SUPER_MAGIC);
    be32_put(block + FS_S_VERSION, FS_VERSION);
    be32_put(block + FS_S_BLOCKS, l->blocks);
    be32_put(block + FS_S_JOURNAL, l->journal);
    be32_put(block + FS_S_JOURNAL_LEN, l->journal_len);
    be32_put(block + FS_S_BITMAP, l->bitmap);
    be32_put(block + FS_S_TABLE, l->table);
    be32_put(block + FS_S_TABLE_LEN, l->table_len);
    be32_put(block + FS_S_DATA, l->data);
    be32_put(block + FS_S_CRC, crc32(0, block, FS_S_CRC));
    return disk_write(disk, 0, 1, block);
}

int store_make(struct disk *disk, struct heap *heap, u32 rows)
{
    struct layout l;
    u8 *zeros;
    int error;

    if (!plan(&l, disk_blocks(disk), rows))
        return FS_E_FULL;
    zeros = heap_alloc(heap, CACHE_RUN * FS_BLOCK);
    if (!zeros)
        return FS_E_MEMORY;
    error = clear(disk, 0, l.data, zeros);
    heap_free(heap, zeros, CACHE_RUN * FS_BLOCK);
    if (!error)
        error = write_bitmap(disk, &l);
    if (!error)
        error = write_first_rows(disk, &l);
    if (!error)
        error = disk_flush(disk);
    if (!error)
        error = write_super(disk, &l);
    return error ? error : disk_flush(disk);
}
