/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's part, played by an array.
 */
#include "tests/splitdrv/world.h"

struct world world;

void world_reset(void)
{
    memset(&world, 0, sizeof(world));
}

u32 world_held(void)
{
    u32 held = 0;

    for (u32 i = 0; i < WORLD_GRANTS; i++)
        held += world.grant[i].used + world.grant[i].mapped;
    return held;
}

static bool fails(void)
{
    if (world.meddle)
        world.meddle();
    return world.fail_every && ++world.calls % world.fail_every == 0;
}

grant_ref_t split_grant(domid_t peer, void *page, bool readonly)
{
    (void)peer;
    for (u32 i = 8; i < WORLD_GRANTS; i++) {
        if (!world.grant[i].used) {
            world.grant[i].page = page;
            world.grant[i].used = true;
            world.grant[i].readonly = readonly;
            return i;
        }
    }
    return 0;
}

bool split_ungrant(grant_ref_t ref)
{
    if (world.grant[ref].mapped)
        return false;
    world.grant[ref].used = false;
    return true;
}

static u8 *lent(grant_ref_t ref, bool write)
{
    if (ref >= WORLD_GRANTS || !world.grant[ref].used || (write && world.grant[ref].readonly) ||
        fails()) {
        world.refused++;
        return NULL;
    }
    return world.grant[ref].page;
}

bool split_map(domid_t peer, grant_ref_t ref, bool readonly, struct split_mapping *m)
{
    u8 *page = lent(ref, !readonly);

    (void)peer;
    world.map_calls++;
    if (!page)
        return false;
    world.grant[ref].mapped++;
    m->at = page;
    m->token = ref;
    return true;
}

void split_unmap(struct split_mapping *m)
{
    world.grant[m->token].mapped--;
    m->at = NULL;
}

void split_copy(domid_t peer, bool to_peer, struct split_copy *copies, u32 count)
{
    (void)peer;
    world.copy_calls++;
    for (u32 i = 0; i < count; i++) {
        struct split_copy *c = &copies[i];
        u8 *page = lent(c->ref, to_peer);

        c->status = -1;
        if (!page || (u32)c->offset + c->len > SPLIT_PAGE)
            continue;
        if (to_peer)
            memcpy(page + c->offset, c->local, c->len);
        else
            memcpy(c->local, page + c->offset, c->len);
        c->status = 0;
    }
}

void split_notify(u32 port)
{
    world.kicks[port % WORLD_PORTS]++;
}
