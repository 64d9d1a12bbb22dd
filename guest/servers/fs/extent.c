/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extents of a file: nine in its row, the rest in a chain of extent blocks. A file that
 * grows contiguously has one, so the chain is the exception and is walked, not indexed.
 */
#include "base/memory.h"
#include "guest/servers/fs/store.h"

static u32 chain_length(u32 extents)
{
    return extents <= FS_ROW_EXTENTS
               ? 0
               : (extents - FS_ROW_EXTENTS + FS_MORE_EXTENTS - 1) / FS_MORE_EXTENTS;
}

u32 extent_data_blocks(const struct row *row)
{
    u32 chain = chain_length(row->extents);

    return row->blocks > chain ? row->blocks - chain : 0;
}

static bool allowed(const struct store *s, u32 start, u32 count)
{
    return count && start >= s->space.first && count <= s->blocks && start <= s->blocks - count;
}

/* Checks the magic of an extent block and reads its successor. */
static int next_block(struct store *s, u32 block, u32 *next)
{
    u8 head[FS_M_EXTENT];
    int error = cache_read(&s->cache, block, 0, head, FS_M_EXTENT);

    if (error)
        return error;
    *next = be32_get(head + FS_M_NEXT);
    if (be32_get(head + FS_M_MAGIC) != FS_MORE_MAGIC || (*next && !allowed(s, *next, 1)))
        return FS_E_DAMAGED;
    return FS_OK;
}

/* Stands the cursor at the extent block that holds extent `index` (>= FS_ROW_EXTENTS). */
static int step_block(struct store *s, const struct row *row, struct extent_cursor *at)
{
    u32 next;
    int error;

    if (at->index == FS_ROW_EXTENTS) {
        at->more = row->more;
        return next_block(s, at->more, &next);
    }
    if ((at->index - FS_ROW_EXTENTS) % FS_MORE_EXTENTS)
        return FS_OK;
    error = next_block(s, at->more, &next);
    if (error)
        return error;
    if (!next)
        return FS_E_DAMAGED;
    at->more = next;
    return next_block(s, next, &next);
}

/* The extent at the cursor; the cursor moves on. FS_E_NONE after the last. */
int extent_next(struct store *s, const struct row *row, struct extent_cursor *at, u32 *start,
                u32 *count)
{
    u8 raw[8];
    int error;

    if (at->index >= row->extents)
        return FS_E_NONE;
    if (at->index < FS_ROW_EXTENTS) {
        *start = row->extent[at->index].start;
        *count = row->extent[at->index].count;
        at->index++;
        return FS_OK;
    }
    error = step_block(s, row, at);
    if (error)
        return error;
    error = cache_read(&s->cache, at->more,
                       FS_M_EXTENT + (at->index - FS_ROW_EXTENTS) % FS_MORE_EXTENTS * 8, raw,
                       8);
    if (error)
        return error;
    *start = be32_get(raw);
    *count = be32_get(raw + 4);
    at->index++;
    return allowed(s, *start, *count) ? FS_OK : FS_E_DAMAGED;
}

/* The last block of the chain (0: none). */
static int last_block(struct store *s, const struct row *row, u32 *last, u32 *before)
{
    u32 chain = chain_length(row->extents), next = row->more;

    *last = *before = 0;
    for (u32 i = 0; i < chain; i++) {
        int error;

        *before = *last;
        *last = next;
        error = next_block(s, *last, &next);
        if (error)
            return error;
        if (i + 1 < chain && !next)
            return FS_E_DAMAGED;
    }
    return FS_OK;
}

/* Writes extent `index`, whose place exists. */
static int put(struct store *s, struct row *row, u32 index, u32 block, u32 start, u32 count)
{
    u8 raw[8];

    if (index < FS_ROW_EXTENTS) {
        row->extent[index].start = start;
        row->extent[index].count = count;
        return FS_OK;
    }
    be32_put(raw, start);
    be32_put(raw + 4, count);
    return cache_write(&s->cache, block,
                       FS_M_EXTENT + (index - FS_ROW_EXTENTS) % FS_MORE_EXTENTS * 8, raw, 8,
                       true);
}

/* Adds an extent block to the chain. */
static int grow_chain(struct store *s, struct row *row, u32 last, u32 *block)
{
    u8 raw[FS_BLOCK] = {0}, link[4];
    u32 got;
    int error = space_take(&s->space, 0, 1, block, &got);

    if (error)
        return error;
    be32_put(raw + FS_M_MAGIC, FS_MORE_MAGIC);
    row->blocks++;
    error = cache_write(&s->cache, *block, 0, raw, FS_BLOCK, true);
    if (error)
        return error;
    if (!last) {
        row->more = *block;
        return FS_OK;
    }
    be32_put(link, *block);
    return cache_write(&s->cache, last, FS_M_NEXT, link, 4, true);
}

/* Reads extent `index` when the chain's last block is known. */
static int get(struct store *s, const struct row *row, u32 index, u32 block, u32 *start,
               u32 *count)
{
    struct extent_cursor at = {index, block};

    /* The cursor reloads at a block's first extent; it must then find this very block. */
    if (index >= FS_ROW_EXTENTS && (index - FS_ROW_EXTENTS) % FS_MORE_EXTENTS == 0) {
        u8 raw[8];
        int error = cache_read(&s->cache, block, FS_M_EXTENT, raw, 8);

        *start = be32_get(raw);
        *count = be32_get(raw + 4);
        return error ? error : allowed(s, *start, *count) ? FS_OK : FS_E_DAMAGED;
    }
    return extent_next(s, row, &at, start, count);
}

int extent_append(struct store *s, struct row *row, u32 start, u32 count)
{
    u32 last, before, have_start, have_count;
    int error = last_block(s, row, &last, &before);

    if (error)
        return error;
    row->blocks += count;
    if (row->extents) {
        error = get(s, row, row->extents - 1u, last, &have_start, &have_count);
        if (error)
            return error;
        if (have_start + have_count == start)
            return put(s, row, row->extents - 1u, last, have_start, have_count + count);
    }
    if (row->extents == UINT16_MAX)
        return FS_E_BIG;
    if (chain_length(row->extents + 1u) > chain_length(row->extents)) {
        error = grow_chain(s, row, last, &last);
        if (error)
            return error;
    }
    return put(s, row, row->extents++, last, start, count);
}

/* Takes the last extent off the row, and the chain's last block if that becomes empty. */
static int forget_last(struct store *s, struct row *row, u32 last, u32 before)
{
    u8 none[4] = {0};
    int error;

    row->extents--;
    if (chain_length(row->extents) == chain_length(row->extents + 1u))
        return FS_OK;
    row->blocks--;
    error = space_give(&s->space, last, 1);
    if (error || before)
        return error ? error : cache_write(&s->cache, before, FS_M_NEXT, none, 4, true);
    row->more = 0;
    return FS_OK;
}

int extent_drop(struct store *s, struct row *row, u32 most)
{
    u32 last, before, start, count, drop;
    int error;

    if (!row->extents || !most)
        return FS_OK;
    error = last_block(s, row, &last, &before);
    if (!error)
        error = get(s, row, row->extents - 1u, last, &start, &count);
    if (error)
        return error;
    drop = MIN(count, most);
    if (row->blocks < drop)
        return FS_E_DAMAGED;
    error = space_give(&s->space, start + count - drop, drop);
    if (error)
        return error;
    row->blocks -= drop;
    if (drop < count)
        return put(s, row, row->extents - 1u, last, start, count - drop);
    return forget_last(s, row, last, before);
}
