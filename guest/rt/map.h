/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things are. The image is linked at RT_BASE + its physical address; all physical
 * memory is also seen at RT_DIRECT + address; the identity map at 0 remains until an image
 * that wants the low half for its processes loads tables of its own (PML4 entries 256 and
 * up are to be copied from rt_map_root).
 */
#ifndef GUEST_RT_MAP_H
#define GUEST_RT_MAP_H

#define RT_BASE   0xffffffff80000000
#define RT_DIRECT 0xffff800000000000

#ifndef __ASSEMBLY__
#include "base/types.h"

struct rt_start;

static inline void *rt_at(u64 physical)
{
    return (void *)(RT_DIRECT + physical);
}

/* Of an address in the image or in the direct map. */
static inline u64 rt_physical(const void *at)
{
    u64 a = (u64)at;

    return a >= RT_BASE ? a - RT_BASE : a - RT_DIRECT;
}

/* The top table made at start: 512 entries. */
u64 *rt_map_root(void);
/* Makes [base, base + size) reachable through rt_at, uncached if it is a device's. False
 * when tables cannot be had. */
bool rt_map_range(u64 base, u64 size, bool device);
/* Guest-physical frames that hold nothing, for pages the hypervisor puts there (shared
 * info, grant frames, mapped grants). `count` in a row; 0 when there are no more. */
u64 rt_window_alloc(u32 count);
void rt_window_free(u64 gfn, u32 count);
void rt_map_init(struct rt_start *start);
#endif

#endif
