/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split devices, which are two directories in the store: made as Xen's toolstack makes them,
 * and kept by their front's domain, so that they are made again when either end is built
 * anew, and taken from the back end's sight when the front is no more.
 */
#include "base/format.h"
#include "base/memory.h"
#include "guest/control/command.h"
#include "guest/control/ctl.h"
#include "guest/rt/frame.h"
#include "guest/rt/rt.h"
#include "guest/rt/store_wire.h"

enum { OPTIONS = 1024, KIND = 17, ID = 9 };

/* One device of a domain. Options are triples: a letter (f front, b back, m both), the key
 * and a NUL, the value and a NUL; {NAME}s in values are replaced each time anew. */
struct attachment {
    struct list link;
    char kind[KIND], id[ID], back[NAME_MOST + 1];
    u16 back_domid;
    struct guest *served; /* the back end for whose quotas it counts */
    u32 away; /* unplugged, so often: not to be seen until it was plugged in as often */
    u32 len;
    char options[OPTIONS];
};

struct device {
    char front[96], back[96];
    char front_perm[2][8], back_perm[2][8];
    int error;
};

static void node(struct device *d, bool back, const char *key, const char *value)
{
    const char(*perm)[8] = back ? (const char(*)[8])d->back_perm
                                : (const char(*)[8])d->front_perm;
    char path[256];

    format(path, sizeof(path), "%s%s%s", back ? d->back : d->front, *key ? "/" : "", key);
    if (!d->error)
        d->error = self_write(path, value);
    if (!d->error)
        d->error = self_perms(path, perm[0], perm[1]);
}

static void paths(struct device *d, const struct guest *front, const struct attachment *a)
{
    *d = (struct device){0};
    format(d->front, sizeof(d->front), "/local/domain/%u/device/%s/%s", front->domid, a->kind,
           a->id);
    format(d->back, sizeof(d->back), "/local/domain/%u/backend/%s/%u/%s", a->back_domid,
           a->kind, front->domid, a->id);
    format(d->front_perm[0], 8, "n%u", front->domid);
    format(d->front_perm[1], 8, "r%u", a->back_domid);
    format(d->back_perm[0], 8, "n%u", a->back_domid);
    format(d->back_perm[1], 8, "r%u", front->domid);
}

static bool options_write(struct device *d, const struct attachment *a, char *why)
{
    for (u32 at = 0; at < a->len;) {
        char side = a->options[at], value[COMMAND_VALUE];
        const char *key = a->options + at + 1, *text = key + strlen(key) + 1;

        if (!expand(text, value, sizeof(value), why))
            return false;
        if (side != 'b')
            node(d, false, key, value);
        if (side != 'f')
            node(d, true, key, value);
        at += (u32)(strlen(key) + strlen(text) + 3);
    }
    return true;
}

static void tell_quota(const struct guest *back)
{
    if (back->built)
        xs_domain_serves(&control.store, back->domid, back->serves);
}

/* Who serves more devices may hold more in the store; not so once a device has gone (NULL). */
static void served(struct attachment *a, struct guest *back)
{
    struct guest *before = a->served;

    a->served = back;
    if (before) {
        before->serves--;
        tell_quota(before);
    }
    if (back) {
        back->serves++;
        tell_quota(back);
    }
}

/* The back end's directory is complete before the front's `state` says so, and watchers of
 * a back end look at `state` too: both come last. */
static bool attach(struct guest *front, struct attachment *a, char *why)
{
    struct guest *back = guest_find(a->back);
    char number[16];
    struct device d;

    if (!back || !back->built) {
        format(why, WHY, "say backend=DOMAIN, a domain that exists");
        return false;
    }
    a->back_domid = back->domid;
    served(a, back);
    paths(&d, front, a);
    node(&d, true, "", "");
    node(&d, false, "", "");
    node(&d, true, "frontend", d.front);
    format(number, sizeof(number), "%u", front->domid);
    node(&d, true, "frontend-id", number);
    node(&d, true, "online", "1");
    node(&d, true, "handle", a->id);
    node(&d, false, "backend", d.back);
    format(number, sizeof(number), "%u", back->domid);
    node(&d, false, "backend-id", number);
    node(&d, false, "handle", a->id);
    if (!options_write(&d, a, why))
        return false;
    node(&d, true, "state", "1");
    node(&d, false, "state", "1");
    if (d.error)
        format(why, WHY, "the store says %s", store_error_name(d.error));
    return !d.error;
}

static void remove_path(const char *path)
{
    static char reply[XENSTORE_PAYLOAD_MAX];
    u32 len;

    self_call(XS_RM, path, (u32)strlen(path) + 1, reply, &len);
}

void devices_gone(const struct guest *g)
{
    list_for_each(at, &g->devices)
    {
        struct attachment *a = list_entry(at, struct attachment, link);
        struct device d;

        paths(&d, g, a);
        remove_path(d.back);
        served(a, NULL);
    }
}

bool devices_again(struct guest *g, char *why)
{
    list_for_each(at, &g->devices)
    {
        struct attachment *a = list_entry(at, struct attachment, link);

        if (!a->away && !attach(g, a, why))
            return false;
    }
    list_for_each(other, &control.guests)
    {
        struct guest *front = list_entry(other, struct guest, link);

        list_for_each(at, &front->devices)
        {
            struct attachment *a = list_entry(at, struct attachment, link);

            if (front != g && front->built && !a->away && strcmp(a->back, g->name) == 0 &&
                !attach(front, a, why))
                return false;
        }
    }
    return true;
}

static void attachment_drop(struct attachment *a)
{
    served(a, NULL);
    list_remove(&a->link);
    rt_free(a, sizeof(*a));
}

/* Those that it served stay with their fronts, for whoever bears its name next. */
static void forget_served(const struct guest *back)
{
    list_for_each(g, &control.guests)
    {
        list_for_each(at, &list_entry(g, struct guest, link)->devices)
        {
            struct attachment *a = list_entry(at, struct attachment, link);

            if (a->served == back)
                a->served = NULL;
        }
    }
}

void devices_forget(struct guest *g)
{
    while (!list_empty(&g->devices))
        attachment_drop(list_entry(g->devices.next, struct attachment, link));
    if (g->serves)
        forget_served(g);
}

/* --- commands ----------------------------------------------------------------------------------- */

static bool option_add(struct attachment *a, char side, const char *key, size_t key_len,
                       const char *value)
{
    size_t len = strlen(value);

    if (!key_len || key_len > 63 || a->len + key_len + len + 3 > sizeof(a->options))
        return false;
    a->options[a->len++] = side;
    memcpy(a->options + a->len, key, key_len);
    a->options[a->len + key_len] = 0;
    memcpy(a->options + a->len + key_len + 1, value, len + 1);
    a->len += (u32)(key_len + len + 2);
    return true;
}

/* front.KEY and back.KEY go to one side, mac to both. */
static bool options_take(struct command *c, struct attachment *a)
{
    static const struct {
        const char *prefix;
        char side;
        bool whole;
    } sides[] = {{"front.", 'f', false}, {"back.", 'b', false}, {"mac=", 'm', true}};

    for (u32 i = 0; i < c->w->count; i++) {
        const char *word = c->w->word[i];

        for (u32 s = 0; s < ARRAY_SIZE(sides); s++) {
            size_t len = strlen(sides[s].prefix), skip = sides[s].whole ? 0 : len;

            if (!c->w->value[i] || c->w->taken[i] || strncmp(word, sides[s].prefix, len) != 0)
                continue;
            c->w->taken[i] = true;
            if (c->w->key_len[i] < skip || !option_add(a, sides[s].side, word + skip,
                                                       c->w->key_len[i] - skip, c->w->value[i]))
                return command_refuse(c, "a device has no room for %s", word);
        }
    }
    return true;
}

static struct attachment *attachment_find(const struct guest *g, const char *kind,
                                          const char *id)
{
    list_for_each(at, &g->devices)
    {
        struct attachment *a = list_entry(at, struct attachment, link);

        if (strcmp(a->kind, kind) == 0 && strcmp(a->id, id) == 0)
            return a;
    }
    return NULL;
}

bool do_device(struct command *c)
{
    const char *kind = c->argument[0], *id = c->argument[2];
    const char *back = words_option(c->w, "backend");
    struct guest *front = command_guest(c, 1);
    struct attachment *a, *old;

    if (!front)
        return false;
    if (!back || !guest_find(back))
        return command_refuse(c, "say backend=DOMAIN, a domain that exists");
    if (strlen(kind) >= KIND || strlen(id) >= ID || !words_name(kind) || !words_name(id))
        return command_refuse(c, "a device has a short kind and a number");
    a = rt_alloc(sizeof(*a));
    if (!a)
        return command_refuse(c, "no memory for a device");
    memcpy(a->kind, kind, strlen(kind));
    memcpy(a->id, id, strlen(id));
    memcpy(a->back, back, strnlen(back, NAME_MOST));
    old = attachment_find(front, kind, id);
    list_push_back(&front->devices, &a->link);
    if (!options_take(c, a) || !attach(front, a, c->why)) {
        attachment_drop(a);
        return false;
    }
    if (old)
        attachment_drop(old);
    return true;
}

/* The device that the arguments name; NULL after a refusal. */
static struct attachment *named(struct command *c, struct guest **front)
{
    struct attachment *a;

    *front = command_guest(c, 1);
    a = *front ? attachment_find(*front, c->argument[0], c->argument[2]) : NULL;
    if (*front && !a)
        command_refuse(c, "%s has no such device", (*front)->name);
    return a;
}

/* Neither end sees it any more. */
static void take_away(const struct guest *front, struct attachment *a)
{
    struct device d;

    paths(&d, front, a);
    remove_path(d.back);
    remove_path(d.front);
    served(a, NULL);
}

bool do_undevice(struct command *c)
{
    struct guest *front;
    struct attachment *a = named(c, &front);

    if (!a)
        return false;
    take_away(front, a);
    attachment_drop(a);
    return true;
}

bool do_unplug(struct command *c)
{
    struct guest *front;
    struct attachment *a = named(c, &front);

    if (!a)
        return false;
    if (!a->away++)
        take_away(front, a);
    return true;
}

bool do_plug(struct command *c)
{
    struct guest *front;
    struct attachment *a = named(c, &front);

    if (!a || !a->away)
        return a && command_refuse(c, "it is plugged in");
    return --a->away || attach(front, a, c->why);
}
