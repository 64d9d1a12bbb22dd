/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a process manager: who its fellows are (fellows.c), the processes it has made
 * (made.c), and what is under way (main.c).
 */
#ifndef GUEST_SERVERS_PROCESS_MANAGER_H
#define GUEST_SERVERS_PROCESS_MANAGER_H

#include "guest/kernel/control.h"
#include "guest/lib/manager.h"
#include "guest/lib/process.h"
#include "guest/servers/process/balance.h"

enum {
    CHANNEL_SERVICE = 1,
    CHANNEL_ANSWER, /* to MANAGER_ASK about a process that is to be made */
    CHANNEL_PULLED, /* to MANAGER_ASK for one that runs elsewhere */
    CHANNEL_MADE,   /* elsewhere */
    CHANNEL_MEMBERS,
    CHANNEL_REPORT, /* that arrived, or did not */
    CHANNEL_MOVED,
};
enum { ANSWER_ROOM = 128 };

/* fellows.c. A link to a machine's manager, 0 for the manager of loads; 0: there is none. */
s64 fellow(u64 machine);
/* That link leads to nobody any more. */
void fellow_lost(u64 machine);
/* Which manager of loads; NULL: none is asked. */
void fellows_loads(const char *name);
/* One more memory manager whose machines count, by its name; false: too many. */
bool fellows_over(const char *name);
/* Asks the memory managers who there is, now and then; the answer is for fellows_known. */
void fellows_look(u64 now_ns);
void fellows_known(struct balancer *b, const struct demos_info *info, struct words *w);

/* made.c. Makes a process by the words of KERNEL_OP_CREATE; the watch link, if there is one,
 * is given away. The result, and the control link. */
s64 made_here(struct words *w, s64 watch, s64 *control);
/* Threads that want the processor, and processes that are still being loaded. */
u64 made_load(void);
/* One that runs is sent to a machine; false: none does. */
bool made_give(u64 machine);

#endif
