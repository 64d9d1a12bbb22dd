/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pages lie on a paging disk: slots of one page each, found by kernel, object and
 * offset. Each kernel has room of its own, fixed when it opens, so that none can take
 * another's. Pure: the memory is the caller's.
 */
#ifndef GUEST_SERVERS_VM_SLOTS_H
#define GUEST_SERVERS_VM_SLOTS_H

#include "base/types.h"

struct slot {
    u64 client, object, offset;
    u32 next; /* with the same hash, or free; + 1 */
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
/* The same, taking a free one where there is none. -1: all are taken. */
s64 slots_take(struct slots *s, u64 client, u64 object, u64 offset);
/* Gives up those of an object; how many there were. */
u32 slots_drop(struct slots *s, u64 client, u64 object);

#endif
