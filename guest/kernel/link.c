/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link tables and the wire form of a link. A free slot keeps, in its link's fields, the
 * number it will give out next and the slot to use after it.
 */
#include "base/bytes.h"
#include "base/keyed.h"
#include "guest/kernel/hot.h"

static int grow(struct node *n, struct link_table *t, u32 want)
{
    u32 size = t->size ? t->size : 4;
    struct link_slot *slots;

    while (size < want)
        size *= 2;
    size = MIN(size, t->limit);
    slots = node_alloc(n, size * sizeof(*slots), false);
    if (!slots)
        return DEMOS_E_MEMORY;
    if (t->slots)
        memcpy(slots, t->slots, t->fresh * sizeof(*slots));
    node_free(n, t->slots, t->size * sizeof(*slots));
    t->slots = slots;
    t->size = size;
    return 0;
}

int link_reserve(struct node *n, struct link_table *t, u32 count)
{
    u32 spare = t->fresh - t->used; /* free slots below fresh */

    if (count > t->limit || t->used > t->limit - count)
        return DEMOS_E_LINKS;
    if (count <= spare || t->fresh + (count - spare) <= t->size)
        return 0;
    return grow(n, t, t->fresh + (count - spare));
}

struct link_slot *link_room(struct node *n, struct link_table *t, int *error)
{
    struct link_slot *slot;

    if (t->free)
        return link_take(t);
    *error = t->fresh < t->size && t->fresh < t->limit ? 0 : link_reserve(n, t, 1);
    if (*error)
        return NULL;
    slot = &t->slots[t->fresh++];
    slot->number = LINK_GENERATION | t->fresh;
    t->used++;
    t->high = MAX(t->high, t->used);
    return slot;
}

s64 link_insert(struct node *n, struct link_table *t, const struct link *l)
{
    int error;
    struct link_slot *slot = link_room(n, t, &error);

    if (!slot)
        return error;
    slot->link = *l;
    return slot->number;
}

void link_remove(struct link_table *t, struct link_slot *slot)
{
    link_free(t, slot);
}

void link_table_free(struct node *n, struct link_table *t)
{
    node_free(n, t->slots, t->size * sizeof(*t->slots));
    *t = (struct link_table){.limit = t->limit};
}

void link_encode(const struct link *l, u8 wire[LINK_WIRE])
{
    be32_put(wire, l->to.machine);
    be32_put(wire + 4, l->to.epoch);
    be64_put(wire + 8, l->to.serial);
    be64_put(wire + 16, l->code);
    be64_put(wire + 24, l->check);
    be64_put(wire + 32, l->base);
    be64_put(wire + 40, l->len);
    be32_put(wire + 48, l->hint);
    be32_put(wire + 52, l->incarnation);
    be16_put(wire + 56, l->moves);
    be16_put(wire + 58, l->channel);
    be16_put(wire + 60, l->attr);
    wire[62] = l->kind;
    wire[63] = l->hops;
}

bool link_decode(struct link *l, const u8 wire[LINK_WIRE])
{
    *l = (struct link){
        .to = {be32_get(wire), be32_get(wire + 4), be64_get(wire + 8)},
        .code = be64_get(wire + 16),
        .check = be64_get(wire + 24),
        .base = be64_get(wire + 32),
        .len = be64_get(wire + 40),
        .hint = be32_get(wire + 48),
        .incarnation = be32_get(wire + 52),
        .moves = be16_get(wire + 56),
        .channel = be16_get(wire + 58),
        .attr = be16_get(wire + 60),
        .kind = wire[62],
        .hops = wire[63],
    };
    return l->kind < DEMOS_KINDS && l->to.machine != NO_MACHINE &&
           (l->channel < DEMOS_CHANNELS || l->channel == LINK_CHANNEL_CALL) &&
           l->len <= ~l->base;
}

u64 link_check(const struct link *l, u64 key)
{
    u64 message, area;

    if (!key)
        return 0;
    message = keyed_random(key, l->channel, l->code);
    area = keyed_random(~key, l->base, l->len ^ (u64)l->attr << 48);
    message |= (u64)1 << 32; /* never 0 */
    return (message & ~(u64)0xffffffff) | area >> 32;
}
