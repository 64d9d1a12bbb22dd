/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/disk.h by files of the host, which is asked and waited for: a hosted node has
 * nothing else to do while the host's cache answers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "guest/machine/hosted/disk.h"
#include "guest/machine/hosted/hosted.h"

static struct hosted_disks *disks_of(struct node *n)
{
    return &((struct hosted *)node_owner(n))->disks;
}

bool hosted_disk_add(struct hosted_disks *d, const char *path)
{
    struct stat s;
    bool readonly = false;
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 && (errno == EACCES || errno == EROFS)) {
        readonly = true;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0 || fstat(fd, &s) < 0)
        return false;
    if (d->count == HOSTED_DISKS || (!d->table && !(d->table = calloc(1, sizeof(*d->table))))) {
        errno = ENOMEM;
        return false;
    }
    d->disk[d->count].fd = fd;
    d->disk[d->count].sectors = (u64)s.st_size / DEVICE_SECTOR;
    d->disk[d->count++].readonly = readonly;
    return true;
}

void hosted_disks_close(struct hosted_disks *d)
{
    while (d->count)
        close(d->disk[--d->count].fd);
    free(d->table);
    d->table = NULL;
}

struct disk_table *place_disks(struct node *n)
{
    return disks_of(n)->table;
}

bool place_disk_size(struct node *n, u64 disk, u64 *sectors, bool *readonly)
{
    const struct hosted_disks *d = disks_of(n);

    if (disk >= d->count)
        return false;
    *sectors = d->disk[disk].sectors;
    *readonly = d->disk[disk].readonly;
    return true;
}

void place_disk_begin(struct node *n, struct disk_request *r)
{
    struct hosted_disks *d = disks_of(n);

    r->next = d->waiting;
    d->waiting = r;
}

static bool perform(int fd, struct disk_request *r)
{
    off_t at = (off_t)(r->sector * DEVICE_SECTOR);

    if (r->op == DEVICE_FLUSH)
        return fdatasync(fd) == 0;
    if (r->op == DEVICE_WRITE)
        return pwrite(fd, r->data, r->bytes, at) == (ssize_t)r->bytes;
    return pread(fd, r->data, r->bytes, at) == (ssize_t)r->bytes;
}

bool hosted_disks_run(struct node *n)
{
    struct hosted_disks *d = disks_of(n);
    struct disk_request *r = d->waiting, *next;

    d->waiting = NULL;
    for (bool any = r != NULL;; r = next) {
        if (!r)
            return any;
        next = r->next;
        disk_request_done(n, r, perform(d->disk[r->disk].fd, r) ? 0 : DEMOS_E_REFUSED);
    }
}
