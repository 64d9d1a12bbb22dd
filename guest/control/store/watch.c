/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watches, in buckets by the hash of their path: a change asks for its own path and each
 * one above it, so its cost is its depth, however many watches there are.
 */
#include "base/hash.h"
#include "guest/control/store/parts.h"

static struct list *bucket(struct xs *s, u32 hash)
{
    return &s->watch[hash % XS_WATCH_BUCKETS];
}

static struct xs_watch *find(struct xs_conn *c, const char *path, const char *token)
{
    u32 hash = hash_text(path, strlen(path));

    list_for_each(at, bucket(c->s, hash))
    {
        struct xs_watch *w = list_entry(at, struct xs_watch, chain);

        if (w->conn == c && w->hash == hash && strcmp(w->path, path) == 0 &&
            strcmp(w->token, token) == 0)
            return w;
    }
    return NULL;
}

/* The event's path as its watcher named it. */
static const char *shown(const struct xs_watch *w, const char *path)
{
    static const char home[] = "/local/domain/";

    if (!w->relative)
        return path;
    path += sizeof(home) - 1;
    while (*path && *path != '/')
        path++;
    return *path ? path + 1 : path;
}

int xs_watch_add(struct xs_conn *c, const char *path, const char *token, bool relative)
{
    u32 path_len = (u32)strlen(path), size = (u32)sizeof(struct xs_watch);
    struct xs_watch *w;

    if (find(c, path, token))
        return XEN_EEXIST;
    if (!c->privileged &&
        c->watches >= c->s->quota.watches + XS_DEVICE_WATCHES * xs_devices(c->s, c->domid))
        return xs_refuse(c, "watches", XEN_E2BIG);
    size += path_len + (u32)strlen(token) + 2;
    w = xs_alloc(c->s, size);
    if (!w)
        return XEN_ENOMEM;
    w->conn = c;
    w->size = size;
    w->relative = relative;
    w->hash = hash_text(path, path_len);
    memcpy(w->text, path, path_len + 1);
    memcpy(w->text + path_len + 1, token, strlen(token) + 1);
    w->path = w->text;
    w->token = w->text + path_len + 1;
    list_push_back(&c->watch_list, &w->link);
    list_push_back(bucket(c->s, w->hash), &w->chain);
    c->watches++;
    c->s->watches++;
    return 0;
}

void xs_watch_free(struct xs_watch *w)
{
    struct xs_conn *c = w->conn;

    list_remove(&w->link);
    list_remove(&w->chain);
    c->watches--;
    c->s->watches--;
    xs_free(c->s, w, w->size);
}

int xs_watch_remove(struct xs_conn *c, const char *path, const char *token)
{
    struct xs_watch *w = find(c, path, token);

    if (!w)
        return XEN_ENOENT;
    xs_watch_free(w);
    return 0;
}

static void fire_at(struct xs *s, const char *path, u32 len, const struct xs_node *n)
{
    u32 hash = hash_text(path, len);

    list_for_each(at, bucket(s, hash))
    {
        struct xs_watch *w = list_entry(at, struct xs_watch, chain);

        if (w->hash == hash && strncmp(w->path, path, len) == 0 && !w->path[len] &&
            xs_rights(w->conn, n) & XS_READ_RIGHT)
            xs_push_event(w, shown(w, n->path));
    }
}

void xs_watch_fire(struct xs *s, const struct xs_node *n, enum xs_fire fire)
{
    u32 len = n->path_len;

    if (fire == FIRE_NONE)
        return;
    fire_at(s, n->path, len, n);
    while (fire == FIRE_ALL && (len = xs_parent_len(n->path, len)))
        fire_at(s, n->path, len, n);
}
