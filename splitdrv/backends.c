/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which back ends the toolstack has given this domain: backend/KIND/<domain>/<handle>.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/store.h"
#include "splitdrv/backends.h"

/* What stands behind it. */
static const char *number_at(const char *s, u32 *value)
{
    for (*value = 0; *s >= '0' && *s <= '9' && *value < 100000000; s++)
        *value = *value * 10 + (u32)(*s - '0');
    return s;
}

static bool number(const char *s, u32 *value)
{
    return !*number_at(s, value);
}

/* Whom to tell of which devices. */
struct walk {
    const char *kind;
    split_backend_fn *take;
    void *arg;
    u32 domain;
};

static void walk_handle(void *arg, const char *name)
{
    const struct walk *w = arg;
    u32 handle;

    if (number(name, &handle))
        w->take(w->arg, w->domain, handle);
}

static void walk_domain(void *arg, const char *name)
{
    struct walk *w = arg;
    char path[64];

    if (!number(name, &w->domain))
        return;
    format(path, sizeof(path), "backend/%s/%s", w->kind, name);
    rt_store_each(path, walk_handle, w);
}

bool split_backends(const char *kind, split_backend_fn *take, void *arg)
{
    struct walk w = {.kind = kind, .take = take, .arg = arg};
    char path[32];

    format(path, sizeof(path), "backend/%s", kind);
    return !rt_store_each(path, walk_domain, &w);
}

/* Where it hangs, or would. */
static struct split_backend **find(struct split_backend_list *l, u32 domain, u32 handle)
{
    struct split_backend **at = &l->first;

    while (*at && ((*at)->domain != domain || (*at)->handle != handle))
        at = &(*at)->next;
    return at;
}

static void open_one(void *arg, u32 domain, u32 handle)
{
    struct split_backend_list *l = arg;
    struct split_backend **at = find(l, domain, handle);

    if (!*at)
        *at = l->open(domain, handle);
}

/* True: it was taken away, and is no more. */
static bool drop(struct split_backend_list *l, struct split_backend **at)
{
    struct split_backend *e = *at;
    u64 id;

    if (split_number(e->bus.own, "frontend-id", &id))
        return false;
    *at = e->next;
    l->close(e);
    return true;
}

void split_backend_list_follow(struct split_backend_list *l)
{
    if (!l->changed)
        return;
    l->changed = false;
    for (struct split_backend **at = &l->first; *at;)
        if (!drop(l, at))
            at = &(*at)->next;
    split_backends(l->kind, open_one, l);
}

static void on_change(void *arg, const char *path)
{
    struct split_backend_list *l = arg;
    u32 domain, handle;
    size_t len;
    char base[32];

    len = format(base, sizeof(base), "backend/%s/", l->kind);
    path = strncmp(path, base, len) == 0 ? number_at(path + len, &domain) : "";
    if (*path == '/')
        path = number_at(path + 1, &handle);
    else
        path = "?";
    if (*path && *path != '/')
        l->changed = true; /* of no one in particular */
    else if (!*find(l, domain, handle))
        open_one(l, domain, handle);
    else if (!*path)
        drop(l, find(l, domain, handle));
}

void split_backend_list_watch(struct split_backend_list *l)
{
    char path[32];

    format(path, sizeof(path), "backend/%s", l->kind);
    rt_store_watch(&l->watch, path, on_change, l);
}
