/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mapper's side: handles, mapping, unmapping, copying.
 */
#include "base/memory.h"
#include "base/wide.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/grant.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

enum { LET_GO_PER_STEP = 64 };
#define MAP_FLAGS (GNTMAP_host_map | GNTMAP_device_map | GNTMAP_readonly)

/* --- handles, under d's lock ---------------------------------------------------------------- */

static struct grant_map *map_of(const struct domain *d, grant_handle_t handle)
{
    const struct grant_table *t = d->grant;

    if (handle >= t->map_room)
        return NULL;
    return &t->maps[handle / (GRANT_MAP_BUCKET * GRANT_MAP_GROUP)]
                   [handle / GRANT_MAP_BUCKET % GRANT_MAP_GROUP][handle % GRANT_MAP_BUCKET];
}

static bool more_handles(struct domain *d)
{
    struct grant_table *t = d->grant;
    u32 group = t->map_room / (GRANT_MAP_BUCKET * GRANT_MAP_GROUP);
    struct grant_map *bucket;

    if (group >= GRANT_MAP_GROUPS)
        return false;
    if (!t->maps)
        t->maps = domain_alloc(d, GRANT_MAP_GROUPS * sizeof(struct grant_map **));
    if (!t->maps)
        return false;
    if (!t->maps[group])
        t->maps[group] = domain_alloc(d, GRANT_MAP_GROUP * sizeof(struct grant_map *));
    bucket = t->maps[group] ? domain_alloc(d, GRANT_MAP_BUCKET * sizeof(*bucket)) : NULL;
    if (!bucket)
        return false;
    t->maps[group][t->map_room / GRANT_MAP_BUCKET % GRANT_MAP_GROUP] = bucket;
    for (u32 i = GRANT_MAP_BUCKET; i-- > 0;) {
        bucket[i].next = t->map_free;
        t->map_free = t->map_room + i + 1;
    }
    t->map_room += GRANT_MAP_BUCKET;
    return true;
}

/* A handle for a mapping of `granter`, whose reference it takes over; NULL: no memory. */
static struct grant_map *take_handle(struct domain *d, struct domain *granter, u32 *handle)
{
    struct grant_table *t = d->grant;
    struct grant_map *m = NULL;

    spin_lock(&d->grant_lock);
    if (t->map_free || more_handles(d)) {
        *handle = t->map_free - 1;
        m = map_of(d, *handle);
        t->map_free = m->next;
        t->map_count++;
        *m = (struct grant_map){.granter = granter, .going = true};
    }
    spin_unlock(&d->grant_lock);
    return m;
}

static void free_handle(struct domain *d, u32 handle, struct grant_map *m)
{
    struct grant_table *t = d->grant;
    struct domain *granter = m->granter;

    spin_lock(&d->grant_lock);
    *m = (struct grant_map){.next = t->map_free};
    t->map_free = handle + 1;
    t->map_count--;
    spin_unlock(&d->grant_lock);
    domain_put(granter);
}

/* --- mapping ------------------------------------------------------------------------------------ */

static s16 put_into_map(struct domain *d, const struct gnttab_map_grant_ref *m, mfn_t frame)
{
    enum p2m_access access = m->flags & GNTMAP_readonly ? P2M_R : P2M_RW;
    int error;

    if (!(m->flags & GNTMAP_host_map))
        return GNTST_okay;
    frame_get(frame); /* the map's own */
    error = p2m_map(d, GFN(m->host_addr >> PAGE_SHIFT), frame, 0, P2M_GRANT, access);
    if (!error)
        return GNTST_okay;
    frame_put(frame);
    return error == -XEN_EBUSY ? GNTST_general_error : GNTST_no_space;
}

static bool has_devices(const struct domain *d)
{
    return d->irqs || d->iomem_used;
}

/* With a reference to the granter; keeps it when the result is GNTST_okay. */
static s16 map_from(struct domain *d, struct domain *granter, struct gnttab_map_grant_ref *m)
{
    bool readonly = m->flags & GNTMAP_readonly;
    struct grant_map *map;
    mfn_t frame;
    u32 handle;
    s16 status;

    map = take_handle(d, granter, &handle);
    if (!map)
        return GNTST_no_space;
    domain_get(granter); /* the handle's */
    status = grant_pin(granter, m->ref, d->id, readonly, &frame);
    if (status == GNTST_okay) {
        status = put_into_map(d, m, frame);
        if (status != GNTST_okay)
            grant_unpin(granter, m->ref, readonly);
    }
    if (status != GNTST_okay) {
        free_handle(d, handle, map);
        return status;
    }
    map->ref = m->ref;
    map->gfn = m->host_addr >> PAGE_SHIFT;
    map->flags = (u16)(m->flags & MAP_FLAGS);
    __atomic_store_n(&map->going, false, __ATOMIC_RELEASE);
    m->handle = handle;
    m->dev_bus_addr = has_devices(d) ? frame.n << PAGE_SHIFT : 0;
    trace(OSM_T_map, d->id, m->ref, granter->id, map->gfn);
    return GNTST_okay;
}

/* The domain that an item names; the batch keeps the reference. */
static struct domain *granter_of(struct grant_batch *b, domid_t domid)
{
    if (b->granter && b->domid == domid)
        return b->granter;
    if (b->granter)
        domain_put(b->granter);
    b->granter = domain_find_or_self(domid);
    b->domid = domid;
    return b->granter;
}

void grant_map_one(struct domain *d, struct grant_batch *b, struct gnttab_map_grant_ref *m)
{
    struct domain *granter;

    m->handle = ~0u;
    if (!(m->flags & (GNTMAP_host_map | GNTMAP_device_map)) || m->flags & GNTMAP_contains_pte) {
        m->status = GNTST_bad_gntref;
        return;
    }
    if (m->flags & GNTMAP_host_map && m->host_addr & (PAGE_SIZE - 1)) {
        m->status = GNTST_bad_virt_addr;
        return;
    }
    granter = granter_of(b, m->dom);
    m->status = granter ? map_from(d, granter, m) : GNTST_bad_domain;
}

/* --- unmapping ------------------------------------------------------------------------------------ */

/* Claims a mapping for unmapping: only one caller gets it. */
static s16 claim(struct domain *d, const struct gnttab_unmap_grant_ref *u,
                 struct grant_map **map)
{
    struct grant_map *m;
    s16 status = GNTST_okay;

    spin_lock(&d->grant_lock);
    m = map_of(d, u->handle);
    if (!m || !m->granter || m->going)
        status = GNTST_bad_handle;
    else if (u->host_addr && m->flags & GNTMAP_host_map && u->host_addr >> PAGE_SHIFT != m->gfn)
        status = GNTST_general_error;
    else
        m->going = true;
    spin_unlock(&d->grant_lock);
    *map = m;
    return status;
}

/* Takes a claimed mapping out of the guest's map as far as asked; says what is left of it. */
static u16 take_out(struct domain *d, struct grant_map *m, bool host, bool device)
{
    if (host && m->flags & GNTMAP_host_map) {
        p2m_unmap_lazily(d, GFN(m->gfn));
        m->flags &= (u16)~GNTMAP_host_map;
    }
    if (device)
        m->flags &= (u16)~GNTMAP_device_map;
    return m->flags & (GNTMAP_host_map | GNTMAP_device_map);
}

/* After the flush: nobody can reach the frame by this mapping any more. */
static void finish(struct domain *d, u32 handle, struct grant_map *m)
{
    trace(OSM_T_unmap, d->id, m->ref, m->granter->id, m->gfn);
    grant_unpin(m->granter, m->ref, m->flags & GNTMAP_readonly);
    free_handle(d, handle, m);
}

void grant_unmap_batch(struct domain *d, struct gnttab_unmap_grant_ref *u, u32 count)
{
    struct grant_map *map[GRANT_UNMAP_BATCH];
    bool gone[GRANT_UNMAP_BATCH] = {false}, flush = false;

    for (u32 i = 0; i < count; i++) {
        u[i].status = claim(d, &u[i], &map[i]);
        if (u[i].status != GNTST_okay)
            continue;
        flush |= map[i]->flags & GNTMAP_host_map && u[i].host_addr;
        gone[i] = !take_out(d, map[i], u[i].host_addr, u[i].dev_bus_addr);
        if (!gone[i])
            __atomic_store_n(&map[i]->going, false, __ATOMIC_RELEASE);
    }
    if (flush)
        virt_flush(d);
    for (u32 i = 0; i < count; i++)
        if (gone[i])
            finish(d, u[i].handle, map[i]);
}

int grant_destroy(struct domain *d)
{
    struct grant_table *t = d->grant;
    u32 end = MIN(t->destroy_at + LET_GO_PER_STEP, t->map_room);

    for (; t->destroy_at < end; t->destroy_at++) {
        struct grant_map *m = map_of(d, t->destroy_at);

        if (!m->granter)
            continue;
        /* No vCPU of d runs any more, so nobody else is at it and no flush is needed. */
        take_out(d, m, true, true);
        finish(d, t->destroy_at, m);
    }
    if (t->destroy_at < t->map_room)
        return -XEN_ERESTART;
    return 0;
}

/* --- copying ---------------------------------------------------------------------------------------- */

static void let_go(struct grant_end *e)
{
    if (!e->held)
        return;
    if (e->by_ref) {
        grant_unpin(e->granter, (grant_ref_t)e->what, e->readonly);
        domain_put(e->granter);
    } else {
        frame_put(e->frame);
    }
    e->held = false;
}

static s16 hold_end(struct domain *d, struct grant_batch *b, struct grant_end *e)
{
    s16 status;

    if (!e->by_ref) {
        if (e->domid != DOMID_SELF && e->domid != d->id)
            return GNTST_permission_denied;
        return p2m_get(d, GFN(e->what), e->readonly ? P2M_R : P2M_RW, &e->frame)
                   ? GNTST_bad_page
                   : GNTST_okay;
    }
    e->granter = granter_of(b, e->domid);
    if (!e->granter)
        return GNTST_bad_domain;
    status = grant_pin(e->granter, (grant_ref_t)e->what, d->id, e->readonly, &e->frame);
    if (status == GNTST_okay)
        domain_get(e->granter); /* the end's */
    return status;
}

/* Makes e the end that is asked for: often it is already (as on Xen, a page that several
 * items name is held from the first to the last). */
static inline s16 take_end(struct domain *d, struct grant_batch *b, struct grant_end *e,
                           bool by_ref, domid_t domid, u64 what)
{
    s16 status;

    if (e->held && e->by_ref == by_ref && e->domid == domid && e->what == what)
        return GNTST_okay;
    let_go(e);
    e->what = what;
    e->domid = domid;
    e->by_ref = by_ref;
    e->readonly = e == &b->from;
    status = hold_end(d, b, e);
    e->held = status == GNTST_okay;
    return status;
}

void grant_copy_one(struct vcpu *v, struct grant_batch *b, struct gnttab_copy *c)
{
    bool from_ref = c->flags & GNTCOPY_source_gref, to_ref = c->flags & GNTCOPY_dest_gref;
    struct domain *d = v->domain;
    const u8 *from;
    u8 *to;

    if (c->source.offset + c->len > PAGE_SIZE || c->dest.offset + c->len > PAGE_SIZE ||
        c->flags & ~(GNTCOPY_source_gref | GNTCOPY_dest_gref)) {
        c->status = GNTST_bad_copy_arg;
        return;
    }
    c->status = take_end(d, b, &b->from, from_ref, c->source.domid,
                         from_ref ? c->source.u.ref : c->source.u.gmfn);
    if (c->status == GNTST_okay)
        c->status = take_end(d, b, &b->to, to_ref, c->dest.domid,
                             to_ref ? c->dest.u.ref : c->dest.u.gmfn);
    if (c->status != GNTST_okay)
        return;
    to = (u8 *)frame_map(b->to.frame) + c->dest.offset;
    from = (u8 *)frame_map(b->from.frame) + c->source.offset;
    if ((u64)to - (u64)from >= c->len)
        copy_wide(to, from, c->len);
    else
        memmove(to, from, c->len);
    v->counters.copied_bytes += c->len;
    trace(OSM_T_copy, d->id, c->len, c->source.domid, c->dest.domid);
}

/* --- several in one call ---------------------------------------------------------------------- */

void grant_batch_end(struct grant_batch *b)
{
    let_go(&b->from);
    let_go(&b->to);
    if (b->granter)
        domain_put(b->granter);
    b->granter = NULL;
}
