/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The asking side of a file system.
 */
#include "guest/lib/file.h"

struct question {
    size_t len;
    u8 bytes[24 + 2 * FILE_PATH_MAX];
};

static void put_path(struct question *q, const char *path)
{
    size_t len = strnlen(path, FILE_PATH_MAX);

    memcpy(q->bytes + q->len, path, len);
    q->len += len;
}

/* The result word; the other words in `w`. */
static s64 ask(s64 link, const struct question *q, struct words *w, s64 *got)
{
    struct demos_info info = {0};
    s64 len = demos_call_info(link, q->bytes, q->len, w->bytes, sizeof w->bytes, &info);

    if (got)
        *got = len >= 0 && info.count ? info.links[0] : 0;
    if (len < 0)
        return len;
    words_read(w, w->bytes, (size_t)len);
    return w->count ? (s64)words_get(w) : DEMOS_E_REFUSED;
}

s64 file_path_op(s64 files, enum file_op op, const char *path)
{
    struct question q = {.len = 8};
    struct words w;

    be64_put(q.bytes, op);
    put_path(&q, path);
    return ask(files, &q, &w, NULL);
}

s64 file_word_op(s64 link, enum file_op op, u64 word)
{
    struct words w;

    words_start(&w, op);
    words_put(&w, word);
    return words_call(link, &w, NULL, 0, NULL);
}

s64 file_rename(s64 files, const char *from, const char *to)
{
    struct question q = {.len = 16};
    struct words w;

    be64_put(q.bytes, FILE_RENAME);
    be64_put(q.bytes + 8, strnlen(from, FILE_PATH_MAX));
    put_path(&q, from);
    put_path(&q, to);
    return ask(files, &q, &w, NULL);
}

s64 file_open(s64 files, const char *path, u32 flags)
{
    struct question q = {.len = 16};
    struct words w;
    s64 link, result;

    be64_put(q.bytes, FILE_OPEN);
    be64_put(q.bytes + 8, flags);
    put_path(&q, path);
    result = ask(files, &q, &w, &link);
    return result < 0 ? result : link > 0 ? link : DEMOS_E_REFUSED;
}

s64 file_list(s64 files, const char *path, u64 *index, u64 *size, char name[64])
{
    struct question q = {.len = 16};
    struct words w;
    s64 result;

    be64_put(q.bytes, FILE_LIST);
    be64_put(q.bytes + 8, *index);
    put_path(&q, path);
    result = ask(files, &q, &w, NULL);
    if (result <= 0)
        return result;
    *index = words_get(&w);
    words_get(&w); /* kind */
    *size = words_get(&w);
    for (u32 i = 0; i < 64; i += 8)
        be64_put(name + i, words_get(&w));
    name[63] = '\0';
    return 1;
}

/* All of it, a request for each FILE_MOVE_MAX bytes. */
static s64 transfer(s64 file, enum file_op op, u64 offset, const void *at, size_t len)
{
    u32 attr = DEMOS_GIVE | (op == FILE_READ ? DEMOS_AREA_WRITE : DEMOS_AREA_READ);
    size_t done = 0;

    while (done < len) {
        size_t part = MIN(len - done, (size_t)FILE_MOVE_MAX);
        s64 area = demos_link_area(attr, (const u8 *)at + done, part), got;
        struct words w;

        if (area < 0)
            return area;
        words_start(&w, op);
        words_put(&w, offset + done);
        words_put(&w, part);
        got = words_call(file, &w, &area, 1, NULL);
        if (got < 0) {
            demos_link_drop(area); /* unless it was given away before the error */
            return done ? (s64)done : got;
        }
        done += (size_t)got;
        if ((size_t)got < part)
            break;
    }
    return (s64)done;
}

s64 file_read(s64 file, u64 offset, void *to, size_t len)
{
    return transfer(file, FILE_READ, offset, to, len);
}

s64 file_write(s64 file, u64 offset, const void *from, size_t len)
{
    return transfer(file, FILE_WRITE, offset, from, len);
}
