/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/physmap.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/mm/p2m.h"

static void count_pages(struct domain *d, s64 n)
{
    __atomic_add_fetch(&d->pages, (u64)n, __ATOMIC_RELAXED);
}

/* Whether what stands there is RAM that counts as the domain's. */
static bool is_own_ram(enum p2m_kind kind, mfn_t frame)
{
    const struct frame *f = mfn_valid(frame) ? frame_of(frame) : NULL;

    if (kind == P2M_PROMISED || kind == P2M_COPY)
        return true;
    return kind == P2M_RAM && f && f->use != FRAME_TABLE;
}

static enum p2m_kind look(struct domain *d, u64 gfn, bool *own)
{
    enum p2m_access access;
    mfn_t frame;
    enum p2m_kind kind = p2m_look(d, GFN(gfn), &frame, &access);

    *own = is_own_ram(kind, frame);
    return kind;
}

static s64 promise_one_by_one(struct domain *d, u64 gfn, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        int error = p2m_promise(d, GFN(gfn + i), 1);

        if (error && error != -XEN_EEXIST)
            return error;
        if (!error)
            count_pages(d, 1);
    }
    return 0;
}

s64 physmap_populate(struct domain *d, u64 gfn, u64 count)
{
    u64 pages = __atomic_load_n(&d->pages, __ATOMIC_RELAXED);
    int error;

    if (pages + count > d->frames_max || pages + count < pages)
        return fail(-XEN_ENOMEM);
    if (!d->overcommit && frames_reserve(d, count))
        return fail(-XEN_ENOMEM);
    error = p2m_promise(d, GFN(gfn), count);
    if (error == -XEN_EEXIST && count > 1)
        return promise_one_by_one(d, gfn, count);
    if (!error)
        count_pages(d, (s64)count);
    return error == -XEN_EEXIST ? 0 : error;
}

s64 physmap_give_back(struct domain *d, u64 gfn)
{
    bool own;

    look(d, gfn, &own);
    if (!own)
        return fail(-XEN_EINVAL);
    if (p2m_unmap(d, GFN(gfn)))
        return fail(-XEN_EINVAL);
    count_pages(d, -1);
    return 0;
}

/* --- placing -------------------------------------------------------------------------------- */

/* Puts a held frame at gfn; what was there goes, unless only its own interface may remove
 * it. Takes over the reference. */
static s64 place(struct domain *d, u64 gfn, mfn_t frame, enum p2m_kind kind,
                 enum p2m_access access)
{
    bool own;
    enum p2m_kind before = look(d, gfn, &own);
    s64 error = 0;

    if (before == P2M_GRANT || before == P2M_DEVICE || before == P2M_EMULATED)
        error = fail(-XEN_EBUSY);
    if (!error)
        error = p2m_map(d, GFN(gfn), frame, 0, kind, access);
    if (error)
        frame_put(frame);
    else if (own)
        count_pages(d, -1);
    return error;
}

/* The shared page is at one place: it leaves the old one. */
static void leave_place(struct domain *d, u64 gfn, mfn_t frame)
{
    enum p2m_access access;
    mfn_t there;

    if (gfn != ~0ull && p2m_look(d, GFN(gfn), &there, &access) == P2M_RAM && there.n == frame.n)
        p2m_unmap(d, GFN(gfn));
}

static s64 add_shared_info(struct domain *d, u64 idx, u64 gfn)
{
    s64 error;

    if (idx)
        return fail(-XEN_EINVAL);
    if (d->shared_gfn == gfn)
        return 0;
    frame_get(d->shared_frame);
    error = place(d, gfn, d->shared_frame, P2M_RAM, P2M_RW);
    if (error)
        return error;
    leave_place(d, d->shared_gfn, d->shared_frame);
    d->shared_gfn = gfn;
    return 0;
}

static s64 add_grant_frame(struct domain *d, u64 idx, u64 gfn)
{
    mfn_t frame;
    u64 before;
    s64 error;

    if (idx > ~0u) /* version 1 has no status frames either */
        return fail(-XEN_EINVAL);
    error = grant_shared_frame(d, (u32)idx, &frame);
    if (error)
        return error;
    before = d->grant->frame[idx]->gfn;
    if (before == gfn) {
        frame_put(frame);
        return 0;
    }
    error = place(d, gfn, frame, P2M_RAM, P2M_RW);
    if (error)
        return error;
    leave_place(d, before, frame);
    grant_frame_mapped(d, (u32)idx, gfn);
    return 0;
}

/* The guest's own page appears at another place, and no longer at the old one. */
static s64 move_own(struct domain *d, u64 from, u64 gfn)
{
    mfn_t frame;
    s64 error;
    bool own;

    if (from == gfn)
        return 0;
    look(d, from, &own);
    if (!own)
        return fail(-XEN_EINVAL);
    if (p2m_get(d, GFN(from), P2M_RW, &frame))
        return fail(-XEN_EINVAL);
    error = place(d, gfn, frame, P2M_RAM, P2M_RWX);
    if (!error)
        p2m_unmap(d, GFN(from));
    return error;
}

static s64 add_foreign(struct domain *d, struct domain *foreign, u64 idx, u64 gfn)
{
    mfn_t frame;

    if (p2m_get(foreign, GFN(idx), P2M_RW, &frame))
        return fail(-XEN_EINVAL);
    return place(d, gfn, frame, P2M_FOREIGN, P2M_RW);
}

s64 physmap_add(struct domain *d, struct domain *foreign, u32 space, u64 idx, u64 gfn)
{
    if (d->state >= DOMAIN_DYING)
        return fail(-XEN_EINVAL);
    switch (space) {
    case XENMAPSPACE_shared_info: return add_shared_info(d, idx, gfn);
    case XENMAPSPACE_grant_table: return add_grant_frame(d, idx, gfn);
    case XENMAPSPACE_gmfn: return move_own(d, idx, gfn);
    case XENMAPSPACE_gmfn_foreign:
        return foreign ? add_foreign(d, foreign, idx, gfn) : fail(-XEN_EINVAL);
    default: return fail(-XEN_EINVAL);
    }
}

s64 physmap_remove(struct domain *d, u64 gfn)
{
    bool own;
    enum p2m_kind kind = look(d, gfn, &own);

    if (kind == P2M_HOLE)
        return fail(-XEN_ENOENT);
    if (kind == P2M_GRANT || kind == P2M_DEVICE || kind == P2M_EMULATED)
        return fail(-XEN_EINVAL);
    if (p2m_unmap(d, GFN(gfn)))
        return fail(-XEN_EINVAL);
    if (own)
        count_pages(d, -1);
    return 0;
}
