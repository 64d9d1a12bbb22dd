/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shell's commands about files, over the link "files".
 */
#include "guest/lib/file.h"
#include "guest/servers/shell/shell.h"

static u8 piece[65536];

static s64 done(const char *what, s64 result)
{
    return result < 0 ? complain(what, result) : 0;
}

static s64 open(const char *path, u32 flags)
{
    s64 file = file_open(demos_link("files"), path, flags);

    return file < 0 ? complain(path, file) : file;
}

s64 file_ls(char **words, u32 count)
{
    const char *path = count > 1 ? words[1] : "";
    u64 index = 0, size;
    char name[64];
    s64 more;

    while ((more = file_list(demos_link("files"), path, &index, &size, name)) > 0)
        demos_print("%10llu %s\n", (unsigned long long)size, name);
    return done("ls", more);
}

/* All of a file to the console (to == 0), or to another file. */
static s64 copy(s64 from, s64 to)
{
    s64 got, put;

    for (u64 at = 0;; at += (u64)got) {
        got = file_read(from, at, piece, sizeof piece);
        if (got <= 0)
            return got;
        put = to ? file_write(to, at, piece, (size_t)got) : got;
        if (put != got)
            return put < 0 ? put : DEMOS_E_AREA;
        for (s64 i = 0; !to && i < got; i += 64)
            demos_print("%.*s", (int)MIN(got - i, (s64)64), (const char *)piece + i);
    }
}

s64 file_cat(char **words, u32 count)
{
    s64 result = 0;

    for (u32 i = 1; i < count && result == 0; i++) {
        s64 file = open(words[i], FILE_READS);

        if (file < 0)
            return file;
        result = done(words[i], copy(file, 0));
        demos_link_drop(file);
    }
    return result;
}

s64 file_cp(char **words, u32 count)
{
    s64 from, to, result;

    if (count != 3)
        return complain("cp FROM TO", DEMOS_E_ARGUMENT);
    from = open(words[1], FILE_READS);
    if (from < 0)
        return from;
    to = open(words[2], FILE_WRITES | FILE_CREATES | FILE_CUTS);
    result = to < 0 ? to : done("cp", copy(from, to));
    if (to > 0)
        demos_link_drop(to);
    demos_link_drop(from);
    return result;
}

s64 file_mv(char **words, u32 count)
{
    if (count != 3)
        return complain("mv FROM TO", DEMOS_E_ARGUMENT);
    return done("mv", file_rename(demos_link("files"), words[1], words[2]));
}

static s64 each(enum file_op op, char **words, u32 count)
{
    s64 result = 0;

    for (u32 i = 1; i < count && result == 0; i++)
        result = done(words[i], file_path_op(demos_link("files"), op, words[i]));
    return result;
}

s64 file_rm(char **words, u32 count)
{
    return each(FILE_REMOVE, words, count);
}

s64 file_mkdir(char **words, u32 count)
{
    return each(FILE_FOLDER, words, count);
}

s64 file_put(char **words, u32 count)
{
    s64 file = open(count > 1 ? words[1] : "", FILE_WRITES | FILE_CREATES | FILE_CUTS);
    size_t len = 0;
    s64 result;

    if (file < 0)
        return file;
    for (u32 i = 2; i < count; i++) {
        size_t word = strlen(words[i]);

        memcpy(piece + len, words[i], word);
        len += word;
        piece[len++] = i + 1 < count ? ' ' : '\n';
    }
    result = done(words[1], file_write(file, 0, piece, len));
    demos_link_drop(file);
    return result;
}

s64 file_sync(char **words, u32 count)
{
    (void)words, (void)count;
    return done("sync", file_word_op(demos_link("files"), FILE_SYNC, 0));
}
