/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory a process has: a list of regions by address, whole pages, never overlapping.
 * What is in them is the machine's, or an object's (page.h); a limit on their sum is ours.
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

static int check(struct node *n, struct task *t, u64 base, u64 len, const struct region *like)
{
    u32 prot = like->protection;

    if (!range_valid(n, base, len) || prot & ~(u32)like->max_protection ||
        like->max_protection > 7)
        return DEMOS_E_ARGUMENT;
    if (prot & REGION_WRITE && prot & REGION_EXECUTE)
        return DEMOS_E_ALLOWED;
    if (len > t->memory_limit || t->memory_bytes > t->memory_limit - len)
        return DEMOS_E_MEMORY;
    return 0;
}

static struct region **link_of(struct task *t, const struct region *r)
{
    struct region **at = &t->regions;

    while (*at != r)
        at = &(*at)->next;
    return at;
}

static void take_out(struct node *n, struct task *t, struct region *r)
{
    *link_of(t, r) = r->next;
    node_free(n, r, sizeof(*r));
}

/* Its pages are the machine's, or an object's: where there is a pager, every region has one. */
static int fill(struct node *n, struct task *t, struct region *r, struct object *o)
{
    enum machine_result done;

    if (!o && t->pageable) {
        o = object_make(n);
        if (!o)
            return DEMOS_E_MEMORY;
    }
    if (o && !object_show(n, o, r)) {
        object_check(n, o); /* who hands one in holds it */
        return DEMOS_E_MEMORY;
    }
    done = machine_map(n, t, r);
    if (done == MACHINE_OK)
        return 0;
    if (o)
        object_hide(n, r);
    return done == MACHINE_MEMORY ? DEMOS_E_MEMORY : DEMOS_E_ADDRESS;
}

int region_show(struct node *n, struct task *t, u64 base, u64 len, struct object *o,
                const struct region *like)
{
    struct region **at, *r;
    int error = check(n, t, base, len, like);

    if (error)
        return error;
    at = place(t, base, len);
    if (!at)
        return DEMOS_E_ADDRESS;
    r = node_alloc(n, sizeof(*r), false);
    if (!r)
        return DEMOS_E_MEMORY;
    *r = *like;
    r->next = *at;
    r->base = base;
    r->length = len;
    r->object = NULL;
    r->task = t;
    list_init(&r->views);
    *at = r;
    error = fill(n, t, r, o);
    if (error)
        take_out(n, t, r);
    else
        t->memory_bytes += len;
    return error;
}

int region_keep(struct node *n, struct task *t, u64 base, u64 len, const struct link *keeper,
                const struct region *like)
{
    struct object *o = object_kept(n, keeper);
    int error;

    if (!o || o->begun)
        link_drop(n, keeper); /* the object has one */
    if (!o)
        return DEMOS_E_MEMORY;
    o->references++; /* while it is not shown */
    error = region_show(n, t, base, len, o, like);
    if (!error)
        keeper_begin(n, o); /* nobody waits for what its keeper thinks of it */
    o->references--;
    object_check(n, o);
    return error;
}

int region_leave(struct node *n, struct region *r, const struct link *keeper)
{
    struct object *o = object_kept(n, keeper);

    if (!o || o->begun)
        link_drop(n, keeper); /* the object has one */
    if (!o)
        return DEMOS_E_MEMORY;
    o->references++; /* while it is not shown */
    if (r->object)
        object_hide(n, r);
    machine_unmap(n, r->task, r);
    if (!object_show(n, o, r) || machine_map(n, r->task, r) != MACHINE_OK)
        machine_stop(n, "a region that was there cannot be shown again");
    keeper_begin(n, o);
    o->references--;
    return 0;
}

int region_map(struct node *n, struct task *t, u64 base, u64 len, u32 prot, u32 max)
{
    const struct region like = {
        .protection = (u8)prot, .max_protection = (u8)max, .inheritance = REGION_COPY};

    return prot > 7 || max > 7 ? DEMOS_E_ARGUMENT : region_show(n, t, base, len, NULL, &like);
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
    list_init(&rest->views);
    if (rest->object)
        object_show(n, rest->object, rest); /* as long as before: cannot fail */
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
    if (r->object)
        object_hide(n, r);
    machine_unmap(n, t, r);
    t->memory_bytes -= r->length;
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

int region_inherit(struct node *n, struct task *t, u64 base, u64 len, u64 inheritance)
{
    int error = inheritance < REGION_INHERITANCES ? isolate(n, t, base, len)
                                                  : (int)DEMOS_E_ARGUMENT;

    if (error)
        return error;
    for (struct region *r = t->regions; r && r->base < base + len; r = r->next) {
        if (r->base >= base)
            r->inheritance = (u8)inheritance;
    }
    return 0;
}

/* --- growth ------------------------------------------------------------------------- */

int region_map_growing(struct node *n, struct task *t, const u64 *range, u32 prot, u32 max,
                       u64 growth, u64 most)
{
    u64 size = machine_page_size(n);
    struct region like = {.protection = (u8)prot,
                          .max_protection = (u8)max,
                          .inheritance = REGION_COPY,
                          .grows = (u8)growth,
                          .most = ALIGN_DOWN(most, size)};
    int error;

    if (prot > 7 || max > 7 || growth >= REGION_GROWTHS || most >= DEMOS_PRIVATE_END ||
        (growth && most < range[1]))
        return DEMOS_E_ARGUMENT;
    if (growth == REGION_DOWN)
        like.offset = like.most - range[1]; /* so that the object needs no moving */
    error = region_show(n, t, range[0], range[1], NULL, &like);
    t->grows |= !error && growth;
    return error;
}

/* The region that is to reach `page`, and how long it then is; NULL: none may. */
static struct region *growing(struct task *t, u64 page, u64 size, u64 *len)
{
    struct region *below = NULL, *above = t->regions;

    for (; above && above->base <= page; above = above->next)
        below = above;
    if (below && below->grows == REGION_UP) {
        *len = page + size - below->base;
        if (*len <= below->most)
            return below;
    }
    if (!above || above->grows != REGION_DOWN)
        return NULL;
    *len = above->base + above->length - page;
    return *len <= above->most ? above : NULL;
}

const struct region *region_grow(struct node *n, struct task *t, u64 address)
{
    u64 size = machine_page_size(n), page = ALIGN_DOWN(address, size), len;
    struct region *r = growing(t, page, size, &len), piece;
    u64 more = r ? len - r->length : 0;

    if (!r || page < DEMOS_USER_START || more > t->memory_limit ||
        t->memory_bytes > t->memory_limit - more)
        return NULL;
    piece = *r;
    piece.base = r->grows == REGION_UP ? r->base + r->length : page;
    piece.length = more;
    piece.next = NULL;
    if (!place(t, piece.base, more) ||
        (r->object && !object_reach(n, r->object, (r->offset + len) / size)) ||
        machine_map(n, t, &piece) != MACHINE_OK)
        return NULL;
    if (r->grows == REGION_DOWN) {
        r->base -= more;
        r->offset -= more;
    }
    r->length = len;
    t->memory_bytes += more;
    return r;
}

bool region_touch(struct node *n, struct task *t, u64 base, u64 len, u32 right)
{
    u64 ends[] = {base, base + len - 1};

    if (!len || base + len < base)
        return false;
    for (u32 i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends[i] < DEMOS_PRIVATE_END && !task_region(t, ends[i]))
            region_grow(n, t, ends[i]);
    }
    return region_usable(t, base, len, right);
}

void regions_free(struct node *n, struct task *t)
{
    while (t->regions) {
        struct region *r = t->regions;

        t->regions = r->next;
        free_region(n, t, r);
    }
}
