/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `directories`: the directory manager. Finds, makes, moves and takes away names, in
 * directories that are files of the buffer manager behind the link "buffers"; every change is
 * one message to it, so neither's end leaves a half. Requests come from the request
 * interpreter with the link that answers the user; opening goes on to the buffer manager.
 */
#include "guest/lib/file.h"
#include "guest/lib/process.h"
#include "guest/servers/files/buffers.h"
#include "guest/servers/files/remote.h"
#include "guest/servers/fs/dir.h"

enum { CHANNEL = 1, FRONT = 8 }; /* whose request it is */
enum { PASSED = 2 };             /* a result: whoever has the reply link now answers */

struct request {
    s64 reply;
    u32 owner;
    const u8 *body; /* as the user sent it */
    size_t len;
    struct words answer;
};

static struct store store;

static s64 said(int error)
{
    return error < 0 ? FILE_ERROR(error) : error;
}

static u64 word(const struct request *r, u32 index)
{
    return 8 * (index + 1) <= r->len ? be64_get(r->body + 8 * index) : 0;
}

/* The path behind `words` words. */
static const char *path(const struct request *r, u32 words, size_t *len)
{
    *len = r->len > 8 * words ? r->len - 8 * words : 0;
    return (const char *)r->body + 8 * words;
}

/* The file of a path, or the directory and the last name for one that is to be made. */
static int walk(const char *name, size_t len, u32 *file, const char **last, size_t *last_len)
{
    return dir_walk(&store, FS_ROOT, name, len, file, last, last_len);
}

/* On to the buffer manager, with the link that answers: it is its affair now. */
static s64 pass(struct request *r, enum store_op op, u64 a, u64 b)
{
    struct words w;
    s64 result;

    words_start(&w, op);
    words_put(&w, a);
    words_put(&w, b);
    words_put(&w, r->owner);
    result = demos_send_links(demos_link("buffers"), w.bytes, 8 * w.count, &r->reply, 1);
    return result < 0 ? result : PASSED;
}

/* The file at a path, made if it is not there and may be. */
static int reach(const char *name, size_t len, u32 flags, u32 owner, u32 *file)
{
    const char *last;
    size_t last_len;
    int error = walk(name, len, file, NULL, NULL);
    u32 dir;

    if (error != FS_E_NONE || !(flags & FILE_CREATES))
        return error;
    error = walk(name, len, &dir, &last, &last_len);
    return error ? error : dir_create(&store, dir, last, last_len, FS_FILE, owner, file);
}

static s64 op_open(struct request *r)
{
    u32 flags = (u32)word(r, 1), file;
    size_t len;
    const char *name = path(r, 2, &len);
    int error = reach(name, len, flags, r->owner, &file);

    return error ? said(error) : pass(r, STORE_OPEN, file, flags);
}

static s64 op_remove(struct request *r)
{
    const char *name, *last;
    size_t len, last_len;
    u32 dir;
    int error;

    name = path(r, 1, &len);
    error = walk(name, len, &dir, &last, &last_len);
    return said(error ? error : dir_remove(&store, dir, last, last_len));
}

static s64 op_folder(struct request *r)
{
    const char *name, *last;
    size_t len, last_len;
    u32 dir, made;
    int error;

    name = path(r, 1, &len);
    error = walk(name, len, &dir, &last, &last_len);
    if (!error)
        error = dir_create(&store, dir, last, last_len, FS_DIRECTORY, r->owner, &made);
    return said(error);
}

static s64 op_rename(struct request *r)
{
    const char *names, *last, *new_last;
    size_t len, last_len, new_len;
    u64 first = word(r, 1);
    u32 dir, new_dir;
    int error;

    names = path(r, 2, &len);
    if (first > len)
        return DEMOS_E_ARGUMENT;
    error = walk(names, first, &dir, &last, &last_len);
    if (!error)
        error = walk(names + first, len - first, &new_dir, &new_last, &new_len);
    if (!error)
        error = dir_rename(&store, dir, last, last_len, new_dir, new_last, new_len);
    return said(error);
}

static void put_entry(struct words *w, const struct dir_entry *entry, const struct row *row)
{
    words_put(w, entry->at + 1);
    words_put(w, row->kind);
    words_put(w, row->size);
    for (u32 i = 0; i < 8; i++) {
        u8 eight[8] = {0};

        if (8 * i < entry->len)
            memcpy(eight, entry->name + 8 * i, MIN(8u, entry->len - 8 * i));
        words_put(w, be64_get(eight));
    }
}

static s64 op_list(struct request *r)
{
    u32 dir, at = (u32)MIN(word(r, 1), (u64)0xffffffff);
    struct dir_entry entry;
    struct row row;
    size_t len;
    const char *name = path(r, 2, &len);
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
    put_entry(&r->answer, &entry, &row);
    return 1;
}

static s64 op_sync(struct request *r)
{
    return pass(r, STORE_SYNC, 0, 0);
}

static s64 op_quota(struct request *r)
{
    return pass(r, STORE_QUOTA, word(r, 1), word(r, 2));
}

static s64 op_used(struct request *r)
{
    return pass(r, STORE_USED, word(r, 1), 0);
}

static void serve(struct request *r)
{
    static s64 (*const ops[])(struct request *) = {
        [FILE_OPEN] = op_open,     [FILE_REMOVE] = op_remove, [FILE_FOLDER] = op_folder,
        [FILE_RENAME] = op_rename, [FILE_LIST] = op_list,     [FILE_SYNC] = op_sync,
        [FILE_QUOTA] = op_quota,   [FILE_USED] = op_used};
    u64 op = word(r, 0);
    s64 result;

    words_start(&r->answer, 0);
    result = op < ARRAY_SIZE(ops) && ops[op] ? ops[op](r) : DEMOS_E_CALL;
    if (result == PASSED)
        return;
    be64_put(r->answer.bytes, (u64)result);
    if (demos_reply(r->reply, r->answer.bytes, 8 * r->answer.count) < 0)
        demos_link_drop(r->reply);
}

int main(int argc, char **argv)
{
    static u8 body[FRONT + 24 + 2 * FILE_PATH_MAX];

    (void)argc, (void)argv;
    if (remote_open(&store))
        demos_die("directories: no buffer manager");
    demos_offer(demos_link_make(DEMOS_GENERAL, DEMOS_DUP | DEMOS_GIVE, CHANNEL, 0));
    for (;;) {
        struct demos_info info = {0};
        s64 len = demos_receive(DEMOS_CHANNEL(CHANNEL), body, sizeof body, &info);
        struct request r = {.reply = info.count ? info.links[0] : 0,
                            .body = body + FRONT,
                            .len = len > FRONT ? (size_t)len - FRONT : 0};

        if (len < 0)
            return 1;
        if (len >= 8)
            r.owner = (u32)be64_get(body);
        for (u32 i = 1; i < info.count; i++)
            demos_link_drop(info.links[i]);
        if (r.reply > 0)
            serve(&r);
    }
}
