/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper protocol: what a kernel tells the process that keeps a region's pages, and what
 * that tells the kernel. All of it general messages, none of them answered; bodies are
 * big-endian 64-bit words, word 0 being the operation. Offsets and lengths are bytes, whole
 * pages of the size that INIT says.
 *
 * A keeper makes one general link with DEMOS_DUP per object and gives it to whoever may map it
 * (CONTROL_KEEP, KERNEL_OP_PAGER); the kernel is the keeper's client, not the processes.
 */
#ifndef GUEST_KERNEL_KEEPER_H
#define GUEST_KERNEL_KEEPER_H

#include "base/types.h"

enum keeper_op {
    /* Kernel to keeper, over the object's link. `object` is the kernel's own number, which no
     * other kernel uses; a default keeper gets the pages of many over one link. */
    KEEPER_INIT = 1,    /* object, page size; [request link, name link]: mapped here first */
    KEEPER_REQUEST = 2, /* object, offset, length, access; [the empty frame, to be written] */
    KEEPER_WRITE = 3,   /* object, offset, length; [the frame, to be read]: its bytes changed.
                         * The frame is the keeper's until it destroys the link */
    KEEPER_UNLOCK = 4,  /* object, offset, length, access: more than the lock allows */
    KEEPER_END = 5,     /* object: nobody maps it here any more */

    /* Keeper to kernel, over the request link. */
    KEEPER_DATA = 16,        /* offset, length, lock, and the bytes; without bytes: those that
                              * were moved into the frame. Unasked data may be ignored */
    KEEPER_LOCK = 17,        /* offset, length, lock: these rights are taken back */
    KEEPER_FLUSH = 18,       /* offset, length: write back what changed, and forget the pages */
    KEEPER_CLEAN = 19,       /* offset, length: write back what changed, and keep them */
    KEEPER_CACHE = 20,       /* 1: pages may stay when nobody maps the object; 0: not */
    KEEPER_UNAVAILABLE = 21, /* offset, length: there are no bytes; zeros will do */
    KEEPER_ERROR = 22,       /* offset, length: there will be none; who wants them is told */

    KEEPER_NAME = 32, /* a request over the name link -> ; the object's number */
};

/* What a client wants when its keeper says nothing for the time it gave. */
enum keeper_silence {
    KEEPER_WAIT, /* wait on */
    KEEPER_FAIL, /* an exception, EXCEPTION_PAGER */
    KEEPER_ZERO, /* a page of zeros instead */
};

/* What a node's paging has done (KERNEL_OP_PAGING): words in this order. */
struct paging_counters {
    u64 frames, free;     /* now; of the machine */
    u64 active, inactive; /* now */
    u64 faults;           /* of pages with an object: all below and those that had to wait */
    u64 lookups;          /* ... served by a page that was here */
    u64 copies;           /* ... by a copy of a shared page */
    u64 zeros;            /* ... by a page of zeros */
    u64 mapped;           /* validations told to the machine */
    u64 requests;         /* asked of keepers */
    u64 filled;           /* came from keepers */
    u64 writes;           /* pages sent to keepers */
    u64 evicted;          /* frames taken away from pages */
    u64 reactivated;      /* used while inactive */
    u64 overdue;          /* requests that took longer than the client would wait */
    u64 forfeited;        /* objects whose keeper sat on frames too long, or died */
};

#endif
