/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending a grant costs no hypercall, so a peer that lets go late is found by trying.
 */
#include "splitdrv/aside.h"

bool aside_add(struct aside *a, grant_ref_t ref)
{
    if (!ref)
        return true;
    if (a->count == ASIDE_GRANTS)
        return false;
    a->ref[a->count++] = ref;
    return true;
}

bool aside_add_pool(struct aside *a, struct pool *p)
{
    for (u32 i = 0; i < p->count; i++) {
        if (!aside_add(a, p->ref[i]))
            return false;
        p->ref[i] = 0;
    }
    p->count = p->free = 0;
    return true;
}

static bool ended(struct aside *a)
{
    while (a->count && split_ungrant(a->ref[a->count - 1]))
        a->count--;
    return !a->count;
}

struct aside *aside_take(struct list *sets)
{
    list_for_each_safe(node, sets)
    {
        struct aside *a = list_entry(node, struct aside, others);

        if (!ended(a))
            continue;
        list_remove(node);
        return a;
    }
    return NULL;
}
