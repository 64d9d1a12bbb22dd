/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is everything on a disk as it must be? Holds the bitmap against the files' extents and
 * the directories against the file table, and can mend what loses nothing: blocks nobody
 * holds, or that are held and marked free, names of nothing, and files nobody names, which get a
 * name in the root.
 */
#ifndef GUEST_SERVERS_FS_CHECK_H
#define GUEST_SERVERS_FS_CHECK_H

#include "guest/servers/fs/dir.h"

struct check {
    struct store *store;
    bool mend;
    void (*say)(struct check *c, const char *problem); /* one line each, may be NULL */
    u32 problems, mended;
    u32 files, directories, used_blocks;
    u8 *holders; /* per block: 0, 1, or 2 for more */
    u8 *named;   /* per row: how many entries point at it, up to 2 */
    size_t blocks, rows;
};

/* Fills `c` for a mounted store; an error only if the disk cannot be read at all. */
int check_store(struct check *c);

#endif
