/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hash table from three words to one, which is emptied at once and keeps its memory: what a
 * campaign of a million runs does not want to make anew for each.
 */
#ifndef GUEST_MACHINE_CAMPAIGN_TABLE_H
#define GUEST_MACHINE_CAMPAIGN_TABLE_H

#include "base/types.h"

struct table_key {
    u64 a, b, c;
};

struct table_entry {
    struct table_key key;
    u64 value;
    u32 generation; /* of the table, when it was written; else it is free */
};

struct table {
    struct table_entry *entries;
    u32 room, used, generation;
};

void table_clear(struct table *t);
/* Where the key's value is; NULL: not there. Good until the next table_put. */
u64 *table_get(const struct table *t, struct table_key key);
/* The same; 0 where it was not there. */
u64 *table_put(struct table *t, struct table_key key);
void table_free(struct table *t);

#endif
