/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file store: files by number on one disk, what the buffer manager serves. Names are
 * the directory manager's affair (dir.h).
 *
 * Every call leaves the store such that a commit may follow; nothing reaches the medium as
 * a half. Between store_begin and store_end no commit happens, so that what lies between
 * appears together. store_sync returns when every byte written before is safe.
 */
#ifndef GUEST_SERVERS_FS_STORE_H
#define GUEST_SERVERS_FS_STORE_H

#include "guest/servers/fs/journal.h"
#include "guest/servers/fs/space.h"

struct store {
    struct cache cache;
    struct journal journal;
    struct space space;
    u32 blocks, table, rows; /* of the disk; first block and rows of the file table */
    u32 next_row;            /* where the search for a free row starts */
    u32 held;                /* depth of store_begin */
    u32 dying;               /* rows whose blocks wait to be given back */
    u64 now_ns;              /* what changes are stamped with; the owner keeps it */
    struct quota *quota;     /* owners that have a limit */
    u32 quotas;
    struct {
        u32 file, next_block; /* sequential reading is noticed per file, one at a time */
    } ahead;
};

struct quota {
    u32 owner, limit, used; /* in blocks */
};

/* A file's row, decoded. */
struct row {
    u32 file, generation, owner, blocks, more;
    u16 kind, extents;
    u64 size, changed;
    struct {
        u32 start, count;
    } extent[FS_ROW_EXTENTS];
};

enum { STORE_JOURNAL_MIN = 96, STORE_CACHE_MIN = 256 };

/* Lays an empty file system on the disk; `rows` 0 chooses by size. */
int store_make(struct disk *disk, struct heap *heap, u32 rows);
/* Mounts: replays the journal, loads the bitmap, finishes interrupted deletions. */
int store_open(struct store *s, struct disk *disk, struct heap *heap, u32 cache_blocks);
/* Syncs and forgets everything. */
int store_close(struct store *s);

int store_create(struct store *s, enum fs_kind kind, u32 owner, u32 *file);
int store_delete(struct store *s, u32 file);
int store_look(struct store *s, u32 file, struct row *row);
/* Bytes read: short at the end of the file, or an error. */
s64 store_read(struct store *s, u32 file, u64 offset, void *to, size_t len);
s64 store_write(struct store *s, u32 file, u64 offset, const void *from, size_t len);
/* Cuts or grows (with zeros) to `size`, and gives back blocks held in advance. */
int store_resize(struct store *s, u32 file, u64 size);
/* Steps that appear together, whatever happens. WRITE puts an entry's bytes; file 0 there is the
 * one that CREATE made, and `names` puts its number and generation where an entry has them. */
enum store_step_op { STEP_CREATE = 1, STEP_WRITE, STEP_DELETE, STEP_OPS };
enum { STORE_STEPS = 4 };
struct store_step {
    enum store_step_op op;
    enum fs_kind kind; /* CREATE */
    bool names;
    u32 file, owner;
    u64 offset;
    u8 bytes[FS_ENTRY];
};
/* *made: the row of the file that was made, number 0 if none was. */
int store_change(struct store *s, const struct store_step *steps, u32 count, struct row *made);
void store_begin(struct store *s);
void store_end(struct store *s);
int store_sync(struct store *s);

/* Blocks that `owner` may hold: 0 = no limit. */
int store_set_quota(struct store *s, u32 owner, u32 blocks);
int store_quota(struct store *s, u32 owner, u32 *limit, u32 *used);

/* Within the store: rows (row.c), extents (extent.c). */
int row_read(struct store *s, u32 file, struct row *row);
int row_write(struct store *s, const struct row *row);
int row_find_free(struct store *s, u32 *file);
/* Called for each extent in order until it answers other than 0. */
struct extent_cursor {
    u32 index, more; /* of the extent it stands at, and the extent block that holds it */
};
int extent_next(struct store *s, const struct row *row, struct extent_cursor *at, u32 *start,
                u32 *count);
int extent_append(struct store *s, struct row *row, u32 start, u32 count);
/* Gives back up to `most` blocks from the end; row->blocks tells what is left. */
int extent_drop(struct store *s, struct row *row, u32 most);
/* Data blocks the file holds (row->blocks less extent blocks). */
u32 extent_data_blocks(const struct row *row);
/* Room in the journal for one more step of any operation (store.c). */
int store_make_room(struct store *s);
/* Quotas (quota.c): FS_E_QUOTA when the owner may not have `blocks` more. */
int quota_load(struct store *s);
void quota_forget(struct store *s);
int quota_allows(const struct store *s, u32 owner, u32 blocks);
void quota_charge(struct store *s, u32 owner, u32 had, u32 has);

#endif
