/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/check.h"
#include "base/format.h"
#include "base/memory.h"

static void problem(struct check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void problem(struct check *c, const char *fmt, ...)
{
    char text[160];
    va_list args;

    c->problems++;
    va_start(args, fmt);
    vformat(text, sizeof(text), fmt, args);
    va_end(args);
    if (c->say)
        c->say(c, text);
}

/* Somebody else would soon be given it. */
static void marked_free(struct check *c, u32 file, u32 block)
{
    problem(c, "block %u of file %u is marked free", block, file);
    if (c->mend && !store_make_room(c->store) && !space_keep(&c->store->space, block))
        c->mended++;
}

static void hold(struct check *c, u32 file, u32 start, u32 count)
{
    for (u32 n = start; n < start + count; n++) {
        if (c->holders[n])
            problem(c, "block %u of file %u is held twice", n, file);
        if (!space_in_use(&c->store->space, n))
            marked_free(c, file, n);
        c->holders[n] = (u8)MIN(c->holders[n] + 1, 2);
        c->used_blocks++;
    }
}

static void check_extents(struct check *c, const struct row *row)
{
    struct extent_cursor at = {0, 0};
    u32 start, count, data = 0, chain = 0, more = 0;
    int error;

    while (!(error = extent_next(c->store, row, &at, &start, &count))) {
        hold(c, row->file, start, count);
        data += count;
        if (at.more != more) {
            more = at.more;
            hold(c, row->file, more, 1);
            chain++;
        }
    }
    if (error != FS_E_NONE)
        problem(c, "file %u: its extents cannot be read", row->file);
    else if (data + chain != row->blocks)
        problem(c, "file %u says %u blocks but holds %u", row->file, row->blocks, data + chain);
    if ((u64)data * FS_BLOCK < row->size)
        problem(c, "file %u is longer than its blocks", row->file);
}

static void check_rows(struct check *c)
{
    for (u32 file = 1; file < c->rows; file++) {
        struct row row;

        if (row_read(c->store, file, &row)) {
            problem(c, "file %u: its row makes no sense", file);
            continue;
        }
        if (row.kind == FS_FREE)
            continue;
        check_extents(c, &row);
        c->files += row.kind == FS_FILE;
        c->directories += row.kind == FS_DIRECTORY;
    }
}

/* A name of nothing: there is nothing to be lost. */
static void no_such_file(struct check *c, u32 dir, const struct dir_entry *e)
{
    static const u8 none[FS_ENTRY];

    problem(c, "\"%s\" in directory %u names file %u, which is not there", e->name, dir,
            e->file);
    if (c->mend &&
        store_write(c->store, dir, (u64)e->at * FS_ENTRY, none, FS_ENTRY) == FS_ENTRY)
        c->mended++;
}

static void check_entry(struct check *c, u32 dir, const struct dir_entry *e)
{
    struct row row;
    u32 parent;

    if (store_look(c->store, e->file, &row) || row.generation != e->generation) {
        no_such_file(c, dir, e);
        return;
    }
    if (c->named[e->file])
        problem(c, "file %u has a second name \"%s\" in directory %u", e->file, e->name, dir);
    c->named[e->file] = (u8)MIN(c->named[e->file] + 1, 2);
    if (row.kind == FS_DIRECTORY && (dir_parent(c->store, e->file, &parent) || parent != dir))
        problem(c, "directory %u does not know its parent %u", e->file, dir);
}

static void check_names(struct check *c)
{
    for (u32 dir = FS_ROOT; dir < c->rows; dir++) {
        struct dir_entry e;
        struct row row;
        u32 at = 0;
        int error;

        if (store_look(c->store, dir, &row) || row.kind != FS_DIRECTORY)
            continue;
        while (!(error = dir_next(c->store, dir, &at, &e)))
            check_entry(c, dir, &e);
        if (error != FS_E_NONE)
            problem(c, "directory %u cannot be read", dir);
    }
}

static void name_again(struct check *c, const struct row *row)
{
    char name[24];
    size_t len = format(name, sizeof(name), "lost-%u", row->file);
    u8 raw[FS_ENTRY] = {0};
    struct row root;

    be32_put(raw + FS_D_FILE, row->file);
    be32_put(raw + FS_D_GENERATION, row->generation);
    raw[FS_D_LEN] = (u8)len;
    memcpy(raw + FS_D_NAME, name, len);
    if (!store_look(c->store, FS_ROOT, &root) &&
        store_write(c->store, FS_ROOT, MAX(root.size, (u64)FS_ENTRY), raw, FS_ENTRY) ==
            FS_ENTRY)
        c->mended++;
}

static void check_lost(struct check *c)
{
    for (u32 file = FS_FIRST_FREE; file < c->rows; file++) {
        struct row row;

        if (c->named[file] || store_look(c->store, file, &row))
            continue;
        problem(c, "file %u has no name", file);
        if (c->mend)
            name_again(c, &row);
    }
    for (u32 n = c->store->space.first; n < c->blocks; n++) {
        if (c->holders[n] || !space_in_use(&c->store->space, n))
            continue;
        problem(c, "block %u is held by nobody", n);
        if (c->mend && !store_make_room(c->store) && !space_give(&c->store->space, n, 1))
            c->mended++;
    }
}

int check_store(struct check *c)
{
    struct heap *heap = c->store->cache.heap;

    c->blocks = c->store->blocks;
    c->rows = c->store->rows;
    c->problems = c->mended = c->files = c->directories = c->used_blocks = 0;
    c->holders = heap_alloc(heap, c->blocks);
    c->named = heap_alloc(heap, c->rows);
    if (c->holders && c->named) {
        check_rows(c);
        check_names(c);
        check_lost(c);
    }
    heap_free(heap, c->named, c->rows);
    heap_free(heap, c->holders, c->blocks);
    if (!c->holders || !c->named)
        return FS_E_MEMORY;
    return c->mend ? store_sync(c->store) : FS_OK;
}
