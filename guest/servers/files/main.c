/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file system's server: answers guest/lib/file.h over the pure core of guest/servers/fs,
 * on the disk behind the link "disk". `files [make]`: with `make` a disk without a file
 * system gets an empty one.
 *
 * An open file is a link of ours with a code; its destruction closes the file. A file that
 * is removed while it is open is gone for who has it open, too. What was changed is written
 * when a client asks, when caches are full, and when nobody has asked anything for a second.
 */
#include "base/heap.h"
#include "guest/lib/file.h"
#include "guest/lib/process.h"
#include "guest/servers/fs/dir.h"

enum { CHANNEL_SERVICE = 1, CHANNEL_FILE = 2, OPEN_MAX = 256, HEAP = 4 << 20, CACHE = 1024 };
enum { PIECE = 64 * FS_BLOCK, BODY_MAX = 24 + 2 * FILE_PATH_MAX };
#define QUIET_NS 1000000000ull

struct open_file {
    u64 code; /* 0: free */
    u32 file, generation, flags;
};

struct question {
    struct demos_info info;
    size_t len;
    u8 body[BODY_MAX];
    struct words answer;
    s64 link; /* the answer's, 0: none */
};

static struct store store;
static struct open_file files[OPEN_MAX];
static u64 last_code;
static bool changed;
static u8 piece[PIECE] __attribute__((aligned(4096)));

static s64 said(int error)
{
    return error < 0 ? FILE_ERROR(error) : error;
}

static u64 word(const struct question *q, u32 index)
{
    return 8 * (index + 1) <= q->len ? be64_get(q->body + 8 * index) : 0;
}

/* The path behind `words` words. */
static const char *path(const struct question *q, u32 words, size_t *len)
{
    *len = q->len > 8 * words ? q->len - 8 * words : 0;
    return (const char *)q->body + 8 * words;
}

/* Before a change: when it happens. */
static void changing(void)
{
    store.now_ns = demos_time_ns();
    changed = true;
}

static int sync(void)
{
    int error = store_sync(&store);

    if (error == FS_OK)
        changed = false;
    return error;
}

/* The file of a path, or the directory and the last name for one that is to be made. */
static int walk(const char *name, size_t len, u32 *file, const char **last, size_t *last_len)
{
    return dir_walk(&store, FS_ROOT, name, len, file, last, last_len);
}

static struct open_file *free_slot(void)
{
    for (u32 i = 0; i < OPEN_MAX; i++)
        if (!files[i].code)
            return &files[i];
    return NULL;
}

static struct open_file *file_of(u64 code)
{
    for (u32 i = 0; i < OPEN_MAX; i++)
        if (code && files[i].code == code)
            return &files[i];
    return NULL;
}

/* The file at a path, made if it is not there and may be. */
static int reach(const char *name, size_t len, u32 flags, u32 *file)
{
    const char *last;
    size_t last_len;
    int error = walk(name, len, file, NULL, NULL);
    u32 dir;

    if (error != FS_E_NONE || !(flags & FILE_CREATES))
        return error;
    error = walk(name, len, &dir, &last, &last_len);
    if (error)
        return error;
    changing();
    return dir_create(&store, dir, last, last_len, FS_FILE, 0, file);
}

static s64 op_open(struct question *q)
{
    struct open_file *f = free_slot();
    u32 flags = (u32)word(q, 1), file;
    struct row row;
    size_t len;
    const char *name = path(q, 2, &len);
    int error;

    if (!f)
        return DEMOS_E_MEMORY;
    if (!(flags & (FILE_READS | FILE_WRITES)) ||
        (flags & (FILE_CREATES | FILE_CUTS) && !(flags & FILE_WRITES)))
        return DEMOS_E_ARGUMENT;
    error = reach(name, len, flags, &file);
    if (!error)
        error = store_look(&store, file, &row);
    if (!error && row.kind != FS_FILE)
        error = FS_E_KIND;
    if (!error && flags & FILE_CUTS && row.size) {
        changing();
        error = store_resize(&store, file, 0);
        row.size = 0;
    }
    if (error)
        return said(error);
    q->link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, CHANNEL_FILE,
                              last_code + 1);
    if (q->link < 0)
        return q->link;
    *f = (struct open_file){++last_code, file, row.generation, flags};
    words_put(&q->answer, row.size);
    return 0;
}

static s64 op_remove(struct question *q)
{
    const char *name, *last;
    size_t len, last_len;
    u32 dir;
    int error;

    name = path(q, 1, &len);
    error = walk(name, len, &dir, &last, &last_len);
    changing();
    return said(error ? error : dir_remove(&store, dir, last, last_len));
}

static s64 op_folder(struct question *q)
{
    const char *name, *last;
    size_t len, last_len;
    u32 dir, made;
    int error;

    name = path(q, 1, &len);
    error = walk(name, len, &dir, &last, &last_len);
    changing();
    if (!error)
        error = dir_create(&store, dir, last, last_len, FS_DIRECTORY, 0, &made);
    return said(error);
}

static s64 op_rename(struct question *q)
{
    const char *names, *last, *new_last;
    size_t len, last_len, new_len;
    u64 first = word(q, 1);
    u32 dir, new_dir;
    int error;

    names = path(q, 2, &len);
    if (first > len)
        return DEMOS_E_ARGUMENT;
    error = walk(names, first, &dir, &last, &last_len);
    if (!error)
        error = walk(names + first, len - first, &new_dir, &new_last, &new_len);
    changing();
    if (!error)
        error = dir_rename(&store, dir, last, last_len, new_dir, new_last, new_len);
    return said(error);
}

static s64 op_list(struct question *q)
{
    u32 dir, at = (u32)MIN(word(q, 1), (u64)0xffffffff);
    struct dir_entry entry;
    struct row row;
    size_t len;
    const char *name = path(q, 2, &len);
    int error = walk(name, len, &dir, NULL, NULL);

    if (!error)
        error = store_look(&store, dir, &row);
    if (!error && row.kind != FS_DIRECTORY)
        error = FS_E_KIND;
    if (error)
        return said(error);
    error = dir_next(&store, dir, &at, &entry);
    if (error == FS_E_NONE)
        return 0;
    if (!error)
        error = store_look(&store, entry.file, &row);
    if (error)
        return said(error);
    words_put(&q->answer, entry.at + 1);
    words_put(&q->answer, row.kind);
    words_put(&q->answer, row.size);
    for (u32 i = 0; i < 8; i++) {
        u8 eight[8] = {0};

        if (8 * i < entry.len)
            memcpy(eight, entry.name + 8 * i, MIN(8u, entry.len - 8 * i));
        words_put(&q->answer, be64_get(eight));
    }
    return 1;
}

static s64 op_sync(struct question *q)
{
    (void)q;
    return said(sync());
}

/* --- open files -------------------------------------------------------------------- */

typedef s64 file_fn(struct question *q, struct open_file *f, struct row *row);

static s64 op_read(struct question *q, struct open_file *f, struct row *row)
{
    u64 offset = word(q, 1), len = MIN(word(q, 2), (u64)FILE_MOVE_MAX), done = 0;

    (void)row;
    if (!(f->flags & FILE_READS))
        return DEMOS_E_ALLOWED;
    while (done < len) {
        u64 part = MIN(len - done, (u64)PIECE);
        s64 got = store_read(&store, f->file, offset + done, piece, part);
        int error = got > 0 ? demos_move_to(q->info.links[0], done, piece, (size_t)got) : 0;

        if (got < 0 || error < 0)
            return done ? (s64)done : got < 0 ? said((int)got) : error;
        done += (u64)got;
        if ((u64)got < part)
            break;
    }
    return (s64)done;
}

static s64 op_write(struct question *q, struct open_file *f, struct row *row)
{
    u64 offset = word(q, 1), len = MIN(word(q, 2), (u64)FILE_MOVE_MAX), done = 0;

    (void)row;
    if (!(f->flags & FILE_WRITES))
        return DEMOS_E_ALLOWED;
    changing();
    while (done < len) {
        u64 part = MIN(len - done, (u64)PIECE);
        int error = demos_move_from(q->info.links[0], done, piece, part);
        s64 got = error < 0 ? error : store_write(&store, f->file, offset + done, piece, part);

        if (got < 0)
            return done ? (s64)done : error < 0 ? error : said((int)got);
        done += (u64)got;
        if ((u64)got < part)
            break;
    }
    return (s64)done;
}

static s64 op_resize(struct question *q, struct open_file *f, struct row *row)
{
    (void)row;
    if (!(f->flags & FILE_WRITES))
        return DEMOS_E_ALLOWED;
    changing();
    return said(store_resize(&store, f->file, word(q, 1)));
}

static s64 op_info(struct question *q, struct open_file *f, struct row *row)
{
    words_put(&q->answer, row->size);
    words_put(&q->answer, f->flags);
    return 0;
}

static s64 over_file(struct question *q)
{
    static file_fn *const ops[] = {[0] = op_read,
                                   [FILE_WRITE - FILE_READ] = op_write,
                                   [FILE_RESIZE - FILE_READ] = op_resize,
                                   [FILE_INFO - FILE_READ] = op_info};
    struct open_file *f = file_of(q->info.code);
    u64 op = word(q, 0) - FILE_READ;
    struct row row;
    int error;

    if (!f || op >= ARRAY_SIZE(ops))
        return f && op == (u64)FILE_SYNC - FILE_READ ? said(sync()) : DEMOS_E_CALL;
    if (op <= FILE_WRITE - FILE_READ && q->info.count == 0)
        return DEMOS_E_ARGUMENT;
    error = store_look(&store, f->file, &row);
    if (!error && row.generation != f->generation)
        error = FS_E_NONE; /* removed, and the row is another file's now */
    return error ? said(error) : ops[op](q, f, &row);
}

/* The last holder is gone: blocks held in advance go back. */
static void close_file(u64 code)
{
    struct open_file *f = file_of(code);
    struct row row;

    if (!f)
        return;
    if (f->flags & FILE_WRITES && store_look(&store, f->file, &row) == FS_OK &&
        row.generation == f->generation && row.kind == FS_FILE) {
        changing();
        store_resize(&store, f->file, row.size);
    }
    f->code = 0;
}

static s64 over_service(struct question *q)
{
    static s64 (*const ops[])(struct question *) = {
        [FILE_OPEN] = op_open,     [FILE_REMOVE] = op_remove, [FILE_FOLDER] = op_folder,
        [FILE_RENAME] = op_rename, [FILE_LIST] = op_list,     [FILE_SYNC] = op_sync};
    u64 op = word(q, 0);

    if (op >= ARRAY_SIZE(ops) || !ops[op])
        return DEMOS_E_CALL;
    return q->info.length > sizeof q->body ? FILE_ERROR(FS_E_NAME) : ops[op](q);
}

static void answer(struct question *q)
{
    s64 result;

    words_start(&q->answer, 0);
    result = q->info.channel == CHANNEL_FILE ? over_file(q) : over_service(q);
    be64_put(q->answer.bytes, (u64)result);
    if (demos_reply_links(q->info.reply, q->answer.bytes, 8 * q->answer.count, &q->link,
                          q->link > 0) >= 0)
        return;
    demos_link_drop(q->info.reply);
    if (q->link > 0)
        demos_link_drop(q->link); /* its notice closes the file */
}

static void serve(struct question *q)
{
    s64 len = demos_receive_within(changed ? QUIET_NS : DEMOS_FOREVER,
                                   DEMOS_CHANNEL(CHANNEL_SERVICE) | DEMOS_CHANNEL(CHANNEL_FILE),
                                   q->body, sizeof q->body, &q->info);

    if (len == DEMOS_E_TIMEOUT)
        sync();
    if (len < 0)
        return;
    q->len = (size_t)len;
    if (q->info.reply > 0)
        answer(q);
    else if (q->info.kind == DEMOS_MSG_NOTICE && q->info.channel == CHANNEL_FILE)
        close_file(q->info.code);
    for (u32 i = 0; i < q->info.count; i++)
        demos_link_drop(q->info.links[i]);
}

static void mount(bool make)
{
    static u8 space[HEAP] __attribute__((aligned(4096)));
    static struct heap heap;
    int error;

    heap_init(&heap, space, sizeof space);
    error = store_open(&store, NULL, &heap, CACHE);
    if (error == FS_E_DAMAGED && make) {
        error = store_make(NULL, &heap, 0);
        if (!error)
            error = store_open(&store, NULL, &heap, CACHE);
    }
    if (error)
        demos_die("files: cannot mount the disk: error %d", error);
}

int main(int argc, char **argv)
{
    static struct question q;

    mount(argc > 1 && strcmp(argv[1], "make") == 0);
    demos_offer(
        demos_link_make(DEMOS_REQUEST_LINK, DEMOS_DUP | DEMOS_GIVE, CHANNEL_SERVICE, 0));
    for (;;) {
        q.info = (struct demos_info){0};
        q.link = 0;
        serve(&q);
    }
}
