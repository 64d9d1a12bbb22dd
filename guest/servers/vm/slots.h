/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pages lie on a paging disk: slots of one page each, found by kernel, object and
 * offset; and the check of what was written there last, by which a page is known again: a page of
 * somebody else's or of an earlier time has another. Nothing of that is on the disk, which need not
 * outlive its pager. Each kernel has room of its own, fixed when it opens, so that none can take
 * another's. Pure: the memory is the caller's.
 */
#ifndef GUEST_SERVERS_VM_SLOTS_H
#define GUEST_SERVERS_VM_SLOTS_H

#include "base/types.h"

struct slot {
    u64 client, object, offset;
    u32 next;  /* with the same hash, or free; + 1 */
    u32 check; /* of its bytes; 0: it holds none */
};

struct slots {
    struct slot *slot;
    u32 *bucket; /* as many as slots; index + 1 */
    u32 count, used, free;
};

/* `count` slots in memory for as many slots and buckets. */
void slots_init(struct slots *s, struct slot *slot, u32 *bucket, u32 count);
/* The slot's number, or -1. */
s64 slots_find(const struct slots *s, u64 client, u64 object, u64 offset);
/* The same, taking a free one where there is none; it holds nothing until slots_hold. -1: all are
 * taken. */
s64 slots_take(struct slots *s, u64 client, u64 object, u64 offset);
/* Bytes with that check have been written there. */
void slots_hold(struct slots *s, s64 slot, u32 check);
/* What they must have when they are read; 0: there are none. */
u32 slots_check(const struct slots *s, s64 slot);
/* Gives up those of an object; how many there were. */
u32 slots_drop(struct slots *s, u64 client, u64 object);

#endif
