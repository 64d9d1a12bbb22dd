/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store knows of a domain: what it owns, since when it exists, what it may do.
 */
#include "guest/control/store/parts.h"

static struct xs_domain **slot(const struct xs *s, u16 domid)
{
    struct xs_domain *const *at = &s->domain[domid % XS_DOMAIN_BUCKETS];

    while (*at && (*at)->domid != domid)
        at = &(*at)->next;
    return (struct xs_domain **)at;
}

struct xs_domain *xs_domain_find(const struct xs *s, u16 domid)
{
    return *slot(s, domid);
}

struct xs_domain *xs_domain_need(struct xs *s, u16 domid)
{
    struct xs_domain **at = slot(s, domid), *d = *at;

    if (d)
        return d;
    d = xs_alloc(s, sizeof(*d));
    if (!d)
        return NULL;
    d->domid = domid;
    d->born = s->generation;
    list_init(&d->owned);
    *at = d;
    return d;
}

u32 xs_devices(const struct xs *s, u16 domid)
{
    const struct xs_domain *d = xs_domain_find(s, domid);

    return d ? d->devices : 0;
}

bool xs_domain_serves(struct xs *s, u16 domid, u32 devices)
{
    struct xs_domain *d = xs_domain_need(s, domid);

    if (d)
        d->devices = devices;
    return d;
}

/* Rights an old domain of the same number was given do not pass to a new one. */
static u32 listed_rights(const struct xs_conn *c, const struct xs_node *n, u16 domid)
{
    const struct xs_domain *d = xs_domain_find(c->s, domid);

    if (!d || n->perms_set >= d->born)
        for (u32 i = 1; i < n->perm_count; i++)
            if (n->perms[i].domid == domid)
                return n->perms[i].rights;
    return n->perms[0].rights;
}

u32 xs_rights(const struct xs_conn *c, const struct xs_node *n)
{
    const struct xs_domain *d;
    u32 rights;

    if (c->privileged || n->perms[0].domid == c->domid)
        return XS_READ_RIGHT | XS_WRITE_RIGHT;
    rights = listed_rights(c, n, c->domid);
    d = xs_domain_find(c->s, c->domid);
    if (d && d->has_target)
        rights |= n->perms[0].domid == d->target ? (u32)XS_READ_RIGHT | XS_WRITE_RIGHT
                                                 : listed_rights(c, n, d->target);
    return rights;
}

int xs_refuse(struct xs_conn *c, const char *quota, int error)
{
    c->why = quota;
    if (c->s->hooks.refused)
        c->s->hooks.refused(c->s->hooks.ctx, c->domid, quota);
    return error;
}

static void fire_special(struct xs *s, const char *path)
{
    const struct xs_node *n = xs_tree_find(&s->tree, path, (u32)strlen(path));

    if (n)
        xs_watch_fire(s, n, FIRE_EXACT);
}

void xs_domain_introduced(struct xs *s, u16 domid)
{
    struct xs_domain *d = xs_domain_need(s, domid);

    if (!d || d->introduced)
        return;
    d->introduced = true;
    fire_special(s, "@introduceDomain");
}

void xs_domain_shut_down(struct xs *s, u16 domid)
{
    struct xs_domain *d = xs_domain_find(s, domid);

    if (!d || d->shut_down)
        return;
    d->shut_down = true;
    fire_special(s, "@releaseDomain");
}

/* Takes a node and all below it out of the tree; watchers of the top are told. */
static void remove_tree(struct xs *s, struct xs_node *top)
{
    u32 parent_len = xs_parent_len(top->path, top->path_len);
    struct xs_node *parent = xs_tree_find(&s->tree, top->path, parent_len);

    list_push_back(&s->doomed, &top->order);
    if (parent) {
        const char *name = top->path + parent_len + (parent_len > 1);

        xs_children_remove(parent, name, (u32)strlen(name));
        parent->generation = ++s->generation;
    }
    while (!list_empty(&s->doomed)) {
        struct xs_node *n = list_entry(list_pop_front(&s->doomed), struct xs_node, order);
        struct xs_domain *owner = xs_domain_find(s, n->perms[0].domid);
        char path[XENSTORE_ABS_PATH_MAX + 1];

        for (u32 at = 0; at < n->children_len;) {
            u32 len = (u32)strlen(n->children + at);
            struct xs_node *child;

            memcpy(path, n->path, n->path_len);
            path[n->path_len] = '/';
            memcpy(path + n->path_len + 1, n->children + at, len);
            child = xs_tree_find(&s->tree, path, n->path_len + 1 + len);
            list_push_back(&s->doomed, &child->order);
            at += len + 1;
        }
        xs_watch_fire(s, n, n == top ? FIRE_ALL : FIRE_EXACT);
        xs_tree_remove(&s->tree, n);
        s->nodes--;
        owner->nodes--;
        xs_node_free(s, n);
    }
}

void xs_remove(struct xs *s, const char *path)
{
    struct xs_node *n = xs_tree_find(&s->tree, path, (u32)strlen(path));

    if (n && xs_parent_len(n->path, n->path_len))
        remove_tree(s, n);
}

/* The root and the special nodes cannot go: they fall to the server. */
static void take_back(struct xs *s, struct xs_domain *d, struct xs_node *n)
{
    struct xs_domain *self = xs_domain_find(s, s->self);

    n->perms[0].domid = s->self;
    n->generation = ++s->generation;
    list_remove(&n->owned);
    list_push_back(&self->owned, &n->owned);
    d->nodes--;
    self->nodes++;
}

/* A number that is used again must find nothing of its former bearer: neither nodes, nor
 * rights (by `born`), nor a charge. */
void xs_domain_released(struct xs *s, u16 domid)
{
    struct xs_domain *d = xs_domain_find(s, domid), **at;

    if (!d || domid == s->self)
        return;
    while (!list_empty(&d->owned)) {
        struct xs_node *n = list_entry(d->owned.next, struct xs_node, owned);

        if (xs_parent_len(n->path, n->path_len))
            remove_tree(s, n);
        else
            take_back(s, d, n);
    }
    d->introduced = d->shut_down = d->has_target = false;
    d->born = ++s->generation;
    if (!d->connections) {
        at = slot(s, domid);
        *at = d->next;
        xs_free(s, d, sizeof(*d));
    }
    fire_special(s, "@releaseDomain");
}
