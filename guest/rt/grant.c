/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table's frames come into the window one by one as references are needed; free
 * references are chained through an array of our own, never through what others can read.
 */
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"

enum { PER_FRAME = 4096 / sizeof(grant_entry_v1_t), FRAMES_MOST = 256 };
_Static_assert(PER_FRAME * sizeof(u32) <= 4096, "a frame's chain fits a frame");

static grant_entry_v1_t *frame[FRAMES_MOST];
static u32 *next_of[FRAMES_MOST]; /* the free chain, one part for each frame */
static u32 frames, frames_limit, free_first, free_count;

static grant_entry_v1_t *entry(grant_ref_t ref)
{
    return &frame[ref / PER_FRAME][ref % PER_FRAME];
}

static u32 *link_of(grant_ref_t ref)
{
    return &next_of[ref / PER_FRAME][ref % PER_FRAME];
}

static void put_free(grant_ref_t ref)
{
    *link_of(ref) = free_first;
    free_first = ref;
    free_count++;
}

static bool grow(void)
{
    u64 gfn;
    u32 *links;

    if (frames >= frames_limit)
        return false;
    gfn = rt_window_alloc(1);
    links = rt_frames(1);
    if (!gfn || !links || rt_add_to_physmap(XENMAPSPACE_grant_table, frames, gfn)) {
        if (links)
            rt_frames_free(links, 1);
        if (gfn)
            rt_window_free(gfn, 1);
        return false;
    }
    frame[frames] = rt_at(gfn << 12);
    next_of[frames] = links;
    frames++;
    for (u32 ref = frames * PER_FRAME; ref-- > (frames - 1) * PER_FRAME;)
        if (ref >= GNTTAB_NR_RESERVED_ENTRIES)
            put_free(ref);
    return true;
}

grant_ref_t rt_grant_access(domid_t to, u64 gfn, bool readonly)
{
    grant_ref_t ref;

    if (!free_first && !grow())
        return 0;
    ref = free_first;
    free_first = *link_of(ref);
    free_count--;
    rt_assert(gfn >> 32 == 0);
    entry(ref)->frame = (u32)gfn;
    entry(ref)->domid = to;
    __atomic_store_n(&entry(ref)->flags,
                     (u16)(GTF_permit_access | (readonly ? GTF_readonly : 0)),
                     __ATOMIC_RELEASE);
    return ref;
}

void rt_grant_reserved(grant_ref_t ref, domid_t to, u64 gfn)
{
    rt_assert(ref < GNTTAB_NR_RESERVED_ENTRIES && (frames || grow()));
    entry(ref)->frame = (u32)gfn;
    entry(ref)->domid = to;
    __atomic_store_n(&entry(ref)->flags, GTF_permit_access, __ATOMIC_RELEASE);
}

bool rt_grant_end(grant_ref_t ref)
{
    u16 *flags = &entry(ref)->flags;
    u16 old = __atomic_load_n(flags, __ATOMIC_SEQ_CST);

    do {
        if (old & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(flags, &old, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    if (ref >= GNTTAB_NR_RESERVED_ENTRIES)
        put_free(ref);
    return true;
}

u32 rt_grant_free_count(void)
{
    return free_count + (frames_limit - frames) * PER_FRAME;
}

int rt_grant_map(domid_t from, grant_ref_t ref, bool readonly, struct rt_mapping *m)
{
    struct gnttab_map_grant_ref op = {.dom = from, .ref = ref};
    long error;

    m->gfn = rt_window_alloc(1);
    if (!m->gfn)
        return GNTST_no_space;
    op.host_addr = m->gfn << 12;
    op.flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0);
    error = hypercall_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);
    if (error || op.status) {
        rt_window_free(m->gfn, 1);
        return error ? GNTST_general_error : op.status;
    }
    m->at = rt_at(m->gfn << 12);
    m->handle = op.handle;
    return 0;
}

int rt_grant_unmap(struct rt_mapping *m)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = m->gfn << 12, .handle = m->handle};
    long error = hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    if (error || op.status)
        return error ? GNTST_general_error : op.status;
    rt_window_free(m->gfn, 1);
    *m = (struct rt_mapping){0};
    return 0;
}

/* References that a dead peer held stay unused: their frames do, too. */
void rt_grant_begin_again(void)
{
    rt_grant_init();
    for (u32 i = 0; i < frames; i++)
        if (rt_add_to_physmap(XENMAPSPACE_grant_table, i, rt_physical(frame[i]) >> 12))
            rt_panic("the hypervisor does not show frame %u of the grant table", i);
}

void rt_grant_init(void)
{
    struct gnttab_query_size query = {.dom = DOMID_SELF};

    if (rt_host() == RT_NATIVE)
        return;
    if (hypercall_grant_table_op(GNTTABOP_query_size, &query, 1) || query.status)
        rt_panic("the hypervisor does not tell the grant table's size");
    frames_limit = MIN(query.max_nr_frames, (u32)FRAMES_MOST);
}
