/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a guest's page tables: no paging, 32-bit, PAE, 4-level (AMD APM vol. 2, ch. 5).
 * Pure but for the function that finds the memory of a guest frame, so that a host test can
 * hold it against a reference.
 */
#ifndef HYP_DOM_WALK_H
#define HYP_DOM_WALK_H

#include "base/types.h"

struct paging { /* what decides a translation */
    u64 cr0, cr3, cr4, efer;
};

enum { WALK_LEVELS = 4 };
struct walk {
    u64 gpa;       /* of the byte asked for */
    u32 fault;     /* on failure: P and RSV of the page fault's error code */
    bool writable; /* a supervisor's write is allowed, and the dirty bit is set */
    bool narrow;   /* entries have 4 bytes */
    u32 levels;    /* entries walked */
    void *entry[WALK_LEVELS];
    u64 value[WALK_LEVELS]; /* what they held when the walk was through */
};

/* Finds guest frame `gfn`, writable, and keeps it there until the walk's owner lets go of
 * what `context` says; NULL: there is no such memory. */
typedef void *walk_find(void *context, u64 gfn);

/* A supervisor's data access. Sets accessed and dirty bits as the processor does. 0, or
 * -EFAULT. `w` is complete only on success. */
int walk_tables(const struct paging *p, u64 linear, bool write, walk_find *find, void *context,
                struct walk *w);

/* A walk that succeeded: ring 3 may touch the page, too. */
bool walk_is_users(const struct paging *p, const struct walk *w);

static inline u64 walk_entry(const void *entry, bool narrow)
{
    return narrow ? *(const volatile u32 *)entry : *(const volatile u64 *)entry;
}

#endif
