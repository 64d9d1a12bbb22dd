/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The node itself: its making and end, and how processes are found by id.
 */
#include "base/keyed.h"
#include "guest/kernel/core.h"

enum { BUCKETS_FIRST = 16, ROWS_FIRST = 16 };

static const struct demos_limits built_in = {
    .links = 1024, .queue_bytes = 256 << 10, .memory_bytes = (u64)1 << 40};

void *node_alloc(struct node *n, size_t size, bool urgent)
{
    struct heap *h = n->heap;

    if (!urgent && h->in_use + heap_cost(size) + n->reserve > h->total)
        return NULL;
    return heap_alloc(h, size);
}

static void set_limits(struct node *n)
{
    struct demos_limits *l = &n->config.limits;

    l->links = l->links ? MIN(l->links, (u64)LINK_INDEX_MAX) : built_in.links;
    l->queue_bytes = l->queue_bytes ? l->queue_bytes : built_in.queue_bytes;
    l->memory_bytes = l->memory_bytes ? l->memory_bytes : built_in.memory_bytes;
}

struct node *node_create(struct heap *heap, const struct node_config *config, struct net *net,
                         void *owner)
{
    struct node *n = heap_alloc(heap, sizeof(*n));

    if (!n)
        return NULL;
    n->heap = heap;
    heap->cuts = true; /* a node has what it was given at its start */
    n->net = net;
    n->owner = owner;
    n->config = *config;
    n->reserve = config->reserve ? config->reserve : (u32)MIN(heap->total / 16, 1u << 20);
    set_limits(n);
    n->buckets = heap_alloc(heap, BUCKETS_FIRST * sizeof(struct task *));
    if (!n->buckets) {
        heap_free(heap, n, sizeof(*n));
        return NULL;
    }
    n->bucket_mask = BUCKETS_FIRST - 1;
    for (u32 p = 0; p < NODE_PRIORITIES; p++)
        list_init(&n->ready[p]);
    list_init(&n->work);
    list_init(&n->peers);
    list_init(&n->parks);
    list_init(&n->forwards);
    list_init(&n->searches);
    list_init(&n->moves);
    list_init(&n->migrations);
    list_init(&n->switchboards.waiters);
    paging_init(n);
    if (net) {
        net_set_owner(net, n);
        net_set_trace(net, n->config.flags & NODE_TRACE);
    }
    return n;
}

void node_destroy(struct node *n)
{
    struct heap *heap = n->heap;
    struct task *t;

    n->net = NULL; /* nobody is told */
    while ((t = node_task(n, 0)) != NULL)
        task_end(n, t, DEMOS_END_NODE, 0, 0);
    kernel_work(n);
    paging_free(n);
    kernel_work(n); /* requests that waited for memory */
    remote_free(n);
    for (u32 p = 0; p < MESSAGE_POOLS; p++) {
        while (n->pool[p]) {
            struct message *m = n->pool[p];

            n->pool[p] = *(struct message **)m;
            node_free(n, m, sizeof(*m) + m->room);
        }
    }
    node_free(n, n->timers, n->timer_room * sizeof(struct thread *));
    node_free(n, n->rows, n->row_room * sizeof(struct task *));
    node_free(n, n->buckets, (n->bucket_mask + 1) * sizeof(struct task *));
    heap_free(heap, n, sizeof(*n));
}

void *node_owner(const struct node *n)
{
    return n->owner;
}

struct heap *node_heap(const struct node *n)
{
    return n->heap;
}

const struct node_config *node_config(const struct node *n)
{
    return &n->config;
}

const struct node_counters *node_counters(const struct node *n)
{
    return &n->count;
}

void trace_act(struct node *n, enum kernel_trace type, const struct process_id *id, u64 a,
               u64 b)
{
    u32 who = id->machine == n->config.machine ? (u32)id->serial
                                               : KERNEL_T_STRANGER(id->machine, id->serial);

    machine_trace(n, (u16)type, who, a, b);
}

void node_set_trace(struct node *n, bool on)
{
    n->config.flags = on ? n->config.flags | NODE_TRACE : n->config.flags & ~(u32)NODE_TRACE;
    if (n->net)
        net_set_trace(n->net, on);
    for (u32 row = 0; row < n->row_count; row++) {
        if (n->rows[row])
            task_slow(n, n->rows[row], SLOW_TRACE, on);
    }
}

static void more_buckets(struct node *n)
{
    u32 old_mask = n->bucket_mask, size = 2 * (old_mask + 1);
    struct task **old = n->buckets, **buckets;

    buckets = node_alloc(n, size * sizeof(struct task *), false);
    if (!buckets)
        return; /* longer chains */
    n->buckets = buckets;
    n->bucket_mask = size - 1;
    for (u32 b = 0; b <= old_mask; b++) {
        for (struct task *t = old[b], *next; t; t = next) {
            struct task **head = &buckets[node_bucket(n, &t->id)];

            next = t->bucket;
            t->bucket = *head;
            *head = t;
        }
    }
    node_free(n, old, (old_mask + 1) * sizeof(struct task *));
}

static int more_rows(struct node *n)
{
    u32 room = n->row_room ? 2 * n->row_room : ROWS_FIRST;
    struct task **rows = node_alloc(n, room * sizeof(struct task *), false);

    if (!rows)
        return DEMOS_E_MEMORY;
    if (n->rows)
        memcpy(rows, n->rows, n->row_count * sizeof(struct task *));
    node_free(n, n->rows, n->row_room * sizeof(struct task *));
    n->rows = rows;
    n->row_room = room;
    return 0;
}

/* Enters a process where it can be found: by id, and as a row of listings. */
int node_enter(struct node *n, struct task *t)
{
    u32 row = n->free_row;
    struct task **head;
    int error;

    while (row < n->row_count && n->rows[row])
        row++;
    if (row == n->row_room) {
        error = more_rows(n);
        if (error)
            return error;
    }
    n->rows[row] = t;
    n->row_count = MAX(n->row_count, row + 1);
    n->free_row = row + 1;
    t->row = row + 1;
    if (n->count.processes > 2 * (u64)n->bucket_mask)
        more_buckets(n);
    head = &n->buckets[node_bucket(n, &t->id)];
    t->bucket = *head;
    *head = t;
    n->count.processes++;
    return 0;
}

void node_leave_out(struct node *n, struct task *t)
{
    struct task **at = &n->buckets[node_bucket(n, &t->id)];

    while (*at != t)
        at = &(*at)->bucket;
    *at = t->bucket;
    n->rows[t->row - 1] = NULL;
    n->free_row = MIN(n->free_row, t->row - 1);
    n->count.processes--;
}

struct task *node_task(const struct node *n, u32 row)
{
    for (; row < n->row_count; row++) {
        if (n->rows[row])
            return n->rows[row];
    }
    return NULL;
}

u64 node_key(const struct node *n, u64 serial)
{
    u64 key = n->config.flags & NODE_CHECK_LINKS
                  ? keyed_random(n->config.seed, n->config.machine, serial)
                  : 0;

    return n->config.flags & NODE_CHECK_LINKS && !key ? 1 : key;
}
