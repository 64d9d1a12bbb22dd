/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pages that are here: found by object and index, each with one frame of the machine's.
 * Two pages may have one frame between them; then the first to be written gets a copy.
 */
#include "guest/kernel/core.h"

static struct page **bucket(const struct node *n, const struct object *o, u64 index)
{
    u64 key = (o->number * 0x9e3779b97f4a7c15ull >> 32) ^ index;

    return &n->paging.buckets[key & (n->paging.bucket_count - 1)];
}

struct page *page_find(const struct node *n, const struct object *o, u64 index)
{
    struct page *p = *bucket(n, o, index);

    while (p && (p->object != o || p->index != index))
        p = p->next;
    return p;
}

struct page *page_enter(struct node *n, struct object *o, u64 index, u32 frame)
{
    struct page **head = bucket(n, o, index), *p = node_alloc(n, sizeof(*p), false);

    if (!p)
        return NULL;
    *p = (struct page){.next = *head, .object = o, .index = index, .frame = frame};
    *head = p;
    list_init(&p->order);
    list_init(&p->waiters);
    list_init(&p->messages);
    list_push_back(&o->pages, &p->peers);
    return p;
}

static void unlink_page(const struct node *n, struct page *p)
{
    struct page **at = bucket(n, p->object, p->index);

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
}

void page_renumber(struct node *n, struct object *o, u64 number)
{
    list_for_each(node, &o->pages) unlink_page(n, list_entry(node, struct page, peers));
    o->number = number;
    list_for_each(node, &o->pages)
    {
        struct page *p = list_entry(node, struct page, peers), **head = bucket(n, o, p->index);

        p->next = *head;
        *head = p;
    }
}

/* A request that waited is handled again. */
static void requests_wake(struct node *n, struct list *messages)
{
    struct list *node;

    while ((node = list_pop_front(messages)) != NULL)
        list_push_back(&n->work, node);
}

void page_wake(struct node *n, struct page *p)
{
    threads_wake(n, &p->waiters);
    requests_wake(n, &p->messages);
    if (n->paging.stalled) {
        n->paging.stalled = false;
        bulk_resume(n);
        migrate_resume(n);
    }
}

/* A frame has become free: those who wait for one look again, the first in line first. */
static void feed(struct node *n)
{
    struct paging *g = &n->paging;

    if (!list_empty(&g->hungry))
        thread_wake(n, list_entry(g->hungry.next, struct thread, run));
    requests_wake(n, &g->starved);
}

void node_more(struct node *n)
{
    feed(n);
    kernel_work(n);
}

void page_queue(struct node *n, struct page *p)
{
    struct paging *g = &n->paging;

    p->active = true;
    p->used = true;
    g->active_count++;
    list_push_back(&g->active, &p->order);
}

void page_unqueue(struct node *n, struct page *p)
{
    if (p->state == PAGE_HERE && !list_empty(&p->order)) {
        n->paging.active_count -= p->active;
        n->paging.inactive_count -= !p->active;
    }
    list_remove(&p->order);
}

void page_arrived(struct node *n, struct page *p)
{
    list_remove(&p->order); /* from transit */
    p->state = PAGE_HERE;
    p->error = false;
    p->ticket = 0;
    page_queue(n, p);
    page_wake(n, p);
}

void page_unmap(struct node *n, struct page *p)
{
    u64 at = p->index * machine_page_size(n);

    list_for_each(node, &p->object->regions)
    {
        const struct region *r = list_entry(node, struct region, views);

        if (at >= r->offset && at - r->offset < r->length)
            machine_page_unmap(n, r->task, r->base + (at - r->offset));
    }
}

void page_remove(struct node *n, struct page *p)
{
    struct object *o = p->object;

    page_unmap(n, p);
    page_unqueue(n, p);
    if (p->state == PAGE_WRITING) {
        n->paging.writes--;
        o->writes--;
    }
    unlink_page(n, p);
    list_remove(&p->peers);
    machine_frame_drop(n, p->frame);
    page_wake(n, p);
    node_free(n, p, sizeof(*p));
    feed(n);
    object_check(n, o);
}

u32 page_room(struct node *n)
{
    u32 left;

    machine_frames(n, &left);
    if (left <= n->paging.target) {
        pageout(n);
        machine_frames(n, &left);
    }
    return left;
}

u32 page_frame(struct node *n, bool zero)
{
    return page_room(n) > n->paging.reserve ? machine_frame_take(n, zero) : 0;
}

struct page *page_ticket(const struct node *n, u64 ticket)
{
    list_for_each(node, &n->paging.transit)
    {
        struct page *p = list_entry(node, struct page, order);

        if (p->ticket == ticket)
            return p;
    }
    return NULL;
}
