/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which back ends the toolstack has given this domain: backend/KIND/<domain>/<handle>.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "splitdrv/backends.h"

enum { NAMES = 4096 }; /* as much as one answer of the store holds */

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

static void walk_domain(const char *kind, const char *name, char *handles,
                        split_backend_fn *take, void *arg)
{
    char path[64];
    u32 domain, handle;
    long got;

    if (!number(name, &domain))
        return;
    format(path, sizeof(path), "backend/%s/%s", kind, name);
    got = rt_store_directory(0, path, handles, NAMES);
    for (long at = 0; at < got; at += (long)strlen(handles + at) + 1) {
        if (number(handles + at, &handle))
            take(arg, domain, handle);
    }
}

bool split_backends(const char *kind, split_backend_fn *take, void *arg)
{
    char *domains = rt_alloc(NAMES), *handles = rt_alloc(NAMES), path[32];
    long got = -1;

    format(path, sizeof(path), "backend/%s", kind);
    if (domains && handles)
        got = rt_store_directory(0, path, domains, NAMES);
    for (long at = 0; at < got; at += (long)strlen(domains + at) + 1)
        walk_domain(kind, domains + at, handles, take, arg);
    rt_free(domains, NAMES);
    rt_free(handles, NAMES);
    return got >= 0;
}

enum split_backend_news split_backend_news(const char *kind, const char *path, u32 *domain,
                                           u32 *handle)
{
    char base[32];
    size_t len = format(base, sizeof(base), "backend/%s/", kind);
    const char *end;

    if (strncmp(path, base, len) != 0)
        return SPLIT_BACKEND_ANY;
    end = number_at(path + len, domain);
    if (*end != '/' || end == path + len)
        return SPLIT_BACKEND_ANY;
    path = end + 1;
    end = number_at(path, handle);
    if (end == path || (*end && *end != '/'))
        return SPLIT_BACKEND_ANY;
    return *end ? SPLIT_BACKEND_KEY : SPLIT_BACKEND_ALL;
}
