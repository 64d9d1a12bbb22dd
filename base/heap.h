/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded heap over memory that its owner gave it: size classes in powers of two with
 * free lists, bump allocation below. Never asks anybody for memory; returns NULL when it
 * is full, and the caller must have an answer. Each owner (a node, a domain's runtime)
 * has its own, so one cannot starve another. Not locked: one context owns it.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include "base/types.h"

enum { HEAP_CLASSES = 84 };

struct heap {
    u8 *bump, *end;      /* the untouched rest of the newest region */
    size_t in_use, high; /* bytes handed out, and the most there ever were */
    size_t total;        /* bytes of all regions */
    bool cuts; /* its owner has no more for it: larger free blocks are cut for small ones */
    bool born_zero; /* its regions were zero when they were given: what is new is not touched */
    void *free[HEAP_CLASSES];
};

void heap_init(struct heap *h, void *memory, size_t len);
/* Adds another region; what was left of the last one stays usable by class. */
void heap_add(struct heap *h, void *memory, size_t len);
/* The newest region is longer now, by a multiple of 16. */
void heap_extend(struct heap *h, size_t len);
/* Zeroed memory, 16-byte aligned, or NULL. The size must be said again when freeing. */
void *heap_alloc(struct heap *h, size_t size);
/* The same with whatever was there before: for what is written whole at once. */
void *heap_take(struct heap *h, size_t size);
/* Accepts NULL. */
void heap_free(struct heap *h, void *block, size_t size);
/* A region leaves with all that is in it: the heap must not be used any more. */
void heap_leave(void *memory, size_t len);
/* Bytes that an allocation of `size` really takes. */
size_t heap_cost(size_t size);

#endif
