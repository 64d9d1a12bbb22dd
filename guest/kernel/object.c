/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects: their birth, who shows them, and their end. An object lives while regions show it,
 * others shadow it, its pages are still being written, or (cached) while pages of it are here.
 */
#include "guest/kernel/core.h"

enum { BITS = 64, BUCKETS_LEAST = 64 };

static const struct link no_link = {.kind = DEMOS_KINDS};

void paging_init(struct node *n)
{
    struct paging *g = &n->paging;

    list_init(&g->objects);
    list_init(&g->active);
    list_init(&g->inactive);
    list_init(&g->transit);
    list_init(&g->hungry);
    list_init(&g->starved);
    g->keeper = no_link;
}

/* The first object: the machine is asked what frames it has. */
static bool begin(struct node *n)
{
    struct paging *g = &n->paging;
    u32 left, buckets = BUCKETS_LEAST;

    if (g->buckets)
        return true;
    g->frames = machine_frames(n, &left);
    while (buckets < g->frames / 2)
        buckets *= 2;
    if (g->frames)
        g->buckets = node_alloc(n, buckets * sizeof(struct page *), false);
    if (!g->buckets)
        return false;
    g->bucket_count = buckets;
    g->reserve = MIN(MAX(g->frames / 32, 2u), 32u);
    g->target = 2 * g->reserve;
    return true;
}

struct object *object_make(struct node *n)
{
    struct paging *g = &n->paging;
    struct object *o = begin(n) ? node_alloc(n, sizeof(*o), false) : NULL;

    if (!o)
        return NULL;
    *o = (struct object){.keeper = no_link,
                         .number = (u64)n->config.machine << 32 | ++g->objects_made};
    list_init(&o->regions);
    list_init(&o->pages);
    list_push_back(&g->objects, &o->all);
    return o;
}

struct object *object_kept(struct node *n, const struct link *l)
{
    struct object *o;

    list_for_each(node, &n->paging.objects)
    {
        o = list_entry(node, struct object, all);
        if (o->keeper.kind != DEMOS_KINDS && !o->failed && o->keeper.code == l->code &&
            o->keeper.channel == l->channel && process_id_equal(&o->keeper.to, &l->to)) {
            o->ending = false;
            return o;
        }
    }
    o = object_make(n);
    if (o)
        o->keeper = *l;
    return o;
}

struct object *object_numbered(const struct node *n, u64 number)
{
    list_for_each(node, &n->paging.objects)
    {
        struct object *o = list_entry(node, struct object, all);

        if (o->number == number)
            return o;
    }
    return NULL;
}

static size_t away_bytes(u64 pages)
{
    return (size_t)(pages + BITS - 1) / BITS * sizeof(u64);
}

/* Room for a bit per page in a kernel's own object. */
bool object_reach(struct node *n, struct object *o, u64 pages)
{
    u64 *away;

    if (pages <= o->length)
        return true;
    if (o->keeper.kind == DEMOS_KINDS) {
        away = node_alloc(n, away_bytes(pages), false);
        if (!away)
            return false;
        if (o->away)
            memcpy(away, o->away, away_bytes(o->length));
        node_free(n, o->away, away_bytes(o->length));
        o->away = away;
    }
    o->length = pages;
    return true;
}

bool object_show(struct node *n, struct object *o, struct region *r)
{
    u64 pages = (r->offset + r->length) / machine_page_size(n);

    if (!object_reach(n, o, pages))
        return false;
    o->references++;
    list_push_back(&o->regions, &r->views);
    r->object = o;
    return true;
}

static void unmap_region(struct node *n, struct region *r)
{
    u32 size = machine_page_size(n);

    list_for_each(node, &r->object->pages)
    {
        u64 at = list_entry(node, struct page, peers)->index * size;

        if (at >= r->offset && at - r->offset < r->length)
            machine_page_unmap(n, r->task, r->base + (at - r->offset));
    }
}

void object_hide(struct node *n, struct region *r)
{
    struct object *o = r->object;

    unmap_region(n, r);
    list_remove(&r->views);
    r->object = NULL;
    object_release(n, o);
}

bool object_away(const struct object *o, u64 index)
{
    return o->away && index < o->length && o->away[index / BITS] >> index % BITS & 1;
}

void object_set_away(struct object *o, u64 index, bool away)
{
    u64 bit = (u64)1 << index % BITS;

    if (!o->away || index >= o->length)
        return;
    o->away[index / BITS] = away ? o->away[index / BITS] | bit : o->away[index / BITS] & ~bit;
}

static void bury(struct node *n, struct object *o)
{
    struct object *below = o->shadow;

    keeper_end(n, o);
    list_remove(&o->all);
    node_free(n, o->away, away_bytes(o->length));
    node_free(n, o, sizeof(*o));
    if (below)
        object_release(n, below);
}

void object_check(struct node *n, struct object *o)
{
    if (!o->references && list_empty(&o->pages))
        bury(n, o);
}

/* What changed goes to its keeper before the page is forgotten. */
static void let_go(struct node *n, struct object *o)
{
    bool saves = o->keeper.kind != DEMOS_KINDS && !o->failed;

    list_for_each_safe(node, &o->pages)
    {
        struct page *p = list_entry(node, struct page, peers);

        if (p->state == PAGE_WRITING && saves)
            p->drop = true;
        else if (p->state != PAGE_HERE || !saves)
            page_remove(n, p);
        else if (p->dirty && pageout_write(n, p, true))
            continue;
        else if (!o->cached || p->dirty)
            page_remove(n, p);
    }
}

void object_release(struct node *n, struct object *o)
{
    if (--o->references > 0)
        return;
    o->ending = true;
    o->references = 1; /* its pages' going is no reason to bury it half-way */
    let_go(n, o);
    o->references = 0;
    object_check(n, o);
}

/* The node's pager, if there is one, gets what is here of it when frames are scarce; what is
 * not here is lost. What the old keeper has of it by number is worth nothing then. */
static void adopt(struct node *n, struct object *o)
{
    u64 *away = n->paging.keeper.kind == DEMOS_KINDS || o->keeper.kind == DEMOS_KINDS ||
                        !o->length
                    ? NULL
                    : node_alloc(n, away_bytes(o->length), false);

    if (!away)
        return;
    link_drop(n, &o->keeper);
    o->keeper = no_link;
    o->away = away;
    o->begun = o->cached = false;
    page_renumber(n, o, (u64)n->config.machine << 32 | ++n->paging.objects_made);
}

void object_fail(struct node *n, struct object *o)
{
    if (o->failed)
        return;
    o->failed = true;
    n->paging.count.forfeited++;
    o->references++;
    adopt(n, o);
    list_for_each_safe(node, &o->pages)
    {
        struct page *p = list_entry(node, struct page, peers);

        if (p->state == PAGE_ASKED)
            page_remove(n, p); /* who waited finds the object failed */
        else if (p->state == PAGE_WRITING)
            pageout_written(n, p, false);
    }
    o->references--;
    object_check(n, o);
}

void paging_free(struct node *n)
{
    struct paging *g = &n->paging;

    while (!list_empty(&g->starved))
        list_push_back(&n->work, list_pop_front(&g->starved));
    while (!list_empty(&g->objects)) {
        struct object *o = list_entry(g->objects.next, struct object, all);

        o->failed = true;
        o->begun = false; /* nobody is told */
        o->references++;
        while (!list_empty(&o->pages))
            page_remove(n, list_entry(o->pages.next, struct page, peers));
        o->references = 0;
        o->shadow = NULL;
        bury(n, o);
    }
    node_free(n, g->buckets, g->bucket_count * sizeof(struct page *));
    g->buckets = NULL;
}
