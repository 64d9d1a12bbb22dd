/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `files-keep COUNT [FOLDER]`: what a crash may not take. Looks what it finds of an earlier life, then
 * writes the next files, up to COUNT, one after the other, each synced before the next is made
 * and said to be. A file that is followed by another has been synced: it must be whole.
 */
#include "guest/lib/file.h"
#include "guest/lib/process.h"

enum { BYTES_MOST = 6000 };

static u8 out[BYTES_MOST], in[BYTES_MOST];
static const char *folder = "";
static s64 fs;

/* The content of file `k`; its length. */
static u32 content(u64 k)
{
    u32 len = 1 + (u32)(k * 1237 % BYTES_MOST);

    for (u32 i = 0; i < len; i++)
        out[i] = (u8)(k * 7 + i * 3 + i / 256);
    return len;
}

static s64 open_file(u64 k, u32 flags)
{
    char name[FILE_PATH_MAX];

    format(name, sizeof name, "%s/f%llu", folder, (unsigned long long)k);
    return file_open(fs, name, flags);
}

/* 1: there and whole, 0: there and not, -1: not there. */
static int look(u64 k)
{
    u32 len = content(k);
    s64 f = open_file(k, FILE_READS), got;

    if (f < 0)
        return -1;
    got = file_read(f, 0, in, BYTES_MOST);
    demos_link_drop(f);
    return got == (s64)len && memcmp(in, out, len) == 0;
}

/* How many are whole; all but the last must be. */
static u64 find(void)
{
    u64 k = 1;

    for (;; k++) {
        int now = look(k);

        if (now < 0)
            return k - 1;
        if (now == 0 && look(k + 1) >= 0)
            demos_die("file %llu is damaged", (unsigned long long)k);
        if (now == 0)
            return k - 1;
    }
}

static void write_file(u64 k)
{
    u32 len = content(k);
    s64 f = open_file(k, FILE_READS | FILE_WRITES | FILE_CREATES | FILE_CUTS);
    s64 put = f < 0 ? f : file_write(f, 0, out, len);
    s64 synced = put == (s64)len ? file_word_op(fs, FILE_SYNC, 0) : put;

    if (put != (s64)len || synced < 0)
        demos_die("file %llu cannot be written: %s (%lld of %u bytes, %lld)",
                  (unsigned long long)k, f < 0 ? "not opened" : demos_error(synced),
                  (long long)put, len, (long long)synced);
    demos_link_drop(f);
    demos_print("synced %llu\n", (unsigned long long)k);
}

int main(int argc, char **argv)
{
    u64 count = 0, k;

    for (const char *c = argc > 1 ? argv[1] : ""; *c >= '0' && *c <= '9'; c++)
        count = count * 10 + (u64)(*c - '0');
    fs = demos_link("files");
    if (argc > 2) {
        folder = argv[2];
        file_path_op(fs, FILE_FOLDER, folder); /* unless it is there */
    }
    k = find();
    demos_print("found %llu\n", (unsigned long long)k);
    while (k < count)
        write_file(++k);
    demos_print("Test result: SUCCESS\n");
    return 0;
}
