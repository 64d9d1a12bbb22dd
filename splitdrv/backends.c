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

static struct split_backend **row(struct split_backend_list *l, u32 domain)
{
    return &l->row[domain % SPLIT_BACKEND_ROWS];
}

static struct split_backend *find(struct split_backend_list *l, u32 domain, u32 handle)
{
    struct split_backend *e = *row(l, domain);

    while (e && (e->domain != domain || e->handle != handle))
        e = e->beside;
    return e;
}

bool split_backend_list_serves(const struct split_backend_list *l, u32 domain)
{
    const struct split_backend *e = l->row[domain % SPLIT_BACKEND_ROWS];

    while (e && e->domain != domain)
        e = e->beside;
    return e;
}

static void stand_in_line(struct split_device *bus)
{
    struct split_backend *e = container_of(bus, struct split_backend, bus);

    if (list_empty(&e->turn))
        list_push_back(&e->list->line, &e->turn);
}

static void open_one(void *arg, u32 domain, u32 handle)
{
    struct split_backend_list *l = arg;
    struct split_backend *e = find(l, domain, handle) ? NULL : l->open(domain, handle);

    if (!e)
        return;
    e->beside = *row(l, domain);
    *row(l, domain) = e;
    list_push_back(&l->all, &e->link);
    list_init(&e->turn);
    e->list = l;
    e->bus.has_news = stand_in_line;
    split_device_news(&e->bus);
}

/* If it was taken away, it is no more. */
static void drop(struct split_backend_list *l, struct split_backend *e)
{
    struct split_backend **at = row(l, e->domain);
    u64 id;

    if (split_number(e->bus.own, "frontend-id", &id))
        return;
    while (*at != e)
        at = &(*at)->beside;
    *at = e->beside;
    list_remove(&e->link);
    list_remove(&e->turn);
    e->bus.has_news = NULL;
    l->close(e);
}

void split_backend_list_follow(struct split_backend_list *l)
{
    if (!l->changed)
        return;
    l->changed = false;
    list_for_each_safe(at, &l->all) drop(l, list_entry(at, struct split_backend, link));
    split_backends(l->kind, open_one, l);
}

struct split_backend *split_backend_list_next(struct split_backend_list *l)
{
    struct list *turn = list_pop_front(&l->line);

    return turn ? list_entry(turn, struct split_backend, turn) : NULL;
}

void split_backend_list_news(struct split_backend_list *l)
{
    list_for_each(at, &l->all)
        split_device_news(&list_entry(at, struct split_backend, link)->bus);
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
    else if (!find(l, domain, handle))
        open_one(l, domain, handle);
    else if (!*path)
        drop(l, find(l, domain, handle));
}

void split_backend_list_watch(struct split_backend_list *l)
{
    char path[32];

    list_init(&l->all);
    list_init(&l->line);
    format(path, sizeof(path), "backend/%s", l->kind);
    rt_store_watch(&l->watch, path, on_change, l);
}
