/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes, and the hash table by full path that both the tree and overlays are.
 */
#include "base/hash.h"
#include "guest/control/store/parts.h"

enum { FIRST_BUCKETS = 16, CHILDREN_FIRST = 64 };

void *xs_alloc(struct xs *s, size_t size)
{
    void *at = s->memory.alloc(s->memory.ctx, size);

    if (at)
        s->bytes += size;
    return at;
}

void xs_free(struct xs *s, void *at, size_t size)
{
    if (!at)
        return;
    s->bytes -= size;
    s->memory.free(s->memory.ctx, at, size);
}

struct xs_node *xs_tree_find(const struct xs_tree *t, const char *path, u32 len)
{
    u32 hash = hash_text(path, len);

    if (!t->buckets)
        return NULL;
    for (struct xs_node *n = t->bucket[hash & (t->buckets - 1)]; n; n = n->next)
        if (n->hash == hash && n->path_len == len && memcmp(n->path, path, len) == 0)
            return n;
    return NULL;
}

static void link_in(struct xs_tree *t, struct xs_node *n)
{
    struct xs_node **at = &t->bucket[n->hash & (t->buckets - 1)];

    n->next = *at;
    *at = n;
}

/* Twice as many buckets; without memory for them chains just get longer. */
static bool tree_grow(struct xs *s, struct xs_tree *t)
{
    struct xs_tree old = *t;
    u32 buckets = old.buckets ? old.buckets * 2 : FIRST_BUCKETS;
    struct xs_node **bucket = xs_alloc(s, buckets * sizeof(*bucket));

    if (!bucket)
        return old.buckets != 0;
    t->bucket = bucket;
    t->buckets = buckets;
    for (u32 i = 0; i < old.buckets; i++)
        for (struct xs_node *n = old.bucket[i], *next; n; n = next) {
            next = n->next;
            link_in(t, n);
        }
    xs_free(s, old.bucket, old.buckets * sizeof(*bucket));
    return true;
}

bool xs_tree_insert(struct xs *s, struct xs_tree *t, struct xs_node *n)
{
    if (t->count >= t->buckets && !tree_grow(s, t))
        return false;
    link_in(t, n);
    t->count++;
    return true;
}

void xs_tree_remove(struct xs_tree *t, struct xs_node *n)
{
    struct xs_node **at = &t->bucket[n->hash & (t->buckets - 1)];

    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->count--;
}

void xs_tree_destroy(struct xs *s, struct xs_tree *t)
{
    for (u32 i = 0; i < t->buckets; i++)
        for (struct xs_node *n = t->bucket[i], *next; n; n = next) {
            next = n->next;
            xs_node_free(s, n);
        }
    xs_free(s, t->bucket, t->buckets * sizeof(*t->bucket));
    *t = (struct xs_tree){0};
}

static size_t node_size(u32 path_len)
{
    return sizeof(struct xs_node) + path_len + 1;
}

struct xs_node *xs_node_new(struct xs *s, const char *path, u32 len)
{
    struct xs_node *n = xs_alloc(s, node_size(len));

    if (!n)
        return NULL;
    n->hash = hash_text(path, len);
    n->path_len = len;
    memcpy(n->path, path, len);
    list_init(&n->owned);
    list_init(&n->order);
    return n;
}

void xs_node_free(struct xs *s, struct xs_node *n)
{
    list_remove(&n->owned);
    list_remove(&n->order);
    xs_free(s, n->value, n->len);
    xs_free(s, n->children, n->children_room);
    xs_free(s, n->perms, n->perm_count * sizeof(*n->perms));
    xs_free(s, n, node_size(n->path_len));
}

bool xs_node_set_value(struct xs *s, struct xs_node *n, const char *value, u32 len)
{
    char *copy = len ? xs_alloc(s, len) : NULL;

    if (len && !copy)
        return false;
    if (len)
        memcpy(copy, value, len);
    xs_free(s, n->value, n->len);
    n->value = copy;
    n->len = len;
    return true;
}

bool xs_node_set_perms(struct xs *s, struct xs_node *n, const struct xs_perm *perms, u32 count)
{
    struct xs_perm *copy = xs_alloc(s, count * sizeof(*copy));

    if (!copy)
        return false;
    memcpy(copy, perms, count * sizeof(*copy));
    xs_free(s, n->perms, n->perm_count * sizeof(*copy));
    n->perms = copy;
    n->perm_count = count;
    return true;
}

bool xs_children_reserve(struct xs *s, struct xs_node *n, u32 more)
{
    u32 want = n->children_len + n->children_coming + more, room = n->children_room;
    char *bigger;

    if (want > room) {
        for (room = MAX(room, (u32)CHILDREN_FIRST); room < want;)
            room *= 2;
        bigger = xs_alloc(s, room);
        if (!bigger)
            return false;
        if (n->children_len)
            memcpy(bigger, n->children, n->children_len);
        xs_free(s, n->children, n->children_room);
        n->children = bigger;
        n->children_room = room;
    }
    n->children_coming += more;
    return true;
}

/* Room was reserved. */
void xs_children_add(struct xs_node *n, const char *name, u32 len)
{
    memcpy(n->children + n->children_len, name, len);
    n->children[n->children_len + len] = 0;
    n->children_len += len + 1;
    n->children_coming -= MIN(n->children_coming, len + 1);
}

void xs_children_remove(struct xs_node *n, const char *name, u32 len)
{
    for (u32 at = 0; at < n->children_len;) {
        u32 this = (u32)strlen(n->children + at);

        if (this == len && memcmp(n->children + at, name, len) == 0) {
            n->children_len -= len + 1;
            memmove(n->children + at, n->children + at + len + 1, n->children_len - at);
            return;
        }
        at += this + 1;
    }
}

u32 xs_parent_len(const char *path, u32 len)
{
    if (path[0] == '@' || len <= 1)
        return 0;
    while (path[--len] != '/')
        ;
    return MAX(len, 1u);
}
