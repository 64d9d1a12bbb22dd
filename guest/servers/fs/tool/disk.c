/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk that is a file of the host.
 */
#include "guest/servers/fs/tool/disk.h"
#include <sys/stat.h>
#include <unistd.h>
#include "guest/servers/fs/format.h"

static int whole(ssize_t done, u32 count)
{
    return done == (ssize_t)count * FS_BLOCK ? FS_OK : FS_E_IO;
}

int disk_read(struct disk *d, u64 block, u32 count, void *to)
{
    return whole(pread(d->fd, to, (size_t)count * FS_BLOCK, (off_t)(block * FS_BLOCK)), count);
}

int disk_write(struct disk *d, u64 block, u32 count, const void *from)
{
    return whole(pwrite(d->fd, from, (size_t)count * FS_BLOCK, (off_t)(block * FS_BLOCK)),
                 count);
}

int disk_flush(struct disk *d)
{
    return fsync(d->fd) == 0 ? FS_OK : FS_E_IO;
}

u64 disk_blocks(struct disk *d)
{
    struct stat st;

    return fstat(d->fd, &st) == 0 && st.st_size > 0 ? (u64)st.st_size / FS_BLOCK : 0;
}
