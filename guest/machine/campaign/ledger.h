/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shadow ledger and the invariants of a run in the simulator: what harness/osmo/ledger.py
 * and invariants.py conclude from a trace, concluded while it is made. A test holds the two
 * against each other, record by record.
 */
#ifndef GUEST_MACHINE_CAMPAIGN_LEDGER_H
#define GUEST_MACHINE_CAMPAIGN_LEDGER_H

#include "guest/machine/campaign/table.h"

enum invariant { LOSS, DUPLICATE, ORDER, ONE_COPY, ISOLATION, LEAK, LIVENESS, INVARIANTS };
extern const char *const invariant_names[INVARIANTS];

struct verdict {
    u64 checked, broken;
    char first[160]; /* in words */
};

/* A guaranteed message, from its send record on. */
struct ledger_message {
    u32 from, to; /* machines */
    u64 sender, target, sequence;
    u64 sent_ns, delivered_ns; /* ~0: not yet */
    u32 received;
    bool dropped;
};

enum { LEDGER_HOMES = 32 };

/* Where a process was made or has come, the latest last, and when it was nowhere any more. */
struct ledger_process {
    u32 node[LEDGER_HOMES], life[LEDGER_HOMES], count;
    u32 arrivals;
    bool ended;
};

enum { LEDGER_NEAR = 64 };

/* Where a process was found last. */
struct ledger_near {
    u64 id; /* ~0: none */
    u32 at;
};

struct ledger_node {
    u32 life;       /* how often it has started, less one; ~0: not yet */
    bool strangers; /* processes made elsewhere have come */
    u64 stopped_ns; /* for the first time; ~0: never */
};

struct ledger {
    u32 nodes; /* machines 1 to `nodes` */
    struct ledger_node *node;
    struct ledger_message *messages;
    struct ledger_process *processes;
    u32 count, room, process_count, process_room;
    struct table table;
    struct ledger_near near[LEDGER_NEAR]; /* by the end of their numbers */
    struct verdict verdicts[INVARIANTS];
};

void ledger_begin(struct ledger *l, u32 nodes);
void ledger_free(struct ledger *l);
void ledger_start(struct ledger *l, u32 node);
void ledger_stop(struct ledger *l, u32 node, u64 ns);
/* A trace record of machine `node` (guest/kernel/trace.h; others are passed over). */
void ledger_record(struct ledger *l, u32 node, u64 ns, u16 type, u32 who, u64 a, u64 b);
/* Something held before and after the run. */
void ledger_held(struct ledger *l, const char *what, u64 before, u64 after);
/* Loss and liveness, when all is over: the last outage ended at `calm_ns`. */
void ledger_conclude(struct ledger *l, u64 end_ns, u64 calm_ns, u64 heal_ns);

#endif
