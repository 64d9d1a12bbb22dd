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
};

#endif
