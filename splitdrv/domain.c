/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * splitdrv/platform.h over the domain runtime's grants and event channels.
 */
#include "guest/rt/event.h"
#include "guest/rt/grant.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "splitdrv/platform.h"

enum { BATCH = 40 }; /* a frame of 18 slots, each cut once at a local page's end */

grant_ref_t split_grant(domid_t peer, void *page, bool readonly)
{
    return rt_grant_access(peer, rt_physical(page) >> 12, readonly);
}

bool split_ungrant(grant_ref_t ref)
{
    return rt_grant_end(ref);
}

bool split_map(domid_t peer, grant_ref_t ref, bool readonly, struct split_mapping *m)
{
    struct rt_mapping r;

    if (rt_grant_map(peer, ref, readonly, &r))
        return false;
    *m = (struct split_mapping){r.at, r.handle};
    return true;
}

void split_unmap(struct split_mapping *m)
{
    struct rt_mapping r = {m->at, rt_physical(m->at) >> 12, m->token};

    if (rt_grant_unmap(&r))
        rt_panic("a mapped grant cannot be let go");
    m->at = NULL;
}

/* One of our copies as one or two of the hypervisor's, which know pages only. */
static u32 describe(domid_t peer, bool to_peer, const struct split_copy *c, gnttab_copy_t *ops)
{
    u32 done = 0, count = 0;

    while (done < c->len) {
        u64 at = rt_physical((const u8 *)c->local + done);
        u32 part = MIN((u32)(c->len - done), (u32)(SPLIT_PAGE - at % SPLIT_PAGE));
        gnttab_copy_t *op = &ops[count++];

        *op = (gnttab_copy_t){.len = (u16)part};
        if (to_peer) {
            op->source.domid = DOMID_SELF;
            op->source.u.gmfn = at >> 12;
            op->source.offset = (u16)(at % SPLIT_PAGE);
            op->dest.domid = peer;
            op->dest.u.ref = c->ref;
            op->dest.offset = (u16)(c->offset + done);
            op->flags = GNTCOPY_dest_gref;
        } else {
            op->source.domid = peer;
            op->source.u.ref = c->ref;
            op->source.offset = (u16)(c->offset + done);
            op->dest.domid = DOMID_SELF;
            op->dest.u.gmfn = at >> 12;
            op->dest.offset = (u16)(at % SPLIT_PAGE);
            op->flags = GNTCOPY_source_gref;
        }
        done += part;
    }
    return count;
}

void split_copy(domid_t peer, bool to_peer, struct split_copy *copies, u32 count)
{
    gnttab_copy_t ops[BATCH];
    u32 first[BATCH], used = 0;

    rt_assert(2 * count <= BATCH);
    for (u32 i = 0; i < count; i++) {
        first[i] = used;
        used += describe(peer, to_peer, &copies[i], &ops[used]);
    }
    if (rt_grant_copy(ops, used)) {
        for (u32 i = 0; i < count; i++)
            copies[i].status = GNTST_general_error;
        return;
    }
    for (u32 i = 0; i < count; i++) {
        u32 end = i + 1 < count ? first[i + 1] : used;

        copies[i].status = 0;
        for (u32 k = first[i]; k < end; k++)
            copies[i].status = copies[i].status ? copies[i].status : ops[k].status;
    }
}

void split_notify(u32 port)
{
    rt_event_send(port);
}
