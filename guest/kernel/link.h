/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links and the table a process has of them. A link is the only name and the only right
 * there is: where a process was last seen, who it is (which never changes), and what its
 * creator lets the holder do.
 *
 * A table is a flat array that grows on need up to the process's limit. A link number is
 * generation << 24 | index + 1, compared whole with the slot's own, so that a number that
 * was never given out, is closed, or belongs to an earlier life of the slot is refused by one test.
 */
#ifndef GUEST_KERNEL_LINK_H
#define GUEST_KERNEL_LINK_H

#include "guest/kernel/abi.h"

struct node;
struct task;

/* Who a process is, anywhere and for ever. Serial 0 is the node's kernel itself. */
struct process_id {
    u32 machine; /* that created it */
    u32 epoch;   /* of that machine's boot */
    u64 serial;
};

/* Machine and epoch as one word, for comparing only. */
static inline u64 process_id_place(const struct process_id *id)
{
    u64 place;

    __builtin_memcpy(&place, id, sizeof(place));
    return place;
}

static inline bool process_id_equal(const struct process_id *a, const struct process_id *b)
{
    return a->serial == b->serial && process_id_place(a) == process_id_place(b);
}

struct link {
    struct process_id to; /* never changes */
    u64 code;
    u64 check; /* of channel, code and area, keyed by the target; 0 = unused */
    u64 base;  /* data area, addresses of the target; reply links: bytes reserved */
    u64 len;
    u32 hint; /* last known machine */
    u32 incarnation;
    u16 channel;
    u16 moves; /* how often the target had moved when `hint` was its machine */
    u16 attr;  /* enum demos_attr */
    u8 kind;   /* enum demos_kind */
    u8 hops;   /* reply links: how often it went from machine to machine */
};

/* A REQUEST's way to its target, or a reply's to who asked: never SENT over. */
static inline bool link_is_for_one(const struct link *l)
{
    _Static_assert(DEMOS_REQUEST_LINK % 2 && DEMOS_REPLY_LINK % 2 && DEMOS_KINDS == 4, "odd");
    return l->kind & 1;
}

/* Which of two counts that wrap is the later one. */
static inline bool count_after(u16 a, u16 b)
{
    return (s16)(a - b) > 0;
}

enum { LINK_WIRE = 64 };
#define LINK_INDEX_BITS   24
#define LINK_INDEX_MAX    ((1u << LINK_INDEX_BITS) - 2)
/* Reply links of CALL have this channel: no set can hold it. */
#define LINK_CHANNEL_CALL 0xffffu

struct link_slot {
    s64 number; /* 0: free; then link.code is the number to give out next and
                 * link.base the next free index + 1 */
    struct link link;
};

struct link_table {
    struct link_slot *slots;
    u32 size;  /* slots allocated */
    u32 fresh; /* slots that were ever used */
    u32 used;
    u32 high;
    u32 limit;
    u32 free; /* index + 1 of the first free slot below `fresh`, 0: none */
};

/* The slot of `number`, or NULL. */
static inline struct link_slot *link_find(const struct link_table *t, s64 number)
{
    u64 index = ((u64)number & ((1u << LINK_INDEX_BITS) - 1)) - 1;

    if (index >= t->fresh || t->slots[index].number != number)
        return NULL;
    return &t->slots[index];
}

/* A copy of `l` in the table: its number, DEMOS_E_LINKS at the limit, DEMOS_E_MEMORY. */
/* A new link's slot, with its number; NULL: *error says why. */
struct link_slot *link_room(struct node *n, struct link_table *t, int *error);
s64 link_insert(struct node *n, struct link_table *t, const struct link *l);
/* Makes sure that `count` more inserts succeed; 0 or the error they would give. */
int link_reserve(struct node *n, struct link_table *t, u32 count);
/* Frees the slot. Says nothing to anybody. */
void link_remove(struct link_table *t, struct link_slot *slot);
void link_table_free(struct node *n, struct link_table *t);

void link_encode(const struct link *l, u8 wire[LINK_WIRE]);
/* False when the bytes are not a link. */
bool link_decode(struct link *l, const u8 wire[LINK_WIRE]);
/* The check of a link under its target's key (0 = unused: then 0). High half: channel and
 * code, which every message shows; low half: area and attributes, which a move shows. */
u64 link_check(const struct link *l, u64 key);

#endif
