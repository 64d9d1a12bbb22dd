/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `buffers [make]`: the buffer manager. Files by number, their blocks in a cache, on the disk
 * behind the link "disk", by the pure core in guest/servers/fs; with `make` a disk without a
 * file system gets an empty one. What it offers is for a directory manager (buffers.h).
 *
 * An open file is a link of ours with a code, so that bytes go straight between us and whoever
 * holds it; its destruction closes the file. A file that is removed while it is open is gone
 * for who has it open, too. What was changed is written when a client asks, when caches are
 * full, and when nobody has asked anything for a second.
 */
#include "guest/servers/files/buffers.h"
#include "base/heap.h"
#include "guest/lib/file.h"
#include "guest/lib/process.h"

enum {
    CHANNEL_STORE = 1,
    CHANNEL_FILE = 2,
    OPEN_MAX = 256,
    OPEN_EACH = 128,
    HEAP = 4 << 20,
    CACHE = 1024
};
enum { PIECE = 128 * FS_BLOCK, STAMPS = 64 /* changes with one time */ };
#define QUIET_NS 1000000000ull

struct open_file {
    u64 code; /* 0: free */
    u32 file, generation, flags, owner;
};

/* What was asked; and what is answered, with `len` bytes of `piece` behind it. */
struct question {
    struct demos_info info;
    struct words words;
    struct words answer;
    s64 link;    /* the answer's, 0: none */
    size_t tail; /* bytes of `piece` */
};

static struct store store;
static struct open_file files[OPEN_MAX];
static u32 open_count;
static u64 opened; /* ever */
static bool changed;
static u8 piece[PIECE] __attribute__((aligned(4096)));

static s64 said(int error)
{
    return error < 0 ? FILE_ERROR(error) : error;
}

/* Before a change: when it happens, looked at now and then, for that is a message, too. */
static void changing(void)
{
    static u32 since;

    if (!changed || ++since >= STAMPS) {
        store.now_ns = demos_time_ns();
        since = 0;
    }
    changed = true;
}

static int sync(void)
{
    int error = store_sync(&store);

    if (error == FS_OK)
        changed = false;
    return error;
}

/* --- for the directory manager ------------------------------------------------------ */

static void put_row(struct question *q, const struct row *row)
{
    words_put(&q->answer, row->kind);
    words_put(&q->answer, row->generation);
    words_put(&q->answer, row->size);
    words_put(&q->answer, row->file);
}

static s64 op_state(struct question *q)
{
    words_put(&q->answer, store.rows);
    return 0;
}

static s64 op_look(struct question *q)
{
    struct row row;
    int error = store_look(&store, (u32)words_get(&q->words), &row);

    if (!error)
        put_row(q, &row);
    return error;
}

static s64 op_piece(struct question *q)
{
    u32 file = (u32)words_get(&q->words);
    u64 offset = words_get(&q->words), len = words_get(&q->words);
    s64 got = store_read(&store, file, offset, piece, MIN(len, (u64)STORE_PIECE));

    q->tail = got > 0 ? (size_t)got : 0;
    return got;
}

static s64 op_change(struct question *q)
{
    struct store_step steps[STORE_STEPS];
    u64 count = words_get(&q->words);
    struct row made;
    int error;

    if (count > STORE_STEPS)
        return FS_E_BIG;
    for (u64 i = 0; i < count; i++)
        step_get(&q->words, &steps[i]);
    changing();
    error = store_change(&store, steps, (u32)count, &made);
    if (!error)
        put_row(q, &made);
    return error;
}

/* --- for users, by way of the directory manager -------------------------------------- */

static bool has_room(u32 owner)
{
    u32 theirs = 0;

    for (u32 i = 0; open_count >= OPEN_EACH && i < OPEN_MAX; i++)
        theirs += files[i].code && files[i].owner == owner;
    return theirs < OPEN_EACH;
}

/* NULL: there is none, or none for this owner, whose files leave room for others'. */
static struct open_file *free_slot(u32 owner)
{
    if (open_count == OPEN_MAX || !has_room(owner))
        return NULL;
    for (u32 i = 0; i < OPEN_MAX; i++)
        if (!files[i].code)
            return &files[i];
    return NULL;
}

/* A code says which slot it is, and the how manieth file. */
static struct open_file *file_of(u64 code)
{
    struct open_file *f = &files[code % OPEN_MAX];

    return code && f->code == code ? f : NULL;
}

static s64 op_open(struct question *q)
{
    u32 file = (u32)words_get(&q->words), flags = (u32)words_get(&q->words);
    u32 owner = (u32)words_get(&q->words);
    struct open_file *f = free_slot(owner);
    struct row row;
    int error;
    u64 code;

    if (!f)
        return DEMOS_E_MEMORY;
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
    code = ++opened * OPEN_MAX + (u64)(f - files);
    q->link = demos_link_make(DEMOS_REQUEST_LINK, DEMOS_GIVE | DEMOS_TELLDEST, CHANNEL_FILE,
                              code);
    if (q->link < 0)
        return q->link;
    *f = (struct open_file){code, file, row.generation, flags, owner};
    open_count++;
    words_put(&q->answer, row.size);
    return 0;
}

static s64 op_sync(struct question *q)
{
    (void)q;
    return said(sync());
}

static s64 op_quota(struct question *q)
{
    u32 owner = (u32)words_get(&q->words), blocks = (u32)words_get(&q->words);

    changing();
    return said(store_set_quota(&store, owner, blocks));
}

static s64 op_used(struct question *q)
{
    u32 limit, used;
    int error = store_quota(&store, (u32)words_get(&q->words), &limit, &used);

    if (error == FS_E_NONE)
        limit = used = 0;
    else if (error)
        return said(error);
    words_put(&q->answer, limit == UINT32_MAX ? 0 : limit);
    words_put(&q->answer, used);
    return 0;
}

static s64 over_store(struct question *q)
{
    static s64 (*const ops[])(struct question *) = {
        [STORE_STATE] = op_state,   [STORE_LOOK] = op_look, [STORE_READ] = op_piece,
        [STORE_CHANGE] = op_change, [STORE_OPEN] = op_open, [STORE_SYNC] = op_sync,
        [STORE_QUOTA] = op_quota,   [STORE_USED] = op_used};
    u64 op = words_get(&q->words);

    return op < ARRAY_SIZE(ops) && ops[op] ? ops[op](q) : DEMOS_E_CALL;
}

/* --- open files -------------------------------------------------------------------- */

typedef s64 file_fn(struct question *q, struct open_file *f, const struct row *row);

static s64 op_read(struct question *q, struct open_file *f, const struct row *row)
{
    u64 offset = words_get(&q->words), len = words_get(&q->words), done = 0;

    (void)row;
    if (!(f->flags & FILE_READS))
        return DEMOS_E_ALLOWED;
    len = MIN(len, (u64)FILE_MOVE_MAX);
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

static s64 op_write(struct question *q, struct open_file *f, const struct row *row)
{
    u64 offset = words_get(&q->words), len = words_get(&q->words), done = 0;

    (void)row;
    if (!(f->flags & FILE_WRITES))
        return DEMOS_E_ALLOWED;
    len = MIN(len, (u64)FILE_MOVE_MAX);
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

static s64 op_resize(struct question *q, struct open_file *f, const struct row *row)
{
    (void)row;
    if (!(f->flags & FILE_WRITES))
        return DEMOS_E_ALLOWED;
    changing();
    return said(store_resize(&store, f->file, words_get(&q->words)));
}

static s64 op_info(struct question *q, struct open_file *f, const struct row *row)
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
    u64 op = words_get(&q->words) - FILE_READ;
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
    open_count--;
}

/* --- the process -------------------------------------------------------------------- */

/* Whoever asked hears it: the sender of a request, or the user whose reply link came along. */
static void answer(struct question *q, s64 reply)
{
    static u8 body[8 * WORDS_MAX + STORE_PIECE];
    s64 result;

    words_start(&q->answer, 0);
    result = q->info.channel == CHANNEL_FILE ? over_file(q) : over_store(q);
    be64_put(q->answer.bytes, (u64)result);
    memcpy(body, q->answer.bytes, 8 * q->answer.count);
    memcpy(body + 8 * q->answer.count, piece, q->tail);
    if (demos_reply_links(reply, body, 8 * q->answer.count + q->tail, &q->link, q->link > 0) >=
        0)
        return;
    demos_link_drop(reply);
    if (q->link > 0)
        demos_link_drop(q->link); /* its notice closes the file */
}

static void serve(struct question *q)
{
    s64 len = demos_receive_within(changed ? QUIET_NS : DEMOS_FOREVER,
                                   DEMOS_CHANNEL(CHANNEL_STORE) | DEMOS_CHANNEL(CHANNEL_FILE),
                                   q->words.bytes, sizeof q->words.bytes, &q->info);
    bool passed = q->info.channel == CHANNEL_STORE && q->info.kind == DEMOS_MSG_GENERAL;
    u32 links = 0;

    if (len == DEMOS_E_TIMEOUT)
        sync();
    if (len < 0)
        return;
    words_read(&q->words, q->words.bytes, (size_t)len);
    if (q->info.reply > 0)
        answer(q, q->info.reply);
    else if (passed && q->info.count)
        answer(q, q->info.links[links++]);
    else if (q->info.kind == DEMOS_MSG_NOTICE && q->info.channel == CHANNEL_FILE)
        close_file(q->info.code);
    for (; links < q->info.count; links++)
        demos_link_drop(q->info.links[links]);
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
        demos_die("buffers: cannot mount the disk: error %d", error);
}

int main(int argc, char **argv)
{
    static struct question q;

    mount(argc > 1 && strcmp(argv[1], "make") == 0);
    demos_offer(demos_link_make(DEMOS_RESOURCE, DEMOS_DUP | DEMOS_GIVE, CHANNEL_STORE, 0));
    for (;;) {
        q.info = (struct demos_info){0};
        q.link = 0;
        q.tail = 0;
        serve(&q);
    }
}
