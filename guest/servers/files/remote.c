/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory manager's store: messages, and a cache of what only it changes. A directory's
 * row and pages are brought up to date by the changes it asks for, and forgotten when one is
 * refused.
 */
#include "guest/servers/files/remote.h"
#include "base/memory.h"
#include "guest/servers/files/buffers.h"

enum { PAGES = 64, ROWS = 64 };

struct page {
    u32 file; /* 0: free */
    u64 index;
    u32 len; /* bytes that are there */
    u8 bytes[STORE_PIECE];
};

static struct page pages[PAGES];
static struct row rows[ROWS]; /* of directories; file 0: free */

static struct page *page_at(u32 file, u64 index)
{
    return &pages[(file * 7 + index) % PAGES];
}

static struct row *row_at(u32 file)
{
    return &rows[file % ROWS];
}

static void forget(u32 file)
{
    for (u32 i = 0; i < PAGES; i++)
        if (pages[i].file == file)
            pages[i].file = 0;
    if (row_at(file)->file == file)
        row_at(file)->file = 0;
}

static int ask(struct words *w)
{
    s64 result = words_call(demos_link("buffers"), w, NULL, 0, NULL);

    return result < FS_E_MEMORY ? FS_E_IO : (int)result; /* E_DEAD and the like */
}

static void get_row(struct words *w, struct row *row)
{
    *row = (struct row){.kind = (u16)words_get(w)};
    row->generation = (u32)words_get(w);
    row->size = words_get(w);
    row->file = (u32)words_get(w);
}

int store_look(struct store *s, u32 file, struct row *row)
{
    struct row *known = row_at(file);
    struct words w;
    int error;

    (void)s;
    if (file && known->file == file) {
        *row = *known;
        return FS_OK;
    }
    words_start(&w, STORE_LOOK);
    words_put(&w, file);
    error = ask(&w);
    if (error)
        return error;
    get_row(&w, row);
    if (row->kind == FS_DIRECTORY)
        *known = *row;
    return FS_OK;
}

static int fetch(struct page *p, u32 file, u64 index)
{
    static u8 body[8 + STORE_PIECE];
    struct words w;
    s64 len, got;

    words_start(&w, STORE_READ);
    words_put(&w, file);
    words_put(&w, index * STORE_PIECE);
    words_put(&w, STORE_PIECE);
    len = demos_call(demos_link("buffers"), w.bytes, 8 * w.count, body, sizeof body);
    if (len < 8)
        return FS_E_IO;
    got = (s64)be64_get(body);
    if (got < 0 || got > len - 8)
        return got < 0 && got >= FS_E_MEMORY ? (int)got : FS_E_IO;
    *p = (struct page){.file = file, .index = index, .len = (u32)got};
    memcpy(p->bytes, body + 8, (size_t)got);
    return FS_OK;
}

/* Within one page: entries do not straddle them. */
s64 store_read(struct store *s, u32 file, u64 offset, void *to, size_t len)
{
    struct page *p = page_at(file, offset / STORE_PIECE);
    u32 in = (u32)(offset % STORE_PIECE);
    int error;

    (void)s;
    if (p->file != file || p->index != offset / STORE_PIECE) {
        error = fetch(p, file, offset / STORE_PIECE);
        if (error)
            return error;
    }
    len = in < p->len ? MIN(len, (size_t)(p->len - in)) : 0;
    memcpy(to, p->bytes + in, len);
    return (s64)len;
}

/* What the buffer manager has written is so here, too. */
static void written(const struct store_step *step, const struct row *made)
{
    u32 file = step->file ? step->file : made->file;
    u32 in = (u32)(step->offset % STORE_PIECE);
    struct page *p = page_at(file, step->offset / STORE_PIECE);
    struct row *row = row_at(file);

    if (row->file == file)
        row->size = MAX(row->size, step->offset + FS_ENTRY);
    if (p->file != file || p->index != step->offset / STORE_PIECE)
        return;
    if (in > p->len) { /* over a gap: not to be guessed at */
        p->file = 0;
        return;
    }
    memcpy(p->bytes + in, step->bytes, FS_ENTRY);
    p->len = MAX(p->len, in + FS_ENTRY);
    if (!step->names)
        return;
    be32_put(p->bytes + in + FS_D_FILE, made->file);
    be32_put(p->bytes + in + FS_D_GENERATION, made->generation);
}

static void changed(const struct store_step *step, const struct row *made, int error)
{
    if (step->op == STEP_WRITE && !error)
        written(step, made);
    else if (step->op != STEP_CREATE)
        forget(step->file);
}

int store_change(struct store *s, const struct store_step *steps, u32 count, struct row *made)
{
    struct words w;
    int error;

    (void)s;
    *made = (struct row){0};
    words_start(&w, STORE_CHANGE);
    words_put(&w, count);
    for (u32 i = 0; i < count; i++)
        step_put(&w, &steps[i]);
    error = ask(&w);
    if (!error)
        get_row(&w, made);
    if (made->file)
        forget(made->file); /* the number was another's before */
    for (u32 i = 0; i < count; i++)
        changed(&steps[i], made, error);
    return error;
}

int remote_open(struct store *s)
{
    struct words w;
    int error;

    words_start(&w, STORE_STATE);
    error = ask(&w);
    *s = (struct store){.rows = (u32)words_get(&w)};
    return error;
}
