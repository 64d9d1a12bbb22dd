/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/store.h"
#include "base/crc32.h"
#include "base/memory.h"

/* Blocks that one step of any operation may add to the journal: a write step of 16 blocks
 * on a fragmented directory touches 16 of them, 16 bitmap blocks, two extent blocks, the
 * row and its neighbours. */
enum { STEP_BLOCKS = 40 };

static u32 journal_limit(const struct store *s)
{
    return MIN(journal_room(s->journal.len), s->cache.count / 2);
}

static int commit(struct store *s)
{
    int error = journal_commit(&s->journal, &s->cache);

    if (!error)
        space_committed(&s->space);
    return error;
}

int store_make_room(struct store *s)
{
    if (s->cache.journalled + STEP_BLOCKS <= journal_limit(s))
        return FS_OK;
    return s->held ? FS_E_FULL : commit(s);
}

/* --- mounting ------------------------------------------------------------------------ */

static bool believable(const u8 *super, u64 disk_size)
{
    u32 blocks = be32_get(super + FS_S_BLOCKS), journal = be32_get(super + FS_S_JOURNAL);
    u32 journal_len = be32_get(super + FS_S_JOURNAL_LEN);
    u32 bitmap = be32_get(super + FS_S_BITMAP), table = be32_get(super + FS_S_TABLE);
    u32 table_len = be32_get(super + FS_S_TABLE_LEN), data = be32_get(super + FS_S_DATA);
    u32 bitmap_len = blocks / FS_BITS_PER_BLOCK + (blocks % FS_BITS_PER_BLOCK != 0);

    if (be64_get(super + FS_S_MAGIC) != FS_SUPER_MAGIC ||
        be32_get(super + FS_S_VERSION) != FS_VERSION ||
        be32_get(super + FS_S_CRC) != crc32(0, super, FS_S_CRC))
        return false;
    return blocks <= disk_size && journal == 1 && journal_len >= STORE_JOURNAL_MIN &&
           bitmap == (u64)journal + journal_len && table == (u64)bitmap + bitmap_len &&
           table_len && data == (u64)table + table_len && data < blocks;
}

static int read_super(struct store *s, struct disk *disk, u32 *bitmap, u32 *data)
{
    u8 super[FS_BLOCK];
    int error = disk_read(disk, 0, 1, super);

    if (error)
        return error;
    if (!believable(super, disk_blocks(disk)))
        return FS_E_DAMAGED;
    s->blocks = be32_get(super + FS_S_BLOCKS);
    s->journal.start = be32_get(super + FS_S_JOURNAL);
    s->journal.len = be32_get(super + FS_S_JOURNAL_LEN);
    s->table = be32_get(super + FS_S_TABLE);
    s->rows = be32_get(super + FS_S_TABLE_LEN) * FS_ROWS_PER_BLOCK;
    s->next_row = FS_FIRST_FREE;
    *bitmap = be32_get(super + FS_S_BITMAP);
    *data = be32_get(super + FS_S_DATA);
    return FS_OK;
}

static int count_dying(struct store *s)
{
    for (u32 file = 1; file < s->rows; file++) {
        struct row row;
        int error = row_read(s, file, &row);

        if (error == FS_E_DAMAGED)
            continue; /* that file's alone, and fsck's to say */
        if (error)
            return error;
        s->dying += row.kind == FS_DYING;
    }
    return FS_OK;
}

static int load(struct store *s, u32 bitmap, u32 data)
{
    int error = journal_recover(&s->journal, &s->cache, s->blocks);

    if (error)
        return error;
    error = space_init(&s->space, &s->cache, bitmap, data, s->blocks);
    if (!error)
        error = quota_load(s);
    return error ? error : count_dying(s);
}

int store_open(struct store *s, struct disk *disk, struct heap *heap, u32 cache_blocks)
{
    u32 bitmap, data;
    int error;

    *s = (struct store){0};
    error = read_super(s, disk, &bitmap, &data);
    if (error)
        return error;
    error = cache_init(&s->cache, disk, heap, MAX(cache_blocks, (u32)STORE_CACHE_MIN));
    if (error)
        return error;
    error = load(s, bitmap, data);
    if (error) {
        quota_forget(s);
        if (s->space.used)
            space_destroy(&s->space);
        cache_destroy(&s->cache);
    }
    return error;
}

int store_close(struct store *s)
{
    int error = store_sync(s);

    quota_forget(s);
    space_destroy(&s->space);
    cache_destroy(&s->cache);
    return error;
}

/* --- files --------------------------------------------------------------------------- */

int store_look(struct store *s, u32 file, struct row *row)
{
    int error = row_read(s, file, row);

    if (error)
        return error;
    return row->kind == FS_FILE || row->kind == FS_DIRECTORY ? FS_OK : FS_E_NONE;
}

int store_create(struct store *s, enum fs_kind kind, u32 owner, u32 *file)
{
    struct row row;
    int error = store_make_room(s);

    if (!error)
        error = quota_allows(s, owner, 1);
    if (!error)
        error = row_find_free(s, file);
    if (!error)
        error = row_read(s, *file, &row);
    if (error)
        return error;
    row = (struct row){.file = *file,
                       .generation = row.generation + 1,
                       .kind = (u16)kind,
                       .owner = owner,
                       .changed = s->now_ns};
    return row_write(s, &row);
}

int store_delete(struct store *s, u32 file)
{
    struct row row;
    int error = store_look(s, file, &row);

    if (!error && file < FS_FIRST_FREE)
        error = FS_E_BUSY;
    if (!error)
        error = store_make_room(s);
    if (error)
        return error;
    row.kind = FS_DYING;
    row.size = 0;
    s->dying++;
    return row_write(s, &row);
}

/* Gives back what one dying file holds, then its row. */
static int reap_one(struct store *s, struct row *row)
{
    int error = store_resize(s, row->file, 0);

    if (!error)
        error = store_make_room(s);
    if (!error)
        error = row_read(s, row->file, row);
    if (error)
        return error;
    row->kind = FS_FREE;
    s->dying--;
    return row_write(s, row);
}

static int reap(struct store *s)
{
    for (u32 file = FS_FIRST_FREE; s->dying && file < s->rows; file++) {
        struct row row;
        int error = row_read(s, file, &row);

        if (error == FS_E_DAMAGED)
            continue; /* that file's alone, and fsck's to say */
        if (!error && row.kind == FS_DYING)
            error = reap_one(s, &row);
        if (error)
            return error;
    }
    return FS_OK;
}

/* --- commits ------------------------------------------------------------------------- */

void store_begin(struct store *s)
{
    if (!s->held++ && s->cache.journalled + 2 * STEP_BLOCKS > journal_limit(s))
        commit(s); /* an error comes back with the first step that finds no room */
}

void store_end(struct store *s)
{
    s->held--;
}

int store_sync(struct store *s)
{
    int error;

    if (s->held)
        return FS_E_BUSY;
    error = s->dying ? reap(s) : FS_OK;
    return error ? error : commit(s);
}
