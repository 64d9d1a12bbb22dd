/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/place.h by way of the domain runtime: counter, end.
 */
#include "guest/machine/x86/cpu.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"

struct frames *place_frames(struct node *n)
{
    (void)n;
    return &x86.frames;
}

struct machine_miss *place_miss(struct node *n)
{
    (void)n;
    return &x86.miss;
}

struct announcement *place_announcement(struct node *n)
{
    (void)n;
    return &x86.announcement;
}

u64 place_cycles(struct node *n, u64 *per_ms)
{
    (void)n;
    *per_ms = rt_tsc_khz();
    return tsc_read();
}

/* On the bare machine there is no hypervisor to do anything. */
bool place_counts(struct node *n, u64 counts[3])
{
    struct osm_counters c = {.domid = DOMID_SELF, .vcpu = 0xffff};

    (void)n;
    if (rt_host() == RT_XEN ||
        (rt_host() == RT_OSMOSIS && hypercall_osmosis(OSM_OP_counters, &c)))
        return false;
    counts[0] = c.exits;
    counts[1] = c.flushes;
    counts[2] = c.copied_bytes;
    return true;
}

u64 place_features(struct node *n)
{
    (void)n;
    return cpu_features();
}

void place_halt(struct node *n, s64 status)
{
    (void)n;
    x86.halted = true;
    x86.status = status;
}
