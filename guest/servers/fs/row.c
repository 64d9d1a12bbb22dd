/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the file table: between disk form and struct row, with the checks that make the
 * rest of the store safe from a damaged disk.
 */
#include "base/memory.h"
#include "guest/servers/fs/store.h"

static u32 block_of(const struct store *s, u32 file)
{
    return s->table + file / FS_ROWS_PER_BLOCK;
}

static u32 offset_of(u32 file)
{
    return file % FS_ROWS_PER_BLOCK * FS_ROW;
}

static bool run_allowed(const struct store *s, u32 start, u32 count)
{
    return count && start >= s->space.first && count <= s->blocks && start <= s->blocks - count;
}

int row_read(struct store *s, u32 file, struct row *row)
{
    u8 raw[FS_ROW];
    int error;

    if (!file || file >= s->rows)
        return FS_E_NONE;
    error = cache_read(&s->cache, block_of(s, file), offset_of(file), raw, FS_ROW);
    if (error)
        return error;
    *row = (struct row){
        .file = file,
        .kind = be16_get(raw + FS_R_KIND),
        .extents = be16_get(raw + FS_R_EXTENTS),
        .generation = be32_get(raw + FS_R_GENERATION),
        .size = be64_get(raw + FS_R_SIZE),
        .owner = be32_get(raw + FS_R_OWNER),
        .blocks = be32_get(raw + FS_R_BLOCKS),
        .more = be32_get(raw + FS_R_MORE),
        .changed = be64_get(raw + FS_R_CHANGED),
    };
    if (row->kind > FS_DYING || row->size > FS_FILE_MAX || row->blocks > s->blocks)
        return FS_E_DAMAGED;
    if (row->extents > FS_ROW_EXTENTS && !run_allowed(s, row->more, 1))
        return FS_E_DAMAGED;
    for (u32 i = 0; i < MIN(row->extents, FS_ROW_EXTENTS); i++) {
        row->extent[i].start = be32_get(raw + FS_R_EXTENT + i * 8);
        row->extent[i].count = be32_get(raw + FS_R_EXTENT + i * 8 + 4);
        if (!run_allowed(s, row->extent[i].start, row->extent[i].count))
            return FS_E_DAMAGED;
    }
    return FS_OK;
}

int row_write(struct store *s, const struct row *row)
{
    u8 raw[FS_ROW] = {0};

    be16_put(raw + FS_R_KIND, row->kind);
    be16_put(raw + FS_R_EXTENTS, row->extents);
    be32_put(raw + FS_R_GENERATION, row->generation);
    be64_put(raw + FS_R_SIZE, row->size);
    be32_put(raw + FS_R_OWNER, row->owner);
    be32_put(raw + FS_R_BLOCKS, row->blocks);
    be32_put(raw + FS_R_MORE, row->more);
    be64_put(raw + FS_R_CHANGED, row->changed);
    for (u32 i = 0; i < MIN(row->extents, FS_ROW_EXTENTS); i++) {
        be32_put(raw + FS_R_EXTENT + i * 8, row->extent[i].start);
        be32_put(raw + FS_R_EXTENT + i * 8 + 4, row->extent[i].count);
    }
    return cache_write(&s->cache, block_of(s, row->file), offset_of(row->file), raw, FS_ROW,
                       true);
}

int row_find_free(struct store *s, u32 *file)
{
    for (u32 tried = 0; tried < s->rows; tried++) {
        u32 at = s->next_row + tried;
        struct row row;
        int error;

        at = at < s->rows ? at : at - s->rows;
        if (at < FS_FIRST_FREE)
            continue;
        error = row_read(s, at, &row);
        if (error == FS_E_DAMAGED)
            continue;
        if (error)
            return error;
        if (row.kind == FS_FREE) {
            s->next_row = at + 1 < s->rows ? at + 1 : FS_FIRST_FREE;
            *file = at;
            return FS_OK;
        }
    }
    return FS_E_FULL;
}
