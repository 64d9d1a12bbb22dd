/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machines of a memory manager: who has entered, in which boot, who is dead, how busy
 * they were when last heard of. Pure: links are numbers here.
 */
#ifndef GUEST_SERVERS_MEMORY_TABLE_H
#define GUEST_SERVERS_MEMORY_TABLE_H

#include "guest/lib/members.h"

enum { TABLE_MACHINES = 1024, TABLE_SILENCE = 3 };

struct machine {
    struct member_row row;
    s64 kernel, member; /* links; 0: none */
    bool asked;         /* how busy it is, and has not answered */
    u32 silent;         /* times it was to be asked and had not answered the last question */
};

struct table {
    u32 count;
    struct machine machines[TABLE_MACHINES];
};

enum table_entry {
    TABLE_STALE,     /* an older boot than the one known, or one declared dead */
    TABLE_AGAIN,     /* the one that is known */
    TABLE_ENTERED,   /* a machine nobody knew */
    TABLE_REENTERED, /* a new boot: the one before is dead */
    TABLE_FULL,
};

struct machine *table_find(struct table *t, u64 number);
/* A machine presents itself. Its links are the caller's to put in, and the old ones, if
 * there are any, to drop. *before: the epoch that is over, for TABLE_REENTERED. */
enum table_entry table_enter(struct table *t, u64 number, u64 epoch, struct machine **entry,
                             u64 *before);
/* The living machine with the fewest threads that want a processor, then the most memory. */
struct machine *table_idlest(struct table *t);
/* Time to ask it how busy it is. False: it has been silent too often, and counts as dead. */
bool table_ask(struct machine *m);
void table_answered(struct machine *m, u64 ready, u64 processes, u64 free);

#endif
