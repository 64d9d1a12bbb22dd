/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages go when frames are scarce, and their way to their keepers. A clean page goes at
 * once. A changed one is sent first, and its frame is free when the keeper has destroyed the
 * link to it. A keeper may sit on a few frames; when it does so for too long while others are
 * waiting, it forfeits the object.
 */
#include "guest/kernel/core.h"

enum { WRITES_PER_OBJECT = 8, SAMPLE_FAULTS = 16, AGE_USED = 0x80 };
enum { SPARE_STEP = 32, SPARE_LEAST = 32 };
#define FORFEIT_NS 5000000000ull

static bool kept(const struct object *o)
{
    return o->keeper.kind != DEMOS_KINDS;
}

/* Nobody wants its pages any more. */
static bool forsaken(const struct object *o)
{
    return kept(o) && o->failed;
}

static bool has_keeper(const struct node *n, const struct object *o)
{
    return kept(o) ? !o->failed : n->paging.keeper.kind != DEMOS_KINDS;
}

/* A user's keeper that is slow gets no more of the node's frames to sit on. */
static bool takes_more(const struct node *n, const struct object *o)
{
    return has_keeper(n, o) && (!kept(o) || o->writes < WRITES_PER_OBJECT);
}

/* A page that could go now, or begin to. */
static bool may_go(const struct node *n, const struct page *p)
{
    return !p->busy && (!p->dirty || forsaken(p->object) || takes_more(n, p->object));
}

static void deactivate(struct node *n)
{
    struct paging *g = &n->paging;
    struct page *p = list_entry(g->active.next, struct page, order);

    page_unmap(n, p); /* so that the next use shows */
    list_remove(&p->order);
    list_push_back(&g->inactive, &p->order);
    p->active = false;
    g->active_count--;
    g->inactive_count++;
}

static struct page *first_of(const struct node *n, const struct list *queue)
{
    list_for_each(node, queue)
    {
        struct page *p = list_entry(node, struct page, order);

        if (may_go(n, p))
            return p;
    }
    return NULL;
}

/* A third of the pages are inactive: long enough to be used again, and so be spared. */
static struct page *by_queues(struct node *n)
{
    struct paging *g = &n->paging;
    struct page *p;

    while (g->active_count > 2 * g->inactive_count)
        deactivate(n);
    p = first_of(n, &g->inactive);
    return p ? p : first_of(n, &g->active);
}

static struct page *by_arrival(struct node *n)
{
    return first_of(n, &n->paging.active);
}

/* What was used since the last sample, as a page that has just come, is younger than all that was not. */
static u32 recency(const struct page *p)
{
    return p->age | (p->used ? AGE_USED << 1 : 0);
}

static struct page *by_age(struct node *n)
{
    struct page *oldest = NULL;

    list_for_each(node, &n->paging.active)
    {
        struct page *p = list_entry(node, struct page, order);

        if (may_go(n, p) && (!oldest || recency(p) < recency(oldest)))
            oldest = p;
    }
    return oldest;
}

static struct page *(*const victim[PAGING_POLICIES])(struct node *n) = {
    [PAGING_QUEUES] = by_queues,
    [PAGING_FIFO] = by_arrival,
    [PAGING_SAMPLE] = by_age,
};

static void sample(struct node *n)
{
    list_for_each(node, &n->paging.active)
    {
        struct page *p = list_entry(node, struct page, order);

        p->age = (u8)(p->age >> 1 | (p->used ? AGE_USED : 0));
        p->used = false;
        page_unmap(n, p);
    }
}

void pageout_used(struct node *n, struct page *p)
{
    struct paging *g = &n->paging;

    p->used = true;
    if (p->state == PAGE_HERE && !p->active) {
        page_unqueue(n, p);
        page_queue(n, p);
        g->count.reactivated++;
    }
    if (g->policy != PAGING_SAMPLE || ++g->samples < SAMPLE_FAULTS)
        return;
    g->samples = 0;
    sample(n);
    p->used = true;
}

bool pageout_write(struct node *n, struct page *p, bool drop)
{
    struct object *o = p->object;

    if (p->state != PAGE_HERE || !has_keeper(n, o))
        return false;
    page_unmap(n, p);
    page_unqueue(n, p);
    list_push_back(&n->paging.transit, &p->order);
    p->state = PAGE_WRITING;
    p->dirty = false;
    p->drop = drop;
    o->writes++;
    n->paging.writes++;
    keeper_write(n, p);
    return true;
}

void pageout_written(struct node *n, struct page *p, bool taken)
{
    struct object *o = p->object;

    list_remove(&p->order);
    p->state = PAGE_HERE;
    p->ticket = 0;
    o->writes--;
    n->paging.writes--;
    if (taken)
        object_set_away(o, p->index, true);
    else
        p->dirty = true;
    o->references++; /* it outlives its page */
    if (p->drop && taken && (o->ending || list_empty(&p->waiters))) {
        n->paging.count.evicted++;
        page_remove(n, p);
    } else {
        p->drop = false;
        page_queue(n, p);
        page_wake(n, p);
    }
    migrate_cleaned(n, o);
    o->references--;
    object_check(n, o);
}

/* One page on its way out; false: none can go. */
static bool evict(struct node *n)
{
    struct page *p = victim[n->paging.policy](n);

    if (!p)
        return false;
    if (p->dirty && !forsaken(p->object))
        return pageout_write(n, p, true);
    n->paging.count.evicted++;
    page_remove(n, p);
    return true;
}

void pageout(struct node *n)
{
    struct paging *g = &n->paging;
    u32 left;

    for (;;) {
        machine_frames(n, &left);
        if (left + g->writes > g->target || !evict(n))
            return;
    }
}

/* Pages begin to go as if so many more frames had to be kept free. */
u32 node_spare(struct node *n, u32 wanted)
{
    struct paging *g = &n->paging;
    u32 left, target = g->target;

    if (g->buckets) {
        g->target += MIN(wanted, (u32)SPARE_STEP);
        pageout(n);
        g->target = target;
        kernel_work(n);
    }
    machine_frames(n, &left);
    target = g->buckets ? target : (u32)SPARE_LEAST;
    return left > target ? MIN(left - target, wanted) : 0;
}

bool pageout_overdue(struct node *n)
{
    u64 now = machine_now(n);

    list_for_each(node, &n->paging.transit)
    {
        struct page *p = list_entry(node, struct page, order);

        if (p->state == PAGE_WRITING && kept(p->object) && now - p->since > FORFEIT_NS) {
            object_fail(n, p->object);
            return true;
        }
    }
    return false;
}

bool pageout_clean(struct node *n, struct task *t)
{
    bool clean = true;

    for (const struct region *r = t->regions; r; r = r->next) {
        if (!r->object || !kept(r->object) || r->object->failed)
            continue;
        list_for_each_safe(node, &r->object->pages)
        {
            struct page *p = list_entry(node, struct page, peers);

            if (p->dirty || p->state == PAGE_WRITING)
                clean = false;
            if (p->dirty)
                pageout_write(n, p, false);
        }
    }
    return clean;
}
