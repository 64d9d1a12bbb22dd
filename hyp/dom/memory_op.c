/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op (xen/memory.h) for auto-translated guests: RAM is promised to a place in the
 * guest's map and populated when touched.
 *
 * As on Xen, a call that was pre-empted carries how far it is above bit 6 of its command.
 */
#include "base/memory.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/physmap.h"
#include "hyp/dom/privilege.h"

/* How long a stay may be, in pages given back; promising so many costs as much as one. */
enum { WORK_PER_STAY = 32, PROMISES = 16, MAPS_PER_STAY = 16, DONE_SHIFT = 6 };
enum { ORDER_GUEST = 9, ORDER_CONTROL = 18 };

/* A reservation as both widths mean it. */
struct extents {
    u64 list, count;
    u32 order, flags;
    domid_t domid;
};
struct reservation_narrow {
    u32 extent_start, nr_extents, extent_order, mem_flags;
    domid_t domid;
    u16 pad;
};

static s64 read_extents(struct call *c, struct extents *e)
{
    struct xen_memory_reservation wide;
    struct reservation_narrow narrow;

    if (c->compat) {
        if (call_read(c, &narrow, c->arg[1], sizeof(narrow)))
            return fail(-XEN_EFAULT);
        *e = (struct extents){narrow.extent_start, narrow.nr_extents, narrow.extent_order,
                              narrow.mem_flags, narrow.domid};
    } else {
        if (call_read(c, &wide, c->arg[1], sizeof(wide)))
            return fail(-XEN_EFAULT);
        *e = (struct extents){(u64)wide.extent_start.p, wide.nr_extents, wide.extent_order,
                              wide.mem_flags, wide.domid};
    }
    return 0;
}

/* Frame numbers in the caller's arrays have the caller's width. */
static s64 read_frame(struct call *c, u64 list, u64 index, u64 *gfn)
{
    *gfn = 0;
    return call_read(c, gfn, list + index * (c->compat ? 4 : 8), c->compat ? 4 : 8);
}

/* One step of a call on extents, from their page number `at` on, counted through all of them:
 * the pages that it did, or what stops the call. */
typedef s64 extent_fn(struct call *c, struct domain *d, const struct extents *e, u64 at);

static s64 populate(struct call *c, struct domain *d, const struct extents *e, u64 at)
{
    u64 gfn;
    s64 error;

    if (read_frame(c, e->list, at >> e->order, &gfn))
        return fail(-XEN_EFAULT);
    if (e->flags & XENMEMF_populate_on_demand && may(c->v->domain, MAY_OVERCOMMIT))
        d->overcommit = true;
    error = physmap_populate(d, gfn, 1ull << e->order);
    return error ? error : (s64)(1ull << e->order);
}

/* Without a place named: above everything there is. */
static s64 increase(struct call *c, struct domain *d, const struct extents *e, u64 at)
{
    u64 gfn = ALIGN_UP(d->memory_top, 1ull << e->order);
    u32 width = c->compat ? 4 : 8;
    s64 error = physmap_populate(d, gfn, 1ull << e->order);

    if (!error && e->list)
        error = call_write(c, e->list + (at >> e->order) * width, &gfn, width);
    return error ? error : (s64)(1ull << e->order);
}

static s64 decrease(struct call *c, struct domain *d, const struct extents *e, u64 at)
{
    s64 error;
    u64 gfn;

    if (read_frame(c, e->list, at >> e->order, &gfn))
        return fail(-XEN_EFAULT);
    error = physmap_give_back(d, gfn + (at & ((1ull << e->order) - 1)));
    return error ? error : 1;
}

/* Goes on from where the last stay ended: how many extents are done in all, as Xen answers. */
static s64 each_extent(struct call *c, extent_fn *fn)
{
    u32 most = may(c->v->domain, MAY_TAKE_LARGE) ? ORDER_CONTROL : ORDER_GUEST;
    u64 at = c->arg[0] >> DONE_SHIFT, room = (c->compat ? 32 : 63) - DONE_SHIFT;
    struct extents e;
    struct domain *d;
    s64 error;

    if (read_extents(c, &e))
        return 0; /* as on Xen: what was done, and no reason why no more */
    if (e.order > most || e.count >> (room - e.order) || at >> e.order > e.count)
        return e.order > most ? 0 : (s64)(at >> e.order);
    d = domain_for(c->v->domain, e.domid, &error);
    if (!d)
        return (s64)(at >> e.order);
    for (u64 work = 0; at >> e.order < e.count;) {
        s64 pages;

        if (work >= WORK_PER_STAY) {
            c->arg[0] = (c->arg[0] & ((1u << DONE_SHIFT) - 1)) | at << DONE_SHIFT;
            domain_put(d);
            return CALL_AGAIN;
        }
        pages = fn(c, d, &e, at);
        if (pages < 0)
            break;
        at += (u64)pages;
        work += 1 + (u64)pages / PROMISES;
    }
    domain_put(d);
    return (s64)(at >> e.order);
}

static s64 populate_physmap(struct call *c)
{
    return each_extent(c, populate);
}

static s64 increase_reservation(struct call *c)
{
    return each_extent(c, increase);
}

static s64 decrease_reservation(struct call *c)
{
    return each_extent(c, decrease);
}

/* For guests that own their page tables only (memory.h says so). */
static s64 exchange(struct call *c)
{
    (void)c;
    return fail(-XEN_EOPNOTSUPP);
}

/* --- numbers ---------------------------------------------------------------------------------- */

static s64 maximum_ram_page(struct call *c)
{
    (void)c;
    return (s64)frames_total() - 1;
}

static s64 about_domain(struct call *c)
{
    struct domain *d;
    domid_t domid;
    s64 result;

    if (call_read(c, &domid, c->arg[1], sizeof(domid)))
        return fail(-XEN_EFAULT);
    d = domain_for(c->v->domain, domid, &result);
    if (!d)
        return result;
    switch (c->arg[0]) {
    case XENMEM_current_reservation: result = (s64)d->pages; break;
    case XENMEM_maximum_reservation: result = (s64)MIN(d->frames_max, (u64)INT64_MAX); break;
    default: result = (s64)d->memory_top - 1; break;
    }
    domain_put(d);
    return result;
}

/* --- placing pages ------------------------------------------------------------------------------- */

struct add_narrow {
    domid_t domid;
    u16 size;
    u32 space, idx, gpfn;
};
struct batch_narrow {
    domid_t domid;
    u16 space, size;
    domid_t foreign;
    u32 idxs, gpfns, errs;
};

static s64 read_add(struct call *c, struct xen_add_to_physmap *a)
{
    struct add_narrow n;

    if (!c->compat)
        return call_read(c, a, c->arg[1], sizeof(*a));
    if (call_read(c, &n, c->arg[1], sizeof(n)))
        return fail(-XEN_EFAULT);
    *a = (struct xen_add_to_physmap){n.domid, n.size, n.space, n.idx, n.gpfn};
    return 0;
}

static s64 add_to_physmap(struct call *c)
{
    u64 done = c->arg[0] >> DONE_SHIFT, count = 1;
    struct xen_add_to_physmap a;
    struct domain *d;
    s64 error;

    if (read_add(c, &a))
        return fail(-XEN_EFAULT);
    if (a.space == XENMAPSPACE_gmfn_foreign)
        return fail(-XEN_EINVAL); /* the batch alone says whose */
    if (a.space == XENMAPSPACE_gmfn_range) {
        a.space = XENMAPSPACE_gmfn;
        count = a.size;
    }
    d = domain_for(c->v->domain, a.domid, &error);
    if (!d)
        return error;
    for (u64 i = 0; done < count && !error; done++, i++) {
        if (i == MAPS_PER_STAY) {
            c->arg[0] = XENMEM_add_to_physmap | done << DONE_SHIFT;
            error = CALL_AGAIN;
            break;
        }
        error = physmap_add(d, NULL, a.space, a.idx + done, a.gpfn + done);
    }
    domain_put(d);
    return error;
}

/* A batch as both widths mean it. */
struct batch {
    domid_t domid, foreign;
    u16 space, size;
    u64 idxs, gpfns, errs;
};

static s64 read_batch(struct call *c, struct batch *b)
{
    struct xen_add_to_physmap_batch w;
    struct batch_narrow n;

    if (c->compat) {
        if (call_read(c, &n, c->arg[1], sizeof(n)))
            return fail(-XEN_EFAULT);
        *b = (struct batch){n.domid, n.foreign, n.space, n.size, n.idxs, n.gpfns, n.errs};
    } else {
        if (call_read(c, &w, c->arg[1], sizeof(w)))
            return fail(-XEN_EFAULT);
        *b = (struct batch){w.domid,       w.u.foreign_domid, w.space,      w.size,
                            (u64)w.idxs.p, (u64)w.gpfns.p,    (u64)w.errs.p};
    }
    return 0;
}

static s64 do_batch(struct call *c, const struct batch *b, struct domain *d,
                    struct domain *foreign)
{
    u64 start = c->arg[0] >> DONE_SHIFT;

    for (u64 i = start; i < b->size; i++) {
        u64 idx, gpfn;
        s32 result;

        if (i - start == MAPS_PER_STAY) {
            c->arg[0] = XENMEM_add_to_physmap_batch | i << DONE_SHIFT;
            return CALL_AGAIN;
        }
        if (read_frame(c, b->idxs, i, &idx) || read_frame(c, b->gpfns, i, &gpfn))
            return fail(-XEN_EFAULT);
        result = (s32)physmap_add(d, foreign, b->space, idx, gpfn);
        if (call_write(c, b->errs + i * sizeof(result), &result, sizeof(result)))
            return fail(-XEN_EFAULT);
    }
    return 0;
}

static s64 add_to_physmap_batch(struct call *c)
{
    struct domain *d, *foreign = NULL;
    struct batch b = {0};
    s64 error = read_batch(c, &b);

    if (error)
        return error;
    d = domain_for(c->v->domain, b.domid, &error);
    if (!d)
        return error;
    if (b.space == XENMAPSPACE_gmfn_range ||
        (b.space != XENMAPSPACE_gmfn_foreign && b.foreign)) {
        error = fail(-XEN_EINVAL);
    } else if (b.space == XENMAPSPACE_gmfn_foreign) {
        foreign = domain_for(c->v->domain, b.foreign, &error);
        if (foreign && (foreign == d || b.foreign == DOMID_SELF))
            error = fail(-XEN_EINVAL);
    }
    if (!error)
        error = do_batch(c, &b, d, foreign);
    if (foreign)
        domain_put(foreign);
    domain_put(d);
    return error;
}

static s64 remove_from_physmap(struct call *c)
{
    struct xen_remove_from_physmap r;
    u32 narrow[2];
    struct domain *d;
    s64 error;

    if (c->compat) {
        if (call_read(c, narrow, c->arg[1], sizeof(narrow)))
            return fail(-XEN_EFAULT);
        r = (struct xen_remove_from_physmap){(domid_t)narrow[0], narrow[1]};
    } else if (call_read(c, &r, c->arg[1], sizeof(r))) {
        return fail(-XEN_EFAULT);
    }
    d = domain_for(c->v->domain, r.domid, &error);
    if (!d)
        return error;
    error = physmap_remove(d, r.gpfn);
    domain_put(d);
    return error;
}

/* --- the map as the builder drew it ------------------------------------------------------------------ */

struct map_request {
    u32 count;
    u64 buffer;
};

static s64 read_map(struct call *c, u64 at, struct map_request *m)
{
    struct xen_memory_map wide;
    u32 narrow[2];

    if (c->compat) {
        if (call_read(c, narrow, at, sizeof(narrow)))
            return fail(-XEN_EFAULT);
        *m = (struct map_request){narrow[0], narrow[1]};
    } else {
        if (call_read(c, &wide, at, sizeof(wide)))
            return fail(-XEN_EFAULT);
        *m = (struct map_request){wide.nr_entries, (u64)wide.buffer.p};
    }
    return 0;
}

static s64 memory_map(struct call *c)
{
    const struct domain *d = c->v->domain;
    struct map_request m;
    s64 error = read_map(c, c->arg[1], &m);

    if (error)
        return error;
    if (!d->memory_map)
        return fail(-XEN_ENOSYS);
    m.count = MIN(m.count, d->memory_map_count);
    if (call_write(c, m.buffer, d->memory_map, m.count * sizeof(*d->memory_map)) ||
        call_write(c, c->arg[1], &m.count, sizeof(m.count)))
        return fail(-XEN_EFAULT);
    return 0;
}

static s64 set_memory_map(struct call *c)
{
    struct e820_entry *map;
    struct map_request m;
    struct domain *d;
    domid_t domid;
    s64 error;

    if (call_read(c, &domid, c->arg[1], sizeof(domid)))
        return fail(-XEN_EFAULT);
    error = read_map(c, c->arg[1] + (c->compat ? 4 : 8), &m);
    if (error)
        return error;
    if (!may(c->v->domain, MAY_DRAW_MEMORY_MAP))
        return fail(-XEN_EPERM);
    if (m.count > MEMORY_MAP_MOST)
        return fail(-XEN_EINVAL);
    d = domain_for(c->v->domain, domid, &error);
    if (!d)
        return error;
    map = domain_alloc(d, MEMORY_MAP_MOST * sizeof(*map));
    if (!map) {
        error = fail(-XEN_ENOMEM);
    } else if (d->started || call_read(c, map, m.buffer, m.count * sizeof(*map))) {
        domain_free(d, map, MEMORY_MAP_MOST * sizeof(*map));
        error = fail(d->started ? -XEN_EBUSY : -XEN_EFAULT);
    } else {
        if (d->memory_map)
            domain_free(d, d->memory_map, MEMORY_MAP_MOST * sizeof(*map));
        d->memory_map_count = m.count;
        d->memory_map = map;
    }
    domain_put(d);
    return error;
}

s64 call_memory_op(struct call *c)
{
    static call_fn *const ops[] = {
        [XENMEM_increase_reservation] = increase_reservation,
        [XENMEM_decrease_reservation] = decrease_reservation,
        [XENMEM_maximum_ram_page] = maximum_ram_page,
        [XENMEM_current_reservation] = about_domain,
        [XENMEM_maximum_reservation] = about_domain,
        [XENMEM_populate_physmap] = populate_physmap,
        [XENMEM_add_to_physmap] = add_to_physmap,
        [XENMEM_memory_map] = memory_map,
        [XENMEM_exchange] = exchange,
        [XENMEM_set_memory_map] = set_memory_map,
        [XENMEM_maximum_gpfn] = about_domain,
        [XENMEM_remove_from_physmap] = remove_from_physmap,
        [XENMEM_add_to_physmap_batch] = add_to_physmap_batch,
    };
    u32 op = c->arg[0] & ((1u << DONE_SHIFT) - 1);

    return op < ARRAY_SIZE(ops) && ops[op] ? ops[op](c) : fail(-XEN_ENOSYS);
}
