/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The disks of a hosted node: files.
 */
#ifndef GUEST_MACHINE_HOSTED_DISK_H
#define GUEST_MACHINE_HOSTED_DISK_H

#include "guest/machine/disk.h"

enum { HOSTED_DISKS = 4 };

struct hosted_disks {
    struct {
        int fd;
        u64 sectors;
        bool readonly;
    } disk[HOSTED_DISKS];
    u32 count;
    struct disk_table *table; /* NULL: no disks */
    struct disk_request *waiting;
};

/* The next disk is this file; one that cannot be written is read-only. False: errno. */
bool hosted_disk_add(struct hosted_disks *d, const char *path);
void hosted_disks_close(struct hosted_disks *d);
/* Carries out what was asked since. True if there was something. */
bool hosted_disks_run(struct node *n);

#endif
