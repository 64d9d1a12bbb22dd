/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine frames: who owns each, how often it is referenced, and the allocator.
 *
 * Pure over a table of struct frame (host tests build it on plain memory). Every frame
 * handed out is zero and charged to an owner; freeing needs the last reference gone.
 * Safe from any CPU; takes frames_lock inside.
 */
#ifndef HYP_MM_FRAME_H
#define HYP_MM_FRAME_H

#include "base/types.h"

/* Wrapped, so that guest and machine frame numbers cannot be mixed. */
typedef struct {
    u64 n;
} gfn_t;
typedef struct {
    u64 n;
} mfn_t;
#define GFN(x)     ((gfn_t){(x)})
#define MFN(x)     ((mfn_t){(x)})
#define MFN_NONE   MFN(~0ull)
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull

static inline bool mfn_valid(mfn_t m)
{
    return m.n != ~0ull;
}

struct domain;

enum frame_use {
    FRAME_FREE,
    FRAME_HYP,
    FRAME_RAM,
    FRAME_SHARED_IMAGE,
    FRAME_TABLE,
    FRAME_DEVICE
};

struct frame {
    union {
        struct domain *owner; /* NULL: hypervisor, or a shared image */
        struct {
            u32 next, prev;
        } link; /* of a free block: see buddy.h */
    };
    u32 refs; /* holders: one per guest mapping, grant mapping, hypervisor use */
    u8 use;   /* enum frame_use */
    u8 order; /* of a free block */
    u16 spare;
};

/* Once, on the boot CPU: from the loader's memory map. */
void frames_init(void);
/* Sets `count` frames aside for d, so that its own later allocations cannot fail for want
 * of frames; -ENOMEM when there are not so many. d's reservation falls as it allocates. */
int frames_reserve(struct domain *d, u64 count);
/* Gives back what is left of it. */
void frames_unreserve(struct domain *d);
/* 2^order zeroed frames charged to d (NULL: the hypervisor), or MFN_NONE when the machine,
 * or d's limit, has no more. */
mfn_t frame_alloc(struct domain *d, u32 order, enum frame_use use);
void frame_get(mfn_t m);
/* Drops a reference; the last one frees (and later scrubs) the frame. */
void frame_put(mfn_t m);
/* NULL: no RAM there. */
struct frame *frame_of(mfn_t m);
void *frame_map(mfn_t m); /* through the direct map: always there, never unmapped */
u64 frames_free(void);
u64 frames_total(void);

#endif
