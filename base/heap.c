/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Classes are 16, 32, 48, 64 and then four steps to each doubling, so that at most a
 * quarter of a block is wasted. A heap that gets no more memory cuts a larger free block when
 * nothing else is left; pieces never grow together again, so what is small can be had as long as
 * there is anything, what is large only while nobody has cut it up. The owner of a heap that can
 * grow is asked first. Under AddressSanitizer free and unused bytes are poisoned.
 */
#include "base/heap.h"
#include "base/memory.h"

#ifdef OSMOSIS_CHECKED
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

static size_t class_size(u32 class)
{
    size_t base;

    if (class < 4)
        return 16 * (size_t)(class + 1);
    base = (size_t)64 << ((class - 4) / 4);
    return base + base / 4 * ((class - 4) % 4 + 1);
}

/* The smallest class that holds `size`, and what its blocks have; HEAP_CLASSES when none does. */
static u32 class_of(size_t size, size_t *room)
{
    u32 quarter, quarters;

    if (size <= 64) {
        *room = size ? ALIGN_UP(size, (size_t)16) : 16;
        return (u32)(*room / 16) - 1;
    }
    if (size > class_size(HEAP_CLASSES - 1))
        return HEAP_CLASSES;
    quarter = 61 - (u32)__builtin_clzl(size - 1); /* of the doubling that size - 1 lies in */
    quarters = (u32)((size - 1) >> quarter);
    *room = (size_t)(quarters + 1) << quarter;
    return 4 * (quarter - 4) + quarters;
}

size_t heap_cost(size_t size)
{
    size_t room = size;

    class_of(size, &room);
    return room;
}

void heap_init(struct heap *h, void *memory, size_t len)
{
    *h = (struct heap){0};
    heap_add(h, memory, len);
}

/* Unused bytes go to the free lists, largest blocks first. */
static void scatter(struct heap *h, u8 *at, const u8 *end)
{
    for (u32 class = HEAP_CLASSES; class -- > 0;) {
        while ((size_t)(end - at) >= class_size(class)) {
            UNPOISON(at, sizeof(void *));
            *(void **)at = h->free[class];
            POISON(at, sizeof(void *));
            h->free[class] = at;
            at += class_size(class);
        }
    }
}

/* A block of the class, cut from the smallest free one that is larger. */
static void *cut(struct heap *h, u32 class)
{
    size_t room = class_size(class);
    u8 *block;

    for (u32 larger = class + 1; larger < HEAP_CLASSES; larger++) {
        block = h->free[larger];
        if (!block)
            continue;
        UNPOISON(block, room);
        h->free[larger] = *(void **)(void *)block;
        scatter(h, block + room, block + class_size(larger));
        return block;
    }
    return NULL;
}

void heap_add(struct heap *h, void *memory, size_t len)
{
    uintptr_t start = ALIGN_UP((uintptr_t)memory, 16);
    size_t lost = start - (uintptr_t)memory;

    if (len <= lost)
        return;
    scatter(h, h->bump, h->end); /* what the last region still had */
    h->bump = (u8 *)start;
    h->end = h->bump + ALIGN_DOWN(len - lost, (size_t)16);
    h->total += (size_t)(h->end - h->bump);
    POISON(h->bump, (size_t)(h->end - h->bump));
}

void heap_extend(struct heap *h, size_t len)
{
    POISON(h->end, len);
    h->end += len;
    h->total += len;
}

void heap_leave(void *memory, size_t len)
{
    UNPOISON(memory, len);
}

void *heap_take(struct heap *h, size_t size)
{
    size_t room;
    u32 class = class_of(size, &room);
    void *block;

    if (class == HEAP_CLASSES)
        return NULL;
    block = h->free[class];
    if (block) {
        UNPOISON(block, room);
        h->free[class] = *(void **)block;
    } else if ((size_t)(h->end - h->bump) >= room) {
        block = h->bump;
        h->bump += room;
    } else {
        block = h->cuts ? cut(h, class) : NULL;
        if (!block)
            return NULL;
    }
    h->in_use += room;
    h->high = MAX(h->high, h->in_use);
    POISON(block, room);
    UNPOISON(block, size ? size : 1);
    return block;
}

void *heap_alloc(struct heap *h, size_t size)
{
    const u8 *fresh = h->born_zero ? h->bump : NULL;
    void *block = heap_take(h, size);

    /* Zero already, it stays untouched: its host gives memory for what is written. */
    if (block && block != fresh)
        memset(block, 0, size);
    return block;
}

void heap_free(struct heap *h, void *block, size_t size)
{
    size_t room;
    u32 class = class_of(size, &room);

    if (!block || class == HEAP_CLASSES) /* heap_alloc gave no such block */
        return;
    UNPOISON(block, sizeof(void *));
    *(void **)block = h->free[class];
    POISON(block, room);
    h->free[class] = block;
    h->in_use -= room;
}
