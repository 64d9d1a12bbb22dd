/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a disk interface is asked, in words: the operation, then a block and a number of
 * blocks of FS_BLOCK bytes; bytes travel through the area of the link that comes with it.
 */
#ifndef GUEST_SERVERS_FILES_DISK_H
#define GUEST_SERVERS_FILES_DISK_H

enum disk_op {
    DISK_READ = 1,  /* block, count; [link with a writable area] */
    DISK_WRITE = 2, /* block, count; [link with a readable area] */
    DISK_FLUSH = 3, /* what was written lasts when the answer comes */
    DISK_SIZE = 4,  /* -> blocks */

    /* At most DISK_KEPT_MOST blocks, for who must not get others than he wrote: the pager. */
    DISK_KEEP = 5, /* as WRITE -> blocks, check of what was written (verify.h) */
    DISK_FETCH =
        6, /* block, count, check; [link with a writable area]: as READ, and into the area
                     * only if that is the check of what was read, at the second attempt if not at
                     * the first */
};
enum { DISK_KEPT_MOST = 64 };

#endif
