/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of loads.
 */
#include "guest/servers/process/loads.h"

static struct load_row *find(struct loads *l, u64 from)
{
    for (u32 i = 0; i < l->count; i++)
        if (l->rows[i].from == from)
            return &l->rows[i];
    return NULL;
}

struct load_row *loads_idlest(struct loads *l)
{
    struct load_row *best = NULL;

    for (u32 i = 0; i < l->count; i++)
        if (!best || l->rows[i].load < best->load)
            best = &l->rows[i];
    return best;
}

void loads_report(struct loads *l, u64 from, u64 machine, u64 load)
{
    struct load_row *r = find(l, from);

    if (!r && l->count < LOADS_ROWS)
        r = &l->rows[l->count++];
    if (r)
        *r = (struct load_row){from, machine, load};
}

bool loads_changed(struct loads *l)
{
    const struct load_row *idlest = loads_idlest(l);

    if (!idlest || (idlest->machine == l->told_machine && idlest->load == l->told_load))
        return false;
    l->told_machine = idlest->machine;
    l->told_load = idlest->load;
    return true;
}

u64 loads_take(struct loads *l, u64 asker, u64 load)
{
    struct load_row *r = loads_idlest(l);

    if (!r || r->machine == asker || r->load >= load)
        return 0;
    r->load++;
    return r->machine;
}

u64 loads_give(struct loads *l, u64 asker, u64 load)
{
    struct load_row *most = NULL;

    for (u32 i = 0; i < l->count; i++)
        if (l->rows[i].machine != asker && (!most || l->rows[i].load > most->load))
            most = &l->rows[i];
    if (!most || most->load < load + 2)
        return 0;
    most->load--;
    return most->machine;
}
