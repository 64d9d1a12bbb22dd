/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whom a domain serves (H10): devices come and go in the store by the thousand, told of one by one or
 * all at once, and each is there as often as the store has it. Those that have changed are polled once
 * each, in the order they changed.
 */
#include "base/keyed.h"
#include "guest/rt/console.h"
#include "splitdrv/backends.h"
#include "tests/check.h"

enum { DOMAINS = 700, HANDLES = 3, STEPS = 20000, PATH = 128 };

struct served {
    struct split_backend end;
    u32 *opened;
};

static bool there[DOMAINS][HANDLES]; /* in the store */
static u32 is_open[DOMAINS][HANDLES];
static struct split_backend_list vifs;

/* --- the store -------------------------------------------------------------------------- */

long rt_store_number(u32 transaction, const char *path, u64 *value)
{
    u32 domain, handle;

    (void)transaction;
    if (sscanf(path, "backend/vif/%u/%u/frontend-id", &domain, &handle) != 2 ||
        !there[domain][handle])
        return -2;
    *value = domain;
    return 1;
}

long rt_store_each(const char *path, rt_store_name_fn *fn, void *arg)
{
    u32 domain = 0, end = DOMAINS;
    bool handles = sscanf(path, "backend/vif/%u", &domain) == 1;
    char name[16];

    for (u32 i = 0; i < (handles ? HANDLES : end); i++) {
        bool any = handles && there[domain][i];

        for (u32 h = 0; h < HANDLES && !handles; h++)
            any |= there[i][h];
        snprintf(name, sizeof(name), "%u", i);
        if (any)
            fn(arg, name);
    }
    return 0;
}

long rt_store_watch(struct rt_store_watch *w, const char *path, rt_store_watch_fn *fn,
                    void *arg)
{
    CHECK(strcmp(path, "backend/vif") == 0);
    w->fn = fn;
    w->arg = arg;
    return 0;
}

/* What else the handshake would ask, which is tested elsewhere. */
long rt_store_read(u32 transaction, const char *path, char *value, size_t room)
{
    (void)transaction, (void)path, (void)value, (void)room;
    return -2;
}

long rt_store_printf(u32 transaction, const char *path, const char *fmt, ...)
{
    (void)transaction, (void)path, (void)fmt;
    return -2;
}

long rt_store_remove(u32 transaction, const char *path)
{
    (void)transaction, (void)path;
    return -2;
}

long rt_store_unwatch(struct rt_store_watch *w)
{
    (void)w;
    return 0;
}

void rt_printf(const char *fmt, ...)
{
    (void)fmt;
}

/* --- the driver ------------------------------------------------------------------------- */

static struct split_backend *open_one(u32 domain, u32 handle)
{
    struct served *s = calloc(1, sizeof(*s));

    if (!s || !there[domain][handle]) {
        free(s);
        return NULL;
    }
    s->end.domain = domain;
    s->end.handle = handle;
    snprintf(s->end.bus.own, SPLIT_PATH, "backend/vif/%u/%u", domain, handle);
    s->opened = &is_open[domain][handle];
    CHECK_EQ(++*s->opened, 1);
    return &s->end;
}

static void close_one(struct split_backend *e)
{
    struct served *s = container_of(e, struct served, end);

    CHECK_EQ((*s->opened)--, 1);
    free(s);
}

/* --- the play --------------------------------------------------------------------------- */

static void begin(void)
{
    memset(there, 0, sizeof(there));
    memset(is_open, 0, sizeof(is_open));
    vifs = (struct split_backend_list){.kind = "vif", .open = open_one, .close = close_one};
    split_backend_list_watch(&vifs);
}

static void told(const char *path)
{
    vifs.watch.fn(vifs.watch.arg, path);
}

static void told_of(u32 domain, u32 handle, const char *key)
{
    char path[PATH];

    snprintf(path, PATH, "backend/vif/%u/%u%s", domain, handle, key);
    told(path);
}

static void check_all(void)
{
    u32 listed = 0, there_are = 0;

    for (u32 d = 0; d < DOMAINS; d++) {
        bool any = false;

        for (u32 h = 0; h < HANDLES; h++) {
            CHECK_EQ(is_open[d][h], there[d][h]);
            any |= there[d][h];
            there_are += there[d][h];
        }
        CHECK_EQ(split_backend_list_serves(&vifs, d), any);
    }
    list_for_each(at, &vifs.all) listed++;
    CHECK_EQ(listed, there_are);
}

static void end(void)
{
    memset(there, 0, sizeof(there));
    told("backend/vif");
    split_backend_list_follow(&vifs);
    check_all();
    CHECK(list_empty(&vifs.all));
    CHECK(!split_backend_list_next(&vifs));
}

static void they_are_as_the_store_has_them(void)
{
    begin();
    for (u32 i = 0; i < STEPS && !checks_failed; i++) {
        u32 d = (u32)keyed_below(1, 0, i, DOMAINS), h = (u32)keyed_below(1, 1, i, HANDLES);

        there[d][h] = keyed_chance(1, 2, i, 0x90000000u);
        if (keyed_chance(1, 3, i, 1u << 24)) {
            told(keyed_chance(1, 4, i, 1u << 31) ? "backend/vif" : "backend/vif/7");
            split_backend_list_follow(&vifs);
        } else {
            told_of(d, h, there[d][h] ? "/state" : "");
        }
        if (keyed_chance(1, 5, i, 1u << 25))
            while (split_backend_list_next(&vifs))
                ;
        if (i % 500 == 0)
            check_all();
    }
    end();
}

static struct split_backend *one(u32 domain)
{
    list_for_each(at, &vifs.all)
    {
        struct split_backend *e = list_entry(at, struct split_backend, link);

        if (e->domain == domain)
            return e;
    }
    return NULL;
}

static void next_is(u32 domain)
{
    const struct split_backend *e = split_backend_list_next(&vifs);

    CHECK(e);
    if (e)
        CHECK_EQ(e->domain, domain);
}

static void the_changed_stand_in_line(void)
{
    begin();
    for (u32 d = 0; d < 6; d++) {
        there[d][0] = true;
        told_of(d, 0, "/state");
    }
    for (u32 d = 0; d < 6; d++) /* a new one has its handshake before it */
        next_is(d);
    CHECK(!split_backend_list_next(&vifs));
    split_device_news(&one(4)->bus);
    split_device_news(&one(1)->bus);
    split_device_news(&one(4)->bus);
    split_device_news(&one(5)->bus);
    there[1][0] = false; /* it goes while it stands in line */
    told_of(1, 0, "");
    next_is(4);
    split_device_news(&one(4)->bus); /* again, after its turn */
    next_is(5);
    next_is(4);
    CHECK(!split_backend_list_next(&vifs));
    split_backend_list_news(&vifs);
    next_is(0);
    next_is(2);
    end();
}

TESTS(CASE(they_are_as_the_store_has_them), CASE(the_changed_stand_in_line))
