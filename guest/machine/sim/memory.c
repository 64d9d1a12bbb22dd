/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of processes as the kernel asks for it: copies into and out of it, and regions.
 */
#include "guest/machine/sim/inside.h"
#include <stdlib.h>
#include <string.h>

/* A thread's own accesses wait once per call when pages are to be fetched. */
static bool fetch_first(struct node *n, struct task *t)
{
    struct sim_node *sn = sim_owner(n);
    struct sim_process *p = sn->running ? sn->running->machine : NULL;

    if (!sn->sim->absent || !p || p->task != t || p->parked)
        return false;
    p->parked = true;
    return true;
}

bool sim_missing(struct node *n, struct task *t, u64 address, size_t len, u32 access)
{
    bool force = access & MACHINE_FORCE;
    u64 at = sim_space_missing(sim_space_of(t), address, len, force ? 0 : access & 7,
                               access & REGION_WRITE, t->grows);

    if (at)
        sim_owner(n)->miss = (struct machine_miss){t, MAX(at, address), access};
    return at != 0;
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    const u8 *at;

    if (fetch_first(n, t))
        return MACHINE_LATER;
    at = sim_space_at(sim_space_of(t), from, len, REGION_READ, false);
    if (at) {
        memcpy(to, at, len);
        return MACHINE_OK;
    }
    if (sim_missing(n, t, from, len, REGION_READ))
        return MACHINE_LATER;
    return sim_space_access(sim_space_of(t), from, to, len, REGION_READ, false) ? MACHINE_OK
                                                                                : MACHINE_FAULT;
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    u8 *at;

    if (fetch_first(n, t))
        return MACHINE_LATER;
    at = sim_space_at(sim_space_of(t), to, len, REGION_WRITE, true);
    if (at) {
        memcpy(at, from, len);
        return MACHINE_OK;
    }
    if (sim_missing(n, t, to, len, REGION_WRITE))
        return MACHINE_LATER;
    return sim_space_access(sim_space_of(t), to, (void *)(uintptr_t)from, len, REGION_WRITE,
                            true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}

enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len)
{
    u8 *bytes;
    bool good;

    if (sim_missing(n, from, from_address, len, REGION_READ) ||
        sim_missing(n, to, to_address, len, REGION_WRITE))
        return MACHINE_LATER;
    bytes = malloc(len ? len : 1);
    good = sim_space_access(sim_space_of(from), from_address, bytes, len, REGION_READ, false) &&
           sim_space_access(sim_space_of(to), to_address, bytes, len, REGION_WRITE, true);
    free(bytes);
    return good ? MACHINE_OK : MACHINE_FAULT;
}

void *machine_reach(struct node *n, struct task *t, u64 address, size_t len)
{
    (void)n;
    return sim_space_reach(sim_space_of(t), address, len);
}

bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len)
{
    return machine_copy(n, to, to_address, from, from_address, len) == MACHINE_OK;
}

u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len)
{
    (void)n;
    return sim_space_share(sim_space_of(to), to_address, sim_space_of(from), from_address, len);
}

enum machine_result machine_space_create(struct node *n, struct task *t)
{
    if (sim_owner(n)->sim->cramped)
        return MACHINE_MEMORY;
    t->machine = sim_space_new(sim_owner(n)->sim);
    return MACHINE_OK;
}

void machine_space_destroy(struct node *n, struct task *t)
{
    (void)n;
    sim_space_free(t->machine);
    t->machine = NULL;
}

enum machine_result machine_map(struct node *n, struct task *t, const struct region *r)
{
    if (sim_owner(n)->sim->cramped)
        return MACHINE_MEMORY;
    sim_space_map(sim_space_of(t), r->base, r->length, r->protection, r->object != NULL);
    return MACHINE_OK;
}

void machine_unmap(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    sim_space_unmap(sim_space_of(t), r->base, r->length);
}

void machine_protect(struct node *n, struct task *t, const struct region *r)
{
    (void)n;
    sim_space_protect(sim_space_of(t), r->base, r->length, r->protection);
}

enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len)
{
    if (sim_missing(n, t, to, len, MACHINE_FORCE | REGION_WRITE))
        return MACHINE_LATER;
    return sim_space_access(sim_space_of(t), to, (void *)(uintptr_t)from, len, 0, true)
               ? MACHINE_OK
               : MACHINE_FAULT;
}
