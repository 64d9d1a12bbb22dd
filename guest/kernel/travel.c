/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of a process's memory travels when it moves: pages that hold something, as spans of
 * addresses one behind the other. Pages nobody ever wrote to read as zero there as here, and
 * what a user's keeper keeps is fetched from it again. The list goes along behind the state:
 * base and length of each span, then how many there are, big-endian 64-bit words.
 */
#include "base/bytes.h"
#include "guest/kernel/travel.h"

enum { WIRE = 16, TAIL = 8 };

static bool travels(const struct region *r)
{
    return !r->object || r->object->keeper.kind == DEMOS_KINDS;
}

u64 travel_room(const struct task *t)
{
    u64 length = 0;

    for (const struct region *r = t->regions; r; r = r->next)
        length += travels(r) ? r->length : 0;
    return length;
}

/* False: it reads as zero, because nothing was ever there. */
static bool holds(struct node *n, const struct region *r, u64 at)
{
    u64 index = (r->offset + at) / machine_page_size(n);

    if (!r->object)
        return machine_page_there(n, r->task, r->base + at);
    for (const struct object *o = r->object; o; o = o->shadow)
        if (o->keeper.kind != DEMOS_KINDS || o->failed || page_find(n, o, index) ||
            object_away(o, index))
            return true;
    return false;
}

/* Spans of one region behind the `count` there are; how many there are then. */
static u64 write_region(struct node *n, const struct region *r, u64 count, u8 *to, size_t room)
{
    u64 size = machine_page_size(n), at = 0;

    while (at < r->length) {
        u64 from;

        while (at < r->length && !holds(n, r, at))
            at += size;
        for (from = at; at < r->length && holds(n, r, at);)
            at += size;
        if (at == from)
            break;
        if (++count * WIRE <= room) {
            be64_put(to + (count - 1) * WIRE, r->base + from);
            be64_put(to + (count - 1) * WIRE + 8, at - from);
        }
    }
    return count;
}

size_t travel_write(struct node *n, const struct task *t, u8 *to, size_t room)
{
    u64 count = 0;

    for (const struct region *r = t->regions; r; r = r->next)
        if (travels(r))
            count = write_region(n, r, count, to, room);
    if (count * WIRE + TAIL <= room)
        be64_put(to + count * WIRE, count);
    return count * WIRE + TAIL;
}

size_t travel_bytes(const u8 *image, size_t len)
{
    u64 count = len >= TAIL ? be64_get(image + len - TAIL) : 0;

    return len < TAIL || count > (len - TAIL) / WIRE ? 0 : count * WIRE + TAIL;
}

/* The region that has all of it; regions and spans both go upwards. */
static const struct region *region_of(struct node *n, const struct region *r, u64 base, u64 len)
{
    u64 mask = machine_page_size(n) - 1;

    if (!len || (base | len) & mask)
        return NULL;
    while (r && r->base + r->length <= base)
        r = r->next;
    return r && travels(r) && base >= r->base && len <= r->length - (base - r->base) ? r : NULL;
}

bool travel_read(struct node *n, const struct task *t, const u8 *list, size_t len,
                 struct travel *v)
{
    const struct region *r = t->regions;
    u64 last = 0;

    *v = (struct travel){.count = (len - TAIL) / WIRE};
    v->spans = v->count ? node_alloc(n, v->count * sizeof(*v->spans), false) : NULL;
    if (v->count && !v->spans)
        return false;
    for (u64 i = 0; i < v->count; i++) {
        struct span s = {be64_get(list + i * WIRE), be64_get(list + i * WIRE + 8), v->length};

        r = s.base >= last ? region_of(n, r, s.base, s.length) : NULL;
        if (!r)
            return false;
        last = s.base + s.length;
        v->length += s.length;
        v->spans[i] = s;
    }
    return true;
}

void travel_free(struct node *n, struct travel *v)
{
    if (v->spans)
        node_free(n, v->spans, v->count * sizeof(*v->spans));
    *v = (struct travel){0};
}

u64 travel_find(const struct travel *v, u64 offset, u64 *address)
{
    u64 low = 0, high = v->count;

    if (offset >= v->length)
        return 0;
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;

        if (v->spans[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    offset -= v->spans[low].offset;
    *address = v->spans[low].base + offset;
    return v->spans[low].length - offset;
}
