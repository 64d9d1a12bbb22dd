/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a plan's command waits for, if not for a time, and how far that is in this run.
 */
#ifndef GUEST_MACHINE_CAMPAIGN_MOMENT_H
#define GUEST_MACHINE_CAMPAIGN_MOMENT_H

#include "base/types.h"

enum { MOMENT_LINE = 512 };

struct world;

struct world_moment {
    enum moment_kind { MOMENT_TRACE, MOMENT_EXIT, MOMENT_OUTPUT } kind;
    u32 node; /* index */
    u16 type; /* of the record, the `count`-th such one, with this a or any */
    bool any;
    u32 count;
    u64 a;
    char text[MOMENT_LINE];
    bool disturbs; /* what it does, for `lasts` */
    u64 lasts;
    char command[MOMENT_LINE];

    u32 left; /* such records until it is due */
    bool due, done;
};

/* The condition's words behind the node's. NULL, or what is wrong. */
const char *moment_read(struct world_moment *m, const char *kind, char *rest);
/* All wait again. */
void moments_begin(struct world *w);
/* Something happened to a node (by index). */
void moments_record(struct world *w, u32 node, u16 type, u64 a);
void moments_exit(struct world *w, u32 node);
void moments_output(struct world *w, u32 node, const char *console);
/* Whether something has come that a command waited for; and carries all those commands out. */
bool moments_due(const struct world *w);
void moments_act(struct world *w);

#endif
