/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest/servers/fs/cache.h"
#include "base/memory.h"

int cache_init(struct cache *c, struct disk *disk, struct heap *heap, u32 blocks)
{
    *c = (struct cache){.disk = disk, .heap = heap, .count = blocks, .buckets = blocks};
    c->buffer = heap_alloc(heap, blocks * sizeof(*c->buffer));
    c->bucket = heap_alloc(heap, c->buckets * sizeof(*c->bucket));
    c->order = heap_alloc(heap, blocks * sizeof(*c->order));
    c->run = heap_alloc(heap, CACHE_RUN * FS_BLOCK);
    if (!c->buffer || !c->bucket || !c->order || !c->run) {
        cache_destroy(c);
        return FS_E_MEMORY;
    }
    list_init(&c->lru);
    for (u32 i = 0; i < c->buckets; i++)
        list_init(&c->bucket[i]);
    for (u32 i = 0; i < blocks; i++) {
        list_init(&c->buffer[i].chain);
        list_push_back(&c->lru, &c->buffer[i].lru);
    }
    return FS_OK;
}

void cache_destroy(struct cache *c)
{
    heap_free(c->heap, c->buffer, c->count * sizeof(*c->buffer));
    heap_free(c->heap, c->bucket, c->buckets * sizeof(*c->bucket));
    heap_free(c->heap, c->order, c->count * sizeof(*c->order));
    heap_free(c->heap, c->run, CACHE_RUN * FS_BLOCK);
    c->buffer = NULL;
}

static struct list *bucket_of(struct cache *c, u32 block)
{
    return &c->bucket[block % c->buckets];
}

static struct buffer *find(struct cache *c, u32 block)
{
    list_for_each(at, bucket_of(c, block))
    {
        struct buffer *b = list_entry(at, struct buffer, chain);

        if (b->block == block)
            return b;
    }
    return NULL;
}

static void used_now(struct cache *c, struct buffer *b)
{
    list_remove(&b->lru);
    list_push_back(&c->lru, &b->lru);
}

static void clean(struct cache *c, struct buffer *b)
{
    c->journalled -= b->journalled;
    b->dirty = b->journalled = false;
}

/* The least recently used buffer that may go; dirty data is written out first. NULL when
 * all are held for the journal. */
static struct buffer *victim(struct cache *c, int *error)
{
    list_for_each(at, &c->lru)
    {
        struct buffer *b = list_entry(at, struct buffer, lru);

        if (b->journalled)
            continue;
        if (b->valid && b->dirty) {
            *error = cache_write_data(c);
            if (*error)
                return NULL;
        }
        return b;
    }
    *error = FS_E_FULL;
    return NULL;
}

static struct buffer *take(struct cache *c, u32 block, int *error)
{
    struct buffer *b = victim(c, error);

    if (!b)
        return NULL;
    list_remove(&b->chain);
    b->block = block;
    b->valid = b->dirty = false;
    list_push_front(bucket_of(c, block), &b->chain);
    used_now(c, b);
    return b;
}

static void release(struct cache *c, struct buffer *b)
{
    list_remove(&b->chain);
    b->valid = false;
    list_remove(&b->lru);
    list_push_front(&c->lru, &b->lru);
}

static struct buffer *get(struct cache *c, u32 block, bool read, int *error)
{
    struct buffer *b = find(c, block);

    *error = FS_OK;
    if (b) {
        c->hits++;
        used_now(c, b);
        return b;
    }
    c->misses++;
    b = take(c, block, error);
    if (!b)
        return NULL;
    if (read) {
        c->reads++;
        *error = disk_read(c->disk, block, 1, b->data);
        if (*error) {
            release(c, b);
            return NULL;
        }
    }
    b->valid = true;
    return b;
}

int cache_read(struct cache *c, u32 block, u32 offset, void *to, u32 len)
{
    int error;
    struct buffer *b = get(c, block, true, &error);

    if (!b)
        return error;
    memcpy(to, b->data + offset, len);
    return FS_OK;
}

int cache_write(struct cache *c, u32 block, u32 offset, const void *from, u32 len,
                bool journalled)
{
    int error;
    struct buffer *b = get(c, block, len < FS_BLOCK, &error);

    if (!b)
        return error;
    memcpy(b->data + offset, from, len);
    b->dirty = true;
    if (journalled && !b->journalled) {
        b->journalled = true;
        c->journalled++;
    }
    return FS_OK;
}

/* A buffer that can be had without writing anything. */
static struct buffer *clean_victim(struct cache *c)
{
    list_for_each(at, &c->lru)
    {
        struct buffer *b = list_entry(at, struct buffer, lru);

        if (!b->valid || !b->dirty)
            return b;
    }
    return NULL;
}

int cache_prefetch(struct cache *c, u32 block, u32 wanted, u32 most)
{
    u32 n = 0;
    int error;

    for (; wanted && find(c, block); wanted--, most--)
        block++;
    most = wanted ? MIN(most, MIN((u32)CACHE_RUN, c->count / 4)) : 0;
    while (n < most && !find(c, block + n))
        n++;
    if (n < 2)
        return FS_OK; /* one block is read when it is wanted */
    c->reads++;
    error = disk_read(c->disk, block, n, c->run);
    for (u32 i = 0; !error && i < n; i++) {
        struct buffer *b = clean_victim(c);

        if (!b)
            break;
        list_remove(&b->chain);
        b->block = block + i;
        b->valid = true;
        list_push_front(bucket_of(c, b->block), &b->chain);
        used_now(c, b);
        memcpy(b->data, c->run + (size_t)i * FS_BLOCK, FS_BLOCK);
    }
    return error;
}

void cache_forget(struct cache *c, u32 block)
{
    struct buffer *b = find(c, block);

    if (!b)
        return;
    clean(c, b);
    release(c, b);
}

u32 cache_list(struct cache *c, bool journalled)
{
    u32 n = 0;

    for (u32 i = 0; i < c->count; i++)
        if (c->buffer[i].valid && c->buffer[i].dirty && c->buffer[i].journalled == journalled)
            c->order[n++] = i;
    for (u32 gap = n / 2; gap; gap /= 2) { /* Shell's sort: no recursion, no scratch */
        for (u32 i = gap; i < n; i++) {
            u32 moving = c->order[i], at = i;

            while (at >= gap && c->buffer[c->order[at - gap]].block > c->buffer[moving].block) {
                c->order[at] = c->order[at - gap];
                at -= gap;
            }
            c->order[at] = moving;
        }
    }
    return n;
}

int cache_write_listed(struct cache *c, u32 listed)
{
    for (u32 i = 0; i < listed;) {
        u32 first = c->buffer[c->order[i]].block, n = 0;
        int error;

        while (i + n < listed && n < CACHE_RUN &&
               c->buffer[c->order[i + n]].block == first + n) {
            memcpy(c->run + (size_t)n * FS_BLOCK, c->buffer[c->order[i + n]].data, FS_BLOCK);
            n++;
        }
        c->writes++;
        error = disk_write(c->disk, first, n, c->run);
        if (error)
            return error;
        for (u32 k = 0; k < n; k++)
            clean(c, &c->buffer[c->order[i + k]]);
        i += n;
    }
    return FS_OK;
}

int cache_write_data(struct cache *c)
{
    return cache_write_listed(c, cache_list(c, false));
}
