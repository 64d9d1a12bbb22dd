/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/journal.h"
#include "base/crc32.h"
#include "base/memory.h"

/* Blocks of the header and list that name `count` blocks. */
static u32 list_blocks(u32 count)
{
    return (FS_J_LIST + count * 4 + FS_BLOCK - 1) / FS_BLOCK;
}

u32 journal_room(u32 len)
{
    u32 count = len;

    while (count && list_blocks(count) + count > len)
        count--;
    return count;
}

static u32 crc_of_header(const u8 *header, size_t len)
{
    u32 crc = crc32(0, header, FS_J_CRC);

    return crc32(crc, header + FS_J_LIST, len - FS_J_LIST);
}

/* Reads the contents and continues the CRC; with `apply` writes them in place instead. */
static int contents(struct journal *j, struct cache *c, const u8 *header, u32 count, u32 *crc,
                    bool apply)
{
    u8 block[FS_BLOCK];

    for (u32 i = 0; i < count; i++) {
        int error = disk_read(c->disk, j->start + list_blocks(count) + i, 1, block);

        if (error)
            return error;
        if (crc)
            *crc = crc32(*crc, block, FS_BLOCK);
        if (apply)
            error = disk_write(c->disk, be32_get(header + FS_J_LIST + (size_t)i * 4), 1, block);
        if (error)
            return error;
    }
    return FS_OK;
}

static bool targets_allowed(const struct journal *j, const u8 *header, u32 count, u32 limit)
{
    for (u32 i = 0; i < count; i++) {
        u32 block = be32_get(header + FS_J_LIST + (size_t)i * 4);

        if (block < j->start + j->len || block >= limit)
            return false;
    }
    return true;
}

static int replay(struct journal *j, struct cache *c, u8 *header, u32 count, u32 limit)
{
    u32 crc;
    int error = disk_read(c->disk, j->start, list_blocks(count), header);

    if (error)
        return error;
    crc = crc_of_header(header, (size_t)list_blocks(count) * FS_BLOCK);
    error = contents(j, c, header, count, &crc, false);
    if (error)
        return error;
    if (crc != be32_get(header + FS_J_CRC))
        return FS_OK; /* torn: that commit never happened */
    if (!targets_allowed(j, header, count, limit))
        return FS_E_DAMAGED;
    j->sequence = be64_get(header + FS_J_SEQUENCE);
    error = contents(j, c, header, count, NULL, true);
    return error ? error : disk_flush(c->disk);
}

int journal_recover(struct journal *j, struct cache *c, u32 limit)
{
    u8 first[FS_BLOCK];
    u32 count;
    u8 *header;
    int error = disk_read(c->disk, j->start, 1, first);

    j->sequence = 0;
    if (error)
        return error;
    count = be32_get(first + FS_J_COUNT);
    if (be32_get(first + FS_J_MAGIC) != FS_JOURNAL_MAGIC || !count ||
        count > journal_room(j->len))
        return FS_OK;
    header = heap_alloc(c->heap, (size_t)list_blocks(count) * FS_BLOCK);
    if (!header)
        return FS_E_MEMORY;
    error = replay(j, c, header, count, limit);
    heap_free(c->heap, header, (size_t)list_blocks(count) * FS_BLOCK);
    return error;
}

static void describe(struct journal *j, struct cache *c, u8 *header, u32 count)
{
    size_t len = (size_t)list_blocks(count) * FS_BLOCK;
    u32 crc;

    be32_put(header + FS_J_MAGIC, FS_JOURNAL_MAGIC);
    be32_put(header + FS_J_COUNT, count);
    be64_put(header + FS_J_SEQUENCE, j->sequence);
    for (u32 i = 0; i < count; i++)
        be32_put(header + FS_J_LIST + (size_t)i * 4, c->buffer[c->order[i]].block);
    crc = crc_of_header(header, len);
    for (u32 i = 0; i < count; i++)
        crc = crc32(crc, c->buffer[c->order[i]].data, FS_BLOCK);
    be32_put(header + FS_J_CRC, crc);
}

static int write_contents(struct journal *j, struct cache *c, u32 count)
{
    u32 at = j->start + list_blocks(count);

    for (u32 i = 0; i < count;) {
        u32 n = MIN(count - i, (u32)CACHE_RUN);
        int error;

        for (u32 k = 0; k < n; k++)
            memcpy(c->run + (size_t)k * FS_BLOCK, c->buffer[c->order[i + k]].data, FS_BLOCK);
        c->writes++;
        error = disk_write(c->disk, at + i, n, c->run);
        if (error)
            return error;
        i += n;
    }
    return FS_OK;
}

static int write_journal(struct journal *j, struct cache *c, u32 count)
{
    size_t len = (size_t)list_blocks(count) * FS_BLOCK;
    u8 *header = heap_alloc(c->heap, len);
    int error;

    if (!header)
        return FS_E_MEMORY;
    j->sequence++;
    describe(j, c, header, count);
    error = disk_write(c->disk, j->start, list_blocks(count), header);
    heap_free(c->heap, header, len);
    if (!error)
        error = write_contents(j, c, count);
    return error ? error : disk_flush(c->disk);
}

int journal_commit(struct journal *j, struct cache *c)
{
    int error = cache_write_data(c);
    u32 count;

    if (!error)
        error = disk_flush(c->disk);
    if (error)
        return error;
    count = cache_list(c, true);
    if (!count)
        return FS_OK;
    if (count > journal_room(j->len))
        return FS_E_FULL;
    error = write_journal(j, c, count);
    if (!error)
        error = cache_write_listed(c, count);
    return error ? error : disk_flush(c->disk);
}
