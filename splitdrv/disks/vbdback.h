/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back end of one virtual block device in the disk domain: the handshake, and blkback
 * between the mapped ring and a disk.
 */
#ifndef SPLITDRV_DISKS_VBDBACK_H
#define SPLITDRV_DISKS_VBDBACK_H

#include "base/list.h"
#include "splitdrv/backends.h"
#include "splitdrv/disks/disk.h"

struct vbdback {
    struct split_backend end;
    struct list ready;    /* in the queue of those with something to do */
    struct vbdback *next; /* of those that are going */
    struct blkback blk;
    struct split_mapping ring;
    u32 port; /* 0: not connected */
    u8 *buffers;
    struct disk *disk; /* while connected */
    bool running;      /* looks at its answers itself */
    bool gone;         /* the toolstack took it away; the disk may still have its jobs */
};

/* A back end for device `handle` of `domain`; NULL: no memory, or the store does not know it. */
struct vbdback *vbdback_open(u32 domain, u32 handle);
/* Ends it; vbdback_reap frees it once the disk has answered. */
void vbdback_close(struct vbdback *v);
/* False while jobs of it are with a disk. */
bool vbdback_reap(struct vbdback *v);
/* Serves all that are ready until each has had its turn. True: nobody has more to do. */
bool vbdback_turn(void);

/* The main file's: the disk at /osmosis/disk/<id>, or NULL; and the time that is now. */
struct disk *disks_at(const char *id);
u64 disks_now(void);

#endif
