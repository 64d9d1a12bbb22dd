/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op (xen/grant_table.h): arrays of structures, in bounded pieces.
 */
#include "base/memory.h"
#include "hyp/dom/grant.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/privilege.h"

enum { ITEMS_PER_STAY = 32, CHUNK_BYTES = 1024 };

/* A 32-bit caller's layouts where they differ: pointers and frame numbers have 32 bits. */
struct setup_table_narrow {
    domid_t dom;
    u16 pad;
    u32 nr_frames;
    s16 status;
    u16 pad2;
    u32 frame_list;
};
struct copy_end_narrow {
    u32 u;
    domid_t domid;
    u16 offset;
};
struct copy_narrow {
    struct copy_end_narrow source, dest;
    u16 len, flags;
    s16 status;
    u16 pad;
};

/* --- operations on one structure ------------------------------------------------------------- */

static s64 map(struct call *c, struct grant_batch *b, void *item)
{
    grant_map_one(c->v->domain, b, item);
    return 0;
}

static s64 copy(struct call *c, struct grant_batch *b, void *item)
{
    struct copy_narrow *n = item;
    struct gnttab_copy wide;

    if (!c->compat) {
        grant_copy_one(c->v, b, item);
        return 0;
    }
    wide = (struct gnttab_copy){
        .source = {{.gmfn = n->source.u}, n->source.domid, n->source.offset},
        .dest = {{.gmfn = n->dest.u}, n->dest.domid, n->dest.offset},
        .len = n->len,
        .flags = n->flags};
    grant_copy_one(c->v, b, &wide);
    n->status = wide.status;
    return 0;
}

/* Xen keeps it from guests without page tables of its own making. An unmapping leaves them a hole,
 * so without a page to fill it with this is one. */
static s64 unmap_and_replace(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_unmap_and_replace *r = item;
    struct gnttab_unmap_grant_ref u = {.host_addr = r->host_addr, .handle = r->handle};

    (void)b;
    if (r->new_addr) {
        r->status = GNTST_general_error;
        return 0;
    }
    grant_unmap_batch(c->v->domain, &u, 1);
    r->status = u.status;
    return 0;
}

static s64 swap(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_swap_grant_ref *s = item;

    (void)b;
    s->status = grant_swap(c->v->domain, s->ref_a, s->ref_b);
    return 0;
}

static s64 query_size(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_query_size *q = item;
    s64 error;
    struct domain *d = domain_for(c->v->domain, q->dom, &error);

    (void)b;
    if (!d) {
        q->status = error == -XEN_EPERM ? GNTST_permission_denied : GNTST_bad_domain;
        return 0;
    }
    q->nr_frames = MAX(d->grant->frames, 1u); /* the first comes when it is asked for */
    q->max_nr_frames = d->grant->limit;
    q->status = GNTST_okay;
    domain_put(d);
    return 0;
}

/* Grows the table and tells where the guest sees its frames: ~0 until it has mapped them. */
static s64 list_frames(struct call *c, struct domain *d, u32 count, u64 list)
{
    for (u32 i = 0; i < count; i++) {
        mfn_t frame;
        u64 gfn;

        if (grant_shared_frame(d, i, &frame))
            return GNTST_general_error;
        frame_put(frame);
        gfn = d->grant->frame[i]->gfn;
        if (call_write(c, list + i * (c->compat ? 4 : 8), &gfn, c->compat ? 4 : 8))
            return fail(-XEN_EFAULT);
    }
    return GNTST_okay;
}

static s64 setup_table(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_setup_table *wide = item;
    struct setup_table_narrow *narrow = item;
    u32 count = wide->nr_frames;
    u64 list = c->compat ? narrow->frame_list : (u64)wide->frame_list.p;
    s64 result;
    struct domain *d = domain_for(c->v->domain, wide->dom, &result);

    (void)b;
    if (!d) {
        wide->status = result == -XEN_EPERM ? GNTST_permission_denied : GNTST_bad_domain;
        return 0;
    }
    result = count > d->grant->limit ? GNTST_general_error : list_frames(c, d, count, list);
    domain_put(d);
    if (result == -XEN_EFAULT)
        return result;
    wide->status = (s16)result;
    return 0;
}

static s64 get_version(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_get_version *g = item;
    s64 error;
    struct domain *d = domain_for(c->v->domain, g->dom, &error);

    (void)b;
    if (!d)
        return error;
    g->version = 1;
    domain_put(d);
    return 0;
}

static s64 set_version(struct call *c, struct grant_batch *b, void *item)
{
    struct gnttab_set_version *s = item;
    u32 wanted = s->version;

    (void)b, (void)c;
    s->version = 1; /* the one it has, whatever comes of it */
    return wanted == 1 ? 0 : fail(wanted == 2 ? -XEN_ENOSYS : -XEN_EINVAL);
}

static const struct grant_op {
    const char *name;
    s64 (*perform)(struct call *c, struct grant_batch *b, void *item);
    u16 size, compat_size;
} ops[] = {
#define OP(op, fn, type) [GNTTABOP_##op] = {#op, fn, sizeof(struct type), sizeof(struct type)}
    OP(map_grant_ref, map, gnttab_map_grant_ref),
    [GNTTABOP_setup_table] = {"setup_table", setup_table, sizeof(struct gnttab_setup_table),
                              sizeof(struct setup_table_narrow)},
    [GNTTABOP_copy] = {"copy", copy, sizeof(struct gnttab_copy), sizeof(struct copy_narrow)},
    OP(query_size, query_size, gnttab_query_size),
    OP(unmap_and_replace, unmap_and_replace, gnttab_unmap_and_replace),
    OP(set_version, set_version, gnttab_set_version),
    OP(get_version, get_version, gnttab_get_version),
    OP(swap_grant_ref, swap, gnttab_swap_grant_ref),
};

/* --- arrays --------------------------------------------------------------------------------- */

static s64 unmap_all(struct call *c)
{
    struct gnttab_unmap_grant_ref batch[GRANT_UNMAP_BATCH];

    for (u32 stay = 0; c->arg[2]; stay += GRANT_UNMAP_BATCH) {
        u32 count = (u32)MIN(c->arg[2], (u64)GRANT_UNMAP_BATCH);
        size_t len = count * sizeof(batch[0]);

        if (stay >= ITEMS_PER_STAY)
            return CALL_AGAIN;
        if (call_read(c, batch, c->arg[1], len))
            return fail(-XEN_EFAULT);
        grant_unmap_batch(c->v->domain, batch, count);
        c->v->counters.grants += count;
        if (call_write(c, c->arg[1], batch, len))
            return fail(-XEN_EFAULT);
        c->arg[1] += len;
        c->arg[2] -= count;
    }
    return 0;
}

/* One chunk of an array: read at once, performed in order up to the first error of the call
 * itself, written back up to where that came from. */
static s64 do_chunk(struct call *c, const struct grant_op *op, u32 size, u32 count)
{
    u64 items[CHUNK_BYTES / 8];
    struct grant_batch batch = {0};
    s64 error = 0;
    u32 done = 0;

    if (call_read(c, items, c->arg[1], count * size))
        return fail(-XEN_EFAULT);
    while (done < count && !error) {
        error = op->perform(c, &batch, (u8 *)items + done * size);
        done += !error;
    }
    grant_batch_end(&batch);
    c->v->counters.grants += done;
    if (call_write(c, c->arg[1], items, (done + !!error) * size))
        return fail(-XEN_EFAULT);
    c->arg[1] += done * size;
    c->arg[2] -= done;
    return error;
}

s64 call_grant_table_op(struct call *c)
{
    const struct grant_op *op;
    u32 size, chunk;

    c->arg[2] = (u32)c->arg[2];
    if ((s32)c->arg[2] < 0)
        return fail(-XEN_EINVAL);
    if (c->arg[0] == GNTTABOP_unmap_grant_ref)
        return unmap_all(c);
    if (c->arg[0] >= ARRAY_SIZE(ops) || !ops[c->arg[0]].perform)
        return fail(-XEN_ENOSYS);
    op = &ops[c->arg[0]];
    size = c->compat ? op->compat_size : op->size;
    chunk = size % 8 ? 1 : CHUNK_BYTES / size; /* each structure must be aligned */
    for (u32 stay = 0; c->arg[2]; stay += chunk) {
        s64 error;

        if (stay >= ITEMS_PER_STAY)
            return CALL_AGAIN;
        error = do_chunk(c, op, size, (u32)MIN(c->arg[2], (u64)chunk));
        if (error < 0)
            return error;
    }
    return 0;
}
