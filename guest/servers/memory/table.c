/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of machines.
 */
#include "guest/servers/memory/table.h"

struct machine *table_find(struct table *t, u64 number)
{
    for (u32 i = 0; i < t->count; i++)
        if (t->machines[i].row.machine == number)
            return &t->machines[i];
    return NULL;
}

enum table_entry table_enter(struct table *t, u64 number, u64 epoch, struct machine **entry,
                             u64 *before)
{
    struct machine *m = table_find(t, number);

    *entry = m;
    *before = m ? m->row.epoch : 0;
    if (!m && t->count == TABLE_MACHINES)
        return TABLE_FULL;
    if (!m) {
        m = *entry = &t->machines[t->count++];
        *m = (struct machine){.row = {.machine = number, .epoch = epoch, .alive = 1}};
        return TABLE_ENTERED;
    }
    if (epoch < m->row.epoch || (epoch == m->row.epoch && !m->row.alive))
        return TABLE_STALE;
    m->asked = false;
    m->silent = 0;
    if (epoch == m->row.epoch)
        return TABLE_AGAIN;
    m->row.epoch = epoch;
    m->row.alive = 1;
    return TABLE_REENTERED;
}

static bool idler(const struct member_row *a, const struct member_row *b)
{
    return a->ready != b->ready ? a->ready < b->ready : a->free > b->free;
}

struct machine *table_idlest(struct table *t)
{
    struct machine *best = NULL;

    for (u32 i = 0; i < t->count; i++) {
        struct machine *m = &t->machines[i];

        if (m->row.alive && (!best || idler(&m->row, &best->row)))
            best = m;
    }
    return best;
}

bool table_ask(struct machine *m)
{
    m->silent = m->asked ? m->silent + 1 : 0;
    if (m->silent >= TABLE_SILENCE)
        return false;
    m->asked = true;
    return true;
}

void table_answered(struct machine *m, u64 ready, u64 processes, u64 free)
{
    m->asked = false;
    m->silent = 0;
    m->row.ready = ready;
    m->row.processes = processes;
    m->row.free = free;
}
