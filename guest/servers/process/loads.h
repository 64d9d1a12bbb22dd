/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A manager of loads: knows how busy the machines of its group are, because they say so, and
 * who takes a new process or might give one. With a superior it is one of several groups: it
 * says there who its idlest is, and asks there when all of its own are busy; the superior is
 * the same thing, whose machines are the idlest of each group. Pure.
 */
#ifndef GUEST_SERVERS_PROCESS_LOADS_H
#define GUEST_SERVERS_PROCESS_LOADS_H

#include "base/types.h"

enum { LOADS_ROWS = 256 };

struct loads {
    u32 count;
    struct load_row {
        u64 from;    /* who reports */
        u64 machine; /* itself, or the idlest of its group */
        u64 load;
    } rows[LOADS_ROWS];
    u64 told_machine, told_load; /* to the superior */
};

void loads_report(struct loads *l, u64 from, u64 machine, u64 load);
/* The row with the least load; NULL: there is none. */
struct load_row *loads_idlest(struct loads *l);
/* Who takes a process of a machine with that load, which counts there from now on; 0: none. */
u64 loads_take(struct loads *l, u64 asker, u64 load);
/* Who has two more than that, and is counted to have one less from now on; 0: none. */
u64 loads_give(struct loads *l, u64 asker, u64 load);
/* True when the superior, if there is one, is to be told who the idlest is: it is another one,
 * or more or less busy, than when this last said so. */
bool loads_changed(struct loads *l);

#endif
