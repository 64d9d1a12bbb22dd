/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtual block device in a domain: blkfront, found in the store and connected, and connected
 * again after its back end was away. Requests that were under way then are made again, which
 * the same sectors with the same bytes bear.
 */
#ifndef SPLITDRV_VBD_H
#define SPLITDRV_VBD_H

#include "splitdrv/blk.h"
#include "splitdrv/device.h"

enum { VBD_PAGES = 32 };

/* The caller's, from vbd_begin until vbd_end gives it back. */
struct vbd_request {
    struct vbd_request *next;
    u8 op; /* BLKIF_OP_READ, _WRITE or _FLUSH_DISKCACHE */
    u64 sector;
    u32 bytes; /* whole sectors, at most BLK_SEGMENTS pages */
    void *data;
    bool sent;
    s16 status; /* when it is back: BLKIF_RSP_* */
};

struct vbd {
    struct split_device bus;
    struct blkfront front;
    u64 sectors;
    bool readonly, flushes, up;
    volatile bool struck;
    void *ring, *buffers;
    grant_ref_t ref;
    u32 port;
    struct vbd_request *first, **last; /* all that are not back, in their order */
    struct vbd_request *done, **done_last;
    u64 look; /* the last look at what is overdue, in VBD_LOOK_NS */
};

/* A request that is not answered for as long may be one whose event was lost. */
#define VBD_LOOK_NS 250000000ull

/* The n-th device below device/vbd, waiting up to `wait_ns` for it to connect. False: there is
 * none. One that has not connected yet has no sectors. */
bool vbd_open(struct vbd *v, u32 n, u64 wait_ns);
void vbd_begin(struct vbd *v, struct vbd_request *r);
/* The next request that has been answered; NULL: none. */
struct vbd_request *vbd_end(struct vbd *v);
/* splitdrv/device.h; requests stay, and are made again. */
void vbd_leave(struct vbd *v);
bool vbd_alone(const struct vbd *v);
void vbd_suspend(struct vbd *v);
void vbd_resume(struct vbd *v);
/* True when there is reason to call vbd_poll. */
bool vbd_wants(const struct vbd *v);
/* The handshake, answers, and what could not be sent before. After rt_store_poll. */
void vbd_poll(struct vbd *v);
/* Before sleeping. False: something came in meanwhile. */
bool vbd_rest(struct vbd *v);
/* When vbd_poll wants to be called even if nothing comes; ~0 for never. */
u64 vbd_deadline(const struct vbd *v);

#endif
