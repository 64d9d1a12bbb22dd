/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory a process has: a list of regions by address, whole pages, never overlapping.
 * What is in them is the machine's; a limit on their sum is ours.
 */
#include "guest/kernel/core.h"

const struct region *task_region(const struct task *t, u64 address)
{
    for (const struct region *r = t->regions; r && r->base <= address; r = r->next) {
        if (address - r->base < r->length)
            return r;
    }
    return NULL;
}

bool region_usable(const struct task *t, u64 base, u64 len, u32 right)
{
    u64 left = len;

    while (left) {
        const struct region *r = task_region(t, base);
        u64 here;

        if (!r || !(r->protection & right))
            return false;
        here = MIN(left, r->length - (base - r->base));
        base += here;
        left -= here;
    }
    return true;
}

static bool range_valid(struct node *n, u64 base, u64 len)
{
    u64 mask = machine_page_size(n) - 1;

    return len && !(base & mask) && !(len & mask) && base >= DEMOS_USER_START &&
           base < DEMOS_PRIVATE_END && len <= DEMOS_PRIVATE_END - base;
}

/* Where a region at `base` belongs; NULL if [base, base + len) is not all free. */
static struct region **place(struct task *t, u64 base, u64 len)
{
    struct region **at = &t->regions;

    while (*at && (*at)->base + (*at)->length <= base)
        at = &(*at)->next;
    return *at && (*at)->base < base + len ? NULL : at;
}

int region_map(struct node *n, struct task *t, u64 base, u64 len, u32 prot, u32 max)
{
    struct region **at, *r;
    enum machine_result done;

    if (!range_valid(n, base, len) || prot & ~max || max > 7)
        return DEMOS_E_ARGUMENT;
    if (prot & REGION_WRITE && prot & REGION_EXECUTE)
        return DEMOS_E_ALLOWED;
    if (len > t->memory_limit || t->memory_bytes > t->memory_limit - len)
        return DEMOS_E_MEMORY;
    at = place(t, base, len);
    if (!at)
        return DEMOS_E_ADDRESS;
    r = node_alloc(n, sizeof(*r), false);
    if (!r)
        return DEMOS_E_MEMORY;
    *r = (struct region){.next = *at,
                         .base = base,
                         .length = len,
                         .protection = (u8)prot,
                         .max_protection = (u8)max,
                         .inheritance = REGION_COPY};
    *at = r;
    done = machine_map(n, t, r);
    if (done != MACHINE_OK) {
        *at = r->next;
        node_free(n, r, sizeof(*r));
        return done == MACHINE_MEMORY ? DEMOS_E_MEMORY : DEMOS_E_ADDRESS;
    }
    t->memory_bytes += len;
    return 0;
}

/* Cuts the region at `address` in two there, if it is inside one. */
static int split(struct node *n, struct task *t, u64 address)
{
    struct region *r = (struct region *)task_region(t, address), *rest;

    if (!r || r->base == address)
        return 0;
    rest = node_alloc(n, sizeof(*rest), false);
    if (!rest)
        return DEMOS_E_MEMORY;
    *rest = *r;
    rest->base = address;
    rest->length = r->base + r->length - address;
    rest->offset = r->offset + (address - r->base);
    if (rest->object)
        rest->object->references++;
    r->length = address - r->base;
    r->next = rest;
    return 0;
}

/* Regions become cut at both ends of a range that must lie in regions throughout. */
static int isolate(struct node *n, struct task *t, u64 base, u64 len)
{
    int error;

    if (!range_valid(n, base, len))
        return DEMOS_E_ARGUMENT;
    for (u64 at = base; at < base + len;) {
        const struct region *r = task_region(t, at);

        if (!r)
            return DEMOS_E_ADDRESS;
        at = r->base + r->length;
    }
    error = split(n, t, base);
    return error ? error : split(n, t, base + len);
}

static void free_region(struct node *n, struct task *t, struct region *r)
{
    machine_unmap(n, t, r);
    t->memory_bytes -= r->length;
    if (r->object && --r->object->references == 0)
        node_free(n, r->object, sizeof(*r->object));
    node_free(n, r, sizeof(*r));
}

int region_unmap(struct node *n, struct task *t, u64 base, u64 len)
{
    int error = isolate(n, t, base, len);
    struct region **at = &t->regions;

    if (error)
        return error;
    while ((*at)->base < base)
        at = &(*at)->next;
    while (*at && (*at)->base < base + len) {
        struct region *r = *at;

        *at = r->next;
        free_region(n, t, r);
    }
    return 0;
}

int region_protect(struct node *n, struct task *t, u64 base, u64 len, u32 prot)
{
    int error;

    if (prot & REGION_WRITE && prot & REGION_EXECUTE)
        return DEMOS_E_ALLOWED;
    error = isolate(n, t, base, len);
    if (error)
        return error;
    for (struct region *r = t->regions; r && r->base < base + len; r = r->next) {
        if (r->base >= base && prot & ~(u32)r->max_protection)
            return DEMOS_E_ALLOWED;
    }
    for (struct region *r = t->regions; r && r->base < base + len; r = r->next) {
        if (r->base < base)
            continue;
        r->protection = (u8)prot;
        machine_protect(n, t, r);
    }
    return 0;
}

void regions_free(struct node *n, struct task *t)
{
    while (t->regions) {
        struct region *r = t->regions;

        t->regions = r->next;
        free_region(n, t, r);
    }
}
