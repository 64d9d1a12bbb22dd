/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/dir.h"
#include "base/memory.h"

int dir_name_allowed(const char *name, size_t len)
{
    if (!len || len > FS_NAME_MAX)
        return FS_E_NAME;
    for (size_t i = 0; i < len; i++)
        if (!name[i] || name[i] == '/')
            return FS_E_NAME;
    return name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')) ? FS_E_NAME : FS_OK;
}

/* How many entries the directory has room for now. */
static int entries(struct store *s, u32 dir, u32 *count)
{
    struct row row;
    int error = store_look(s, dir, &row);

    if (error)
        return error;
    *count = (u32)(row.size / FS_ENTRY);
    return row.kind == FS_DIRECTORY ? FS_OK : FS_E_KIND;
}

static int read_entry(struct store *s, u32 dir, u32 at, struct dir_entry *e)
{
    u8 raw[FS_ENTRY];
    s64 n = store_read(s, dir, (u64)at * FS_ENTRY, raw, FS_ENTRY);

    if (n != FS_ENTRY)
        return n < 0 ? (int)n : FS_E_DAMAGED;
    *e = (struct dir_entry){.file = be32_get(raw + FS_D_FILE),
                            .generation = be32_get(raw + FS_D_GENERATION),
                            .at = at,
                            .len = raw[FS_D_LEN]};
    if (e->len > FS_NAME_MAX)
        return FS_E_DAMAGED;
    memcpy(e->name, raw + FS_D_NAME, e->len);
    return FS_OK;
}

/* The step that makes entry `at` of `dir` say this; file 0: that it is free. */
static struct store_step entry_step(u32 dir, u32 at, u32 file, u32 generation, const char *name,
                                    size_t len)
{
    struct store_step step = {.op = STEP_WRITE, .file = dir, .offset = (u64)at * FS_ENTRY};

    be32_put(step.bytes + FS_D_FILE, file);
    be32_put(step.bytes + FS_D_GENERATION, generation);
    step.bytes[FS_D_LEN] = (u8)len;
    memcpy(step.bytes + FS_D_NAME, name, len);
    return step;
}

int dir_next(struct store *s, u32 dir, u32 *at, struct dir_entry *entry)
{
    u32 count;
    int error = entries(s, dir, &count);

    if (error)
        return error;
    for (u32 i = MAX(*at, 1u); i < count; i++) {
        error = read_entry(s, dir, i, entry);
        if (error)
            return error;
        if (entry->file) {
            *at = i + 1;
            return FS_OK;
        }
    }
    return FS_E_NONE;
}

int dir_find(struct store *s, u32 dir, const char *name, size_t len, struct dir_entry *found)
{
    u32 at = 0;
    int error;

    while (!(error = dir_next(s, dir, &at, found)))
        if (found->len == len && memcmp(found->name, name, len) == 0)
            return FS_OK;
    return error;
}

/* The first index whose entry is free, which may be one past the end. */
static int free_index(struct store *s, u32 dir, u32 *at)
{
    u32 count;
    int error = entries(s, dir, &count);

    for (*at = 1; !error && *at < count; ++*at) {
        struct dir_entry e;

        error = read_entry(s, dir, *at, &e);
        if (!error && !e.file)
            return FS_OK;
    }
    return error;
}

int dir_parent(struct store *s, u32 dir, u32 *parent)
{
    struct dir_entry e;
    int error;

    if (dir == FS_ROOT) {
        *parent = FS_ROOT;
        return FS_OK;
    }
    error = read_entry(s, dir, 0, &e);
    *parent = e.file;
    return error;
}

static int make_and_name(struct store *s, u32 dir, const char *name, size_t len,
                         enum fs_kind kind, u32 owner, u32 *file)
{
    struct store_step steps[3] = {{.op = STEP_CREATE, .kind = kind, .owner = owner}};
    struct row made;
    u32 at, count = 1;
    int error = free_index(s, dir, &at);

    if (error)
        return error;
    if (kind == FS_DIRECTORY) /* entry 0 comes first, and points at the parent */
        steps[count++] = entry_step(0, 0, dir, 0, "", 0);
    steps[count] = entry_step(dir, at, 0, 0, name, len);
    steps[count++].names = true;
    error = store_change(s, steps, count, &made);
    *file = error ? 0 : made.file;
    return error;
}

int dir_create(struct store *s, u32 dir, const char *name, size_t len, enum fs_kind kind,
               u32 owner, u32 *file)
{
    struct dir_entry e;
    int error = dir_name_allowed(name, len);

    *file = 0;
    if (error)
        return error;
    error = dir_find(s, dir, name, len, &e);
    if (error != FS_E_NONE)
        return error ? error : FS_E_EXISTS;
    return make_and_name(s, dir, name, len, kind, owner, file);
}

static bool is_empty(struct store *s, u32 dir)
{
    struct dir_entry e;
    u32 at = 0;

    return dir_next(s, dir, &at, &e) == FS_E_NONE;
}

static int remove_found(struct store *s, u32 dir, const struct dir_entry *e)
{
    const struct store_step steps[] = {entry_step(dir, e->at, 0, 0, "", 0),
                                       {.op = STEP_DELETE, .file = e->file}};
    struct row made;

    return store_change(s, steps, ARRAY_SIZE(steps), &made);
}

int dir_remove(struct store *s, u32 dir, const char *name, size_t len)
{
    struct dir_entry e;
    struct row row;
    int error = dir_find(s, dir, name, len, &e);

    if (!error)
        error = store_look(s, e.file, &row);
    if (error)
        return error;
    if (row.kind == FS_DIRECTORY && !is_empty(s, e.file))
        return FS_E_BUSY;
    return remove_found(s, dir, &e);
}

/* Whether `below` is `dir` or lies under it: then dir must not move there. */
static int lies_under(struct store *s, u32 below, u32 dir, bool *under)
{
    for (u32 depth = 0; depth < s->rows; depth++) {
        int error;

        *under = below == dir;
        if (*under || below == FS_ROOT)
            return FS_OK;
        error = dir_parent(s, below, &below);
        if (error)
            return error;
    }
    return FS_E_DAMAGED;
}

static int move_entry(struct store *s, u32 from, const struct dir_entry *e, u32 to,
                      const char *name, size_t len, const struct dir_entry *old, bool is_dir)
{
    struct store_step steps[4] = {entry_step(from, e->at, 0, 0, "", 0)};
    struct row made;
    u32 at = old ? old->at : 0, count = 1;
    int error = old ? FS_OK : free_index(s, to, &at);

    if (error)
        return error;
    steps[count++] = entry_step(to, at, e->file, e->generation, name, len);
    if (old)
        steps[count++] = (struct store_step){.op = STEP_DELETE, .file = old->file};
    if (is_dir && from != to)
        steps[count++] = entry_step(e->file, 0, to, 0, "", 0);
    return store_change(s, steps, count, &made);
}

/* What stands in the way of a rename. */
static int check_rename(struct store *s, const struct dir_entry *e, u32 to,
                        const struct dir_entry *old, bool *is_dir)
{
    struct row row = {0}, old_row = {0};
    bool under = false;
    int error = store_look(s, e->file, &row);

    *is_dir = row.kind == FS_DIRECTORY;
    if (!error && *is_dir)
        error = lies_under(s, to, e->file, &under);
    if (!error && under)
        error = FS_E_BUSY;
    if (!error && old)
        error = store_look(s, old->file, &old_row);
    if (!error && old && (old_row.kind == FS_DIRECTORY || *is_dir))
        error = FS_E_EXISTS;
    return error;
}

int dir_rename(struct store *s, u32 from, const char *name, size_t len, u32 to,
               const char *new_name, size_t new_len)
{
    struct dir_entry e, old;
    bool is_dir, replaces;
    int error = dir_name_allowed(new_name, new_len);

    if (!error)
        error = dir_find(s, from, name, len, &e);
    if (error)
        return error;
    error = dir_find(s, to, new_name, new_len, &old);
    if (error && error != FS_E_NONE)
        return error;
    replaces = !error;
    if (replaces && old.file == e.file)
        return FS_OK;
    error = check_rename(s, &e, to, replaces ? &old : NULL, &is_dir);
    if (error)
        return error;
    return move_entry(s, from, &e, to, new_name, new_len, replaces ? &old : NULL, is_dir);
}

/* The length of the path's first name; *path skips the slashes before it. */
static size_t first_name(const char **path, size_t *len)
{
    size_t n = 0;

    while (*len && **path == '/') {
        ++*path;
        --*len;
    }
    while (n < *len && (*path)[n] != '/')
        n++;
    return n;
}

static bool no_more_names(const char *path, size_t len)
{
    return first_name(&path, &len) == 0;
}

int dir_walk(struct store *s, u32 dir, const char *path, size_t len, u32 *file,
             const char **last, size_t *last_len)
{
    size_t n;

    *file = dir;
    if (last)
        *last_len = 0;
    while ((n = first_name(&path, &len))) {
        struct dir_entry e;
        int error;

        if (last && no_more_names(path + n, len - n)) {
            *last = path;
            *last_len = n;
            return FS_OK;
        }
        error = dir_find(s, *file, path, n, &e);
        if (error)
            return error;
        *file = e.file;
        path += n;
        len -= n;
    }
    return FS_OK;
}
