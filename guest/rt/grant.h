/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grant table, version 1 (xen/grant_table.h): lending our frames, using others'.
 */
#ifndef GUEST_RT_GRANT_H
#define GUEST_RT_GRANT_H

#include "guest/rt/hypercall.h"

/* Lends frame `gfn` to `to`. The reference, or 0 when the table is full. */
grant_ref_t rt_grant_access(domid_t to, u64 gfn, bool readonly);
/* Lends under a reference the toolstack reserved (GNTTAB_RESERVED_*). */
void rt_grant_reserved(grant_ref_t ref, domid_t to, u64 gfn);
/* Takes it back; false while the other side still has it mapped (the reference stays). */
bool rt_grant_end(grant_ref_t ref);

/* A frame of another domain, mapped at `at` until rt_grant_unmap. */
struct rt_mapping {
    void *at;
    u64 gfn;
    grant_handle_t handle;
};
/* 0 or a negative GNTST_* status. */
int rt_grant_map(domid_t from, grant_ref_t ref, bool readonly, struct rt_mapping *m);
int rt_grant_unmap(struct rt_mapping *m);

/* Runs `count` copies in one call; each op's own status says how it went. Returns 0, or a
 * negative errno of the call itself. */
static inline long rt_grant_copy(gnttab_copy_t *ops, u32 count)
{
    return hypercall_grant_table_op(GNTTABOP_copy, ops, count);
}

/* References still free, the table's growth counted in. */
u32 rt_grant_free_count(void);
void rt_grant_init(void);
/* suspend.c: in another domain, whose table grants nothing of ours. */
void rt_grant_begin_again(void);

#endif
