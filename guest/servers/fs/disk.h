/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk as the file system sees it: whole blocks, and a barrier. Whoever links the file
 * system supplies these: the buffer manager by calling its disk interface, the tools and
 * tests by a file or memory.
 */
#ifndef GUEST_SERVERS_FS_DISK_H
#define GUEST_SERVERS_FS_DISK_H

#include "base/types.h"

struct disk;

/* 0 or FS_E_IO. Writes may reach the medium in any order, torn at block borders or within
 * a block, until disk_flush returns. */
int disk_read(struct disk *d, u64 block, u32 count, void *to);
int disk_write(struct disk *d, u64 block, u32 count, const void *from);
int disk_flush(struct disk *d);
u64 disk_blocks(struct disk *d);

#endif
