/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap itself. Equal times keep the order the heap's moves give them, which depends on
 * nothing but the sequence of calls, so runs repeat.
 */
#include "net/due.h"
#include "base/memory.h"

static void put(struct due_heap *h, u32 place, struct due *d)
{
    h->slot[place] = d;
    d->place = place;
}

static void up(struct due_heap *h, u32 place)
{
    struct due *d = h->slot[place];

    for (; place > 1 && d->at < h->slot[place / 2]->at; place /= 2)
        put(h, place, h->slot[place / 2]);
    put(h, place, d);
}

static void down(struct due_heap *h, u32 place)
{
    struct due *d = h->slot[place];

    for (u32 child = 2 * place; child <= h->count; child = 2 * place) {
        if (child < h->count && h->slot[child + 1]->at < h->slot[child]->at)
            child++;
        if (d->at <= h->slot[child]->at)
            break;
        put(h, place, h->slot[child]);
        place = child;
    }
    put(h, place, d);
}

static bool grow(struct due_heap *h, struct heap *memory)
{
    u32 room = h->room ? 2 * h->room : 16;
    struct due **slot = heap_alloc(memory, room * sizeof(*slot));

    if (!slot)
        return false;
    if (h->slot)
        memcpy(slot, h->slot, h->room * sizeof(*slot));
    heap_free(memory, h->slot, h->room * sizeof(*slot));
    h->slot = slot;
    h->room = room;
    return true;
}

bool due_by(struct due_heap *h, struct heap *memory, struct due *d, u64 at)
{
    if (d->place) {
        if (at < d->at) {
            d->at = at;
            up(h, d->place);
        }
        return true;
    }
    if (h->count + 1 >= h->room && !grow(h, memory))
        return false;
    d->at = at;
    put(h, ++h->count, d);
    up(h, h->count);
    return true;
}

void due_cancel(struct due_heap *h, struct due *d)
{
    u32 place = d->place;
    struct due *last;

    if (!place)
        return;
    d->place = 0;
    last = h->slot[h->count--];
    if (last == d)
        return;
    put(h, place, last);
    up(h, place);
    down(h, last->place);
}

struct due *due_next(struct due_heap *h, u64 now)
{
    struct due *d = h->count ? h->slot[1] : NULL;

    if (!d || d->at > now)
        return NULL;
    due_cancel(h, d);
    return d;
}

u64 due_first(const struct due_heap *h)
{
    return h->count ? h->slot[1]->at : ~0ull;
}
