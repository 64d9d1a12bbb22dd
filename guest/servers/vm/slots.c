/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots: a table by hash, and a list of the free ones, lowest first at the beginning.
 */
#include "guest/servers/vm/slots.h"

void slots_init(struct slots *s, struct slot *slot, u32 *bucket, u32 count)
{
    *s = (struct slots){slot, bucket, count, 0, count ? 1 : 0};
    for (u32 i = 0; i < count; i++) {
        slot[i] = (struct slot){.next = i + 1 < count ? i + 2 : 0};
        bucket[i] = 0;
    }
}

static u32 *bucket_of(const struct slots *s, u64 client, u64 object, u64 offset)
{
    u64 key = (client * 31 + object) * 0x9e3779b97f4a7c15ull + (offset >> 9);

    return &s->bucket[(key >> 32 ^ key) % s->count];
}

static bool is(const struct slot *s, u64 client, u64 object, u64 offset)
{
    return s->client == client && s->object == object && s->offset == offset;
}

s64 slots_find(const struct slots *s, u64 client, u64 object, u64 offset)
{
    u32 at = s->count ? *bucket_of(s, client, object, offset) : 0;

    while (at && !is(&s->slot[at - 1], client, object, offset))
        at = s->slot[at - 1].next;
    return (s64)at - 1;
}

s64 slots_take(struct slots *s, u64 client, u64 object, u64 offset)
{
    s64 found = slots_find(s, client, object, offset);
    u32 *bucket, at = s->free;

    if (found >= 0) {
        s->slot[found].check = 0;
        return found;
    }
    if (!at)
        return -1;
    bucket = bucket_of(s, client, object, offset);
    s->free = s->slot[at - 1].next;
    s->slot[at - 1] = (struct slot){client, object, offset, *bucket, 0};
    *bucket = at;
    s->used++;
    return (s64)at - 1;
}

void slots_hold(struct slots *s, s64 slot, u32 check)
{
    s->slot[slot].check = check;
}

u32 slots_check(const struct slots *s, s64 slot)
{
    return slot < 0 ? 0 : s->slot[slot].check;
}

u32 slots_drop(struct slots *s, u64 client, u64 object)
{
    u32 dropped = 0;

    for (u32 b = 0; b < s->count; b++) {
        for (u32 *at = &s->bucket[b]; *at;) {
            struct slot *slot = &s->slot[*at - 1];
            u32 next = slot->next, gone = *at;

            if (slot->client != client || slot->object != object) {
                at = &slot->next;
                continue;
            }
            *at = next;
            *slot = (struct slot){.next = s->free};
            s->free = gone;
            dropped++;
        }
    }
    s->used -= dropped;
    return dropped;
}
