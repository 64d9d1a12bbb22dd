/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xen's ring macros and device protocols (xen/io/ring.h, netif.h, blkif.h), with the
 * barriers they want, and the one rule for reading a peer's index: once, then checked.
 */
#ifndef SPLITDRV_RING_H
#define SPLITDRV_RING_H

#include "base/memory.h"
#include "hyp/abi/xen.h"

#define xen_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define xen_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define xen_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#include <xen/io/ring.h>
#include <xen/io/netif.h>
#include <xen/io/blkif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

enum { SPLIT_PAGE = 4096 };

/* Ring ends at the start of a connection, a ring being one page; as ring.h's macros for it,
 * which do not survive our warnings. */
#define RING_OPEN_BACK(r, tag, page)                                     \
    do {                                                                 \
        (r)->sring = (page);                                             \
        (r)->nr_ents = (unsigned int)__CONST_RING_SIZE(tag, SPLIT_PAGE); \
        (r)->rsp_prod_pvt = (r)->req_cons = 0;                           \
    } while (0)
#define RING_OPEN_FRONT(r, tag, page)                                    \
    do {                                                                 \
        (r)->sring = (page);                                             \
        (r)->nr_ents = (unsigned int)__CONST_RING_SIZE(tag, SPLIT_PAGE); \
        (r)->req_prod_pvt = (r)->rsp_cons = 0;                           \
        SHARED_RING_INIT((r)->sring);                                    \
    } while (0)

/* An index the other side writes, read once; what it guards is read after it. */
static inline RING_IDX ring_peer(const RING_IDX *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/* The other side has taken all before `taken`; whether that is short of what had been put there at
 * the last call, which `*due` remembers: `put` for the next one. */
static inline bool ring_overdue(RING_IDX taken, RING_IDX *due, RING_IDX put)
{
    bool overdue = (s32)(taken - *due) < 0;

    *due = put;
    return overdue;
}

#endif
