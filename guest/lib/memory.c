/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's heap: base/heap.h over memory in the program's own image.
 */
#include "base/heap.h"
#include "guest/lib/demos.h"

static struct heap heap;

void *demos_alloc(size_t size)
{
    if (heap.total == 0)
        heap_init(&heap, demos_heap.base, demos_heap.size);
    return heap_alloc(&heap, size);
}

void demos_free(void *block, size_t size)
{
    heap_free(&heap, block, size);
}
