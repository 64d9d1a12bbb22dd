/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first nodes, the last, and the check that everything in between adds up.
 */
#include "guest/control/store/parts.h"

static bool first_node(struct xs *s, const char *path)
{
    struct xs_domain *owner = xs_domain_need(s, s->self);
    struct xs_node *n = owner ? xs_node_new(s, path, (u32)strlen(path)) : NULL;
    struct xs_perm perm = {s->self, 0};

    if (!n)
        return false;
    if (!xs_node_set_perms(s, n, &perm, 1) || !xs_tree_insert(s, &s->tree, n)) {
        xs_node_free(s, n);
        return false;
    }
    n->generation = n->perms_set = ++s->generation;
    list_push_back(&owner->owned, &n->owned);
    owner->nodes++;
    s->nodes++;
    return true;
}

bool xs_init(struct xs *s, u16 self, const struct xs_memory *memory,
             const struct xs_quota *quota, const struct xs_hooks *hooks)
{
    *s = (struct xs){.memory = *memory, .quota = *quota, .self = self};
    if (hooks)
        s->hooks = *hooks;
    list_init(&s->doomed);
    for (u32 i = 0; i < XS_WATCH_BUCKETS; i++)
        list_init(&s->watch[i]);
    if (first_node(s, "/") && first_node(s, "@introduceDomain") &&
        first_node(s, "@releaseDomain"))
        return true;
    xs_destroy(s);
    return false;
}

void xs_destroy(struct xs *s)
{
    xs_tree_destroy(s, &s->tree);
    for (u32 i = 0; i < XS_DOMAIN_BUCKETS; i++)
        for (struct xs_domain *d = s->domain[i], *next; d; d = next) {
            next = d->next;
            xs_free(s, d, sizeof(*d));
        }
}

static const char *check_node(const struct xs *s, const struct xs_node *n)
{
    u32 parent_len = xs_parent_len(n->path, n->path_len);
    const struct xs_node *parent = xs_tree_find(&s->tree, n->path, parent_len);
    const char *name = n->path + parent_len + (parent_len > 1);
    u32 found = 0;

    if (!xs_domain_find(s, n->perms[0].domid))
        return "a node's owner is unknown";
    if (!n->generation || n->children_coming)
        return "a node was left half-made";
    if (!parent_len)
        return NULL;
    if (!parent)
        return "a node has no parent";
    for (u32 at = 0; at < parent->children_len; at += (u32)strlen(parent->children + at) + 1)
        found += strcmp(parent->children + at, name) == 0;
    return found == 1 ? NULL : "a parent does not list its child once";
}

const char *xs_check(const struct xs *s)
{
    u32 nodes = 0, names = 0, charged = 0, watches = 0;
    const char *why = NULL;

    for (u32 i = 0; !why && i < s->tree.buckets; i++)
        for (const struct xs_node *n = s->tree.bucket[i]; !why && n; n = n->next) {
            nodes++;
            for (u32 at = 0; at < n->children_len; at += (u32)strlen(n->children + at) + 1)
                names++;
            why = check_node(s, n);
        }
    for (u32 i = 0; i < XS_DOMAIN_BUCKETS; i++)
        for (const struct xs_domain *d = s->domain[i]; d; d = d->next)
            charged += d->nodes;
    for (u32 i = 0; i < XS_WATCH_BUCKETS; i++)
        list_for_each(at, &s->watch[i]) watches++;
    if (why)
        return why;
    if (nodes != s->nodes || nodes != s->tree.count || nodes != charged)
        return "the count of nodes is wrong";
    if (names != nodes - 3) /* all but the root and the two special nodes */
        return "children are listed that do not exist";
    return watches == s->watches ? NULL : "the count of watches is wrong";
}
