/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes of a file: reading with read-ahead, writing with contiguous growth, cutting.
 *
 * What a file shows is what was written to it: bytes between its size and the end of its
 * last block are whatever the disk held, so growth fills them before they can be seen.
 */
#include "base/memory.h"
#include "guest/servers/fs/store.h"

enum { WRITE_STEP = 16, GROW_MOST = 128 }; /* blocks */

static bool journalled(const struct row *row)
{
    return row->kind == FS_DIRECTORY || row->file == FS_QUOTAS;
}

/* Where block `index` of the file lies, and how many follow it there. */
static int locate(struct store *s, const struct row *row, u32 index, u32 *block, u32 *run)
{
    struct extent_cursor at = {0, 0};
    u32 start, count;

    for (;;) {
        int error = extent_next(s, row, &at, &start, &count);

        if (error)
            return error == FS_E_NONE ? FS_E_DAMAGED : error;
        if (index < count) {
            *block = start + index;
            *run = count - index;
            return FS_OK;
        }
        index -= count;
    }
}

/* Fetches what will be wanted: the whole request, and more when reading goes in order. */
static int fetch(struct store *s, u32 file, u32 index, u32 wanted, u32 block, u32 run)
{
    bool in_order = s->ahead.file == file && s->ahead.next_block == index;

    s->ahead.file = file;
    s->ahead.next_block = index + wanted;
    return cache_prefetch(&s->cache, block, wanted, in_order ? run : wanted);
}

static s64 read_run(struct store *s, const struct row *row, u64 offset, u8 *to, size_t len)
{
    u32 block, run, in = (u32)(offset % FS_BLOCK);
    u32 wanted = (u32)((in + len + FS_BLOCK - 1) / FS_BLOCK);
    size_t done = 0;
    int error = locate(s, row, (u32)(offset / FS_BLOCK), &block, &run);

    if (!error)
        error = fetch(s, row->file, (u32)(offset / FS_BLOCK), MIN(wanted, run), block, run);
    for (; !error && done < len && run; block++, run--, in = 0) {
        u32 part = (u32)MIN(len - done, (size_t)(FS_BLOCK - in));

        error = cache_read(&s->cache, block, in, to + done, part);
        done += part;
    }
    return error ? error : (s64)done;
}

s64 store_read(struct store *s, u32 file, u64 offset, void *to, size_t len)
{
    struct row row;
    size_t done = 0;
    int error = row_read(s, file, &row);

    if (error)
        return error;
    if (row.kind != FS_FILE && row.kind != FS_DIRECTORY)
        return FS_E_NONE;
    if (offset >= row.size)
        return 0;
    len = (size_t)MIN((u64)len, row.size - offset);
    while (done < len) {
        s64 n = read_run(s, &row, offset + done, (u8 *)to + done, len - done);

        if (n < 0)
            return n;
        done += (size_t)n;
    }
    return (s64)done;
}

/* Blocks until the file can hold `size` bytes; more than asked as it gets larger, so that
 * files that grow together do not interleave. */
static int grow(struct store *s, struct row *row, u64 size)
{
    while ((u64)extent_data_blocks(row) * FS_BLOCK < size) {
        u32 have = extent_data_blocks(row), had = row->blocks;
        u32 need = (u32)((size + FS_BLOCK - 1) / FS_BLOCK) - have;
        u32 want = MAX(need, MIN(have / 2, (u32)GROW_MOST));
        u32 goal = 0, count, run, start;
        int error = quota_allows(s, row->owner, need + 1);

        if (error)
            return error;
        if (quota_allows(s, row->owner, want + 1) || s->space.free < s->blocks / 8)
            want = need;
        if (have && locate(s, row, have - 1, &goal, &run))
            return FS_E_DAMAGED;
        error = space_take(&s->space, have ? goal + 1 : 0, want, &start, &count);
        if (error)
            return error;
        error = extent_append(s, row, start, count);
        if (error)
            return error;
        quota_charge(s, row->owner, had, row->blocks);
    }
    return FS_OK;
}

/* Writes at most WRITE_STEP blocks; NULL writes zeros. */
static int put_step(struct store *s, struct row *row, u64 offset, const u8 *from, size_t len)
{
    size_t done = 0;

    while (done < len) {
        u32 index = (u32)((offset + done) / FS_BLOCK), in = (u32)((offset + done) % FS_BLOCK);
        u32 part = (u32)MIN(len - done, (size_t)(FS_BLOCK - in));
        u32 block, run;
        u8 fresh[FS_BLOCK] = {0};
        bool first_use = (u64)index * FS_BLOCK >= row->size;
        int error = locate(s, row, index, &block, &run);

        if (error)
            return error;
        if (from)
            memcpy(fresh + in, from + done, part);
        if (first_use) /* all of it, rather than read what the disk held before */
            error = cache_write(&s->cache, block, 0, fresh, FS_BLOCK, journalled(row));
        else
            error = cache_write(&s->cache, block, in, fresh + in, part, journalled(row));
        if (error)
            return error;
        done += part;
        row->size = MAX(row->size, offset + done);
    }
    return FS_OK;
}

/* One step that a commit may follow: blocks, bytes and row agree again. */
static s64 write_step(struct store *s, struct row *row, u64 offset, const u8 *from, u64 len)
{
    size_t part = (size_t)MIN(len, WRITE_STEP * FS_BLOCK - offset % FS_BLOCK);
    int error = store_make_room(s), kept;

    if (error)
        return error;
    error = grow(s, row, offset + part);
    if (error == FS_E_FULL && !s->held && !row_write(s, row) && !store_sync(s))
        error = grow(s, row, offset + part); /* what was given back is free only now */
    if (!error)
        error = put_step(s, row, offset, from, part);
    row->changed = s->now_ns;
    kept = row_write(s, row);
    return error ? error : kept ? kept : (s64)part;
}

/* Writes `len` bytes, or zeros where `from` is NULL. */
static s64 write_bytes(struct store *s, struct row *row, u64 offset, const u8 *from, u64 len)
{
    u64 done = 0;

    while (done < len) {
        s64 n = write_step(s, row, offset + done, from ? from + done : NULL, len - done);

        if (n < 0)
            return from && done ? (s64)done : n;
        done += (u64)n;
    }
    return (s64)done;
}

s64 store_write(struct store *s, u32 file, u64 offset, const void *from, size_t len)
{
    struct row row;
    int error = row_read(s, file, &row);

    if (error)
        return error;
    if (row.kind != FS_FILE && row.kind != FS_DIRECTORY)
        return FS_E_NONE;
    if (offset > FS_FILE_MAX || len > FS_FILE_MAX - offset)
        return FS_E_BIG;
    if (len && offset > row.size) {
        s64 filled = write_bytes(s, &row, row.size, NULL, offset - row.size);

        if (filled < 0)
            return filled;
    }
    return write_bytes(s, &row, offset, from, len);
}

/* Gives back whole blocks past `size`, a bounded number a step. */
static int cut(struct store *s, struct row *row, u64 size)
{
    u32 keep = (u32)((size + FS_BLOCK - 1) / FS_BLOCK);

    while (extent_data_blocks(row) > keep) {
        u32 had = row->blocks;
        int error = store_make_room(s), kept;

        if (error)
            return error;
        error = extent_drop(s, row,
                            MIN(extent_data_blocks(row) - keep, (u32)FS_BITS_PER_BLOCK));
        quota_charge(s, row->owner, had, row->blocks);
        row->size = MIN(row->size, (u64)extent_data_blocks(row) * FS_BLOCK);
        kept = row_write(s, row);
        if (error || kept)
            return error ? error : kept;
    }
    return FS_OK;
}

int store_resize(struct store *s, u32 file, u64 size)
{
    struct row row;
    int error = row_read(s, file, &row);

    if (error)
        return error;
    if (row.kind == FS_FREE)
        return FS_E_NONE;
    if (size > FS_FILE_MAX)
        return FS_E_BIG;
    if (size > row.size) {
        s64 filled = write_bytes(s, &row, row.size, NULL, size - row.size);

        if (filled < 0)
            return (int)filled;
    }
    error = cut(s, &row, size);
    if (error || row.size <= size)
        return error;
    error = store_make_room(s);
    if (error)
        return error;
    row.size = size;
    row.changed = s->now_ns;
    return row_write(s, &row);
}
