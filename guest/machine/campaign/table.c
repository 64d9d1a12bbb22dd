/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open addressing in a power of two of entries, at most half of them used.
 */
#include "guest/machine/campaign/table.h"
#include <stdlib.h>

enum { ROOM = 4096 };

void table_clear(struct table *t)
{
    t->used = 0;
    if (++t->generation)
        return;
    for (u32 i = 0; i < t->room; i++) /* once in four thousand million */
        t->entries[i].generation = 0;
    t->generation = 1;
}

void table_free(struct table *t)
{
    free(t->entries);
    *t = (struct table){0};
}

/* Where the key is, or would be. */
static struct table_entry *place(const struct table *t, const struct table_key *key)
{
    u64 mixed = (key->a ^ (key->b ^ key->c * 0x9e3779b97f4a7c15ull) * 0xbf58476d1ce4e5b9ull) *
                0x94d049bb133111ebull;
    u32 at = (u32)(mixed >> 32);

    for (;; at++) {
        struct table_entry *e = &t->entries[at & (t->room - 1)];

        if (e->generation != t->generation ||
            (e->key.a == key->a && e->key.b == key->b && e->key.c == key->c))
            return e;
    }
}

static void grow(struct table *t)
{
    struct table old = *t;

    t->room = old.room ? 2 * old.room : (u32)ROOM;
    t->entries = calloc(t->room, sizeof(*t->entries));
    t->generation = 1;
    if (!t->entries)
        abort();
    for (u32 i = 0; i < old.room; i++) {
        if (old.entries[i].generation != old.generation)
            continue;
        old.entries[i].generation = t->generation;
        *place(t, &old.entries[i].key) = old.entries[i];
    }
    free(old.entries);
}

u64 *table_get(const struct table *t, struct table_key key)
{
    struct table_entry *e = t->room ? place(t, &key) : NULL;

    return e && e->generation == t->generation ? &e->value : NULL;
}

u64 *table_put(struct table *t, struct table_key key)
{
    struct table_entry *e;

    if (2 * t->used >= t->room)
        grow(t);
    e = place(t, &key);
    if (e->generation != t->generation) {
        *e = (struct table_entry){key, 0, t->generation};
        t->used++;
    }
    return &e->value;
}
