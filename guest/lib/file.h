/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files: what a file system is asked over its link ("files" in a boot list), and the usual
 * questions as functions. Bodies are words; a path is bytes behind them, names parted by
 * '/'. An open file is a link: who holds it reads and writes, and the file is closed when
 * it is destroyed, by hand or with its holder. Bytes travel by MOVEDATA between the file
 * system and the asker's memory.
 *
 * Each line: words after the operation, then links -> words after the result, then links.
 */
#ifndef GUEST_LIB_FILE_H
#define GUEST_LIB_FILE_H

#include "guest/lib/words.h"

enum file_op {
    FILE_OPEN = 1,   /* flags, path -> size; file link */
    FILE_REMOVE = 2, /* path; a directory must be empty */
    FILE_FOLDER = 3, /* path: makes a directory */
    FILE_RENAME =
        4,         /* bytes of the first path, both paths; a file of the new name is replaced */
    FILE_LIST = 5, /* index, path -> index of the next, enum fs_kind, size, then the name */
    FILE_SYNC = 6, /* what was written is on the disk when the answer comes */
    FILE_USED = 7, /* -> blocks of 512 bytes that the link's owner may hold (0: any number, and
                    * then nobody counts), and holds */
    /* Over the owner's link (`+files` in a boot list), where USED is of the owner it names. */
    FILE_QUOTA = 8, /* owner, blocks (0: any number) */
    FILE_OWNER = 9, /* owner -> ; link to the same files, where what is made is that owner's */
    /* Over the link of an open file. */
    FILE_READ = 16,   /* offset, len; [link with a writable area] -> bytes, fewer at the end */
    FILE_WRITE = 17,  /* offset, len; [link with a readable area] -> bytes */
    FILE_RESIZE = 18, /* size: cut, or grown with zeros */
    FILE_INFO = 19,   /* -> size, flags it was opened with */
};

enum file_flags { FILE_READS = 1, FILE_WRITES = 2, FILE_CREATES = 4, FILE_CUTS = 8 };

enum { FILE_PATH_MAX = 256, FILE_MOVE_MAX = 1 << 20 };

/* Results of the file system's own kind: an enum fs_error e as e - 100. */
#define FILE_ERROR(e) ((e)-100)

/* A link to the open file, or an error. */
s64 file_open(s64 files, const char *path, u32 flags);
/* Bytes moved: all of `len` unless the file ends or an error comes first. */
s64 file_read(s64 file, u64 offset, void *to, size_t len);
s64 file_write(s64 file, u64 offset, const void *from, size_t len);
/* An operation with one path. */
s64 file_path_op(s64 files, enum file_op op, const char *path);
/* An operation with a word over an open file, or over the file system (SYNC). */
s64 file_word_op(s64 link, enum file_op op, u64 word);
s64 file_rename(s64 files, const char *from, const char *to);
/* The next entry of a directory at or after *index, 1; 0 behind the last; or an error. */
s64 file_list(s64 files, const char *path, u64 *index, u64 *size, char name[64]);

#endif
