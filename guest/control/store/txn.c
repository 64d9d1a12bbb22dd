/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: an overlay of copies, made when a node is first touched, with the
 * generation the tree's node had then. A commit checks all of those, makes sure of memory
 * and quotas, and only then changes the tree, which can no longer fail.
 *
 * A directory's children are not copied: the overlay's own nodes say what came and went.
 */
#include "guest/control/store/parts.h"

struct xs_txn *xs_txn_new(struct xs_conn *c)
{
    struct xs_txn *t = xs_alloc(c->s, sizeof(*t));

    if (!t)
        return NULL;
    t->conn = c;
    list_init(&t->order);
    list_init(&t->link);
    return t;
}

struct xs_txn *xs_txn_find(struct xs_conn *c, u32 id)
{
    list_for_each(at, &c->txn_list)
    {
        struct xs_txn *t = list_entry(at, struct xs_txn, link);

        if (t->id == id)
            return t;
    }
    return NULL;
}

void xs_txn_drop(struct xs_txn *t)
{
    struct xs *s = t->conn->s;

    if (t->id) {
        t->conn->transactions--;
        s->transactions--;
    }
    list_remove(&t->link);
    xs_tree_destroy(s, &t->overlay);
    xs_free(s, t, sizeof(*t));
}

static bool copy_node(struct xs *s, struct xs_node *n, const struct xs_node *from)
{
    n->base = n->generation = from->generation;
    n->perms_set = from->perms_set;
    return xs_node_set_value(s, n, from->value, from->len) &&
           xs_node_set_perms(s, n, from->perms, from->perm_count);
}

struct xs_node *xs_txn_touch(struct xs_txn *t, const char *path, u32 len, int *error)
{
    struct xs *s = t->conn->s;
    struct xs_node *n = xs_tree_find(&t->overlay, path, len), *from;

    if (n)
        return n;
    if (!t->conn->privileged && t->overlay.count >= s->quota.transaction_nodes) {
        *error = xs_refuse(t->conn, "nodes touched by a transaction", XEN_ENOSPC);
        return NULL;
    }
    *error = XEN_ENOMEM;
    n = xs_node_new(s, path, len);
    if (!n)
        return NULL;
    from = xs_tree_find(&s->tree, path, len);
    n->absent = !from;
    if ((from && !copy_node(s, n, from)) || !xs_tree_insert(s, &t->overlay, n)) {
        xs_node_free(s, n);
        return NULL;
    }
    list_push_back(&t->order, &n->order);
    return n;
}

void xs_txn_dirty_last(struct xs_txn *t, struct xs_node *n, enum xs_fire fire)
{
    n->dirty = true;
    n->fire = MAX(n->fire, (u8)fire);
    list_remove(&n->order);
    list_push_back(&t->order, &n->order);
}

/* The order of first changes is the order of events, and puts parents before children. */
void xs_txn_dirty(struct xs_txn *t, struct xs_node *n, enum xs_fire fire)
{
    if (!n->dirty)
        xs_txn_dirty_last(t, n, fire);
    n->fire = MAX(n->fire, (u8)fire);
}

static bool is_child(const struct xs_node *n, const struct xs_node *parent)
{
    u32 len = xs_parent_len(n->path, n->path_len);

    return len == parent->path_len && memcmp(n->path, parent->path, len) == 0;
}

static struct xs_node *overlay_child(struct xs_txn *t, const struct xs_node *n,
                                     const char *name, u32 len)
{
    char path[XENSTORE_ABS_PATH_MAX + 1];
    u32 at = n->path_len;

    memcpy(path, n->path, at);
    if (at > 1)
        path[at++] = '/';
    memcpy(path + at, name, len);
    return xs_tree_find(&t->overlay, path, at + len);
}

bool xs_txn_children(struct xs_txn *t, const struct xs_node *n,
                     bool (*fn)(void *ctx, const char *name, u32 len), void *ctx)
{
    const struct xs_node *from = xs_tree_find(&t->conn->s->tree, n->path, n->path_len);

    for (u32 at = 0; from && at < from->children_len;) {
        const char *name = from->children + at;
        u32 len = (u32)strlen(name);
        const struct xs_node *child = overlay_child(t, n, name, len);

        if ((!child || !child->absent) && !fn(ctx, name, len))
            return false;
        at += len + 1;
    }
    list_for_each_safe(at, &t->order)
    {
        const struct xs_node *child = list_entry(at, struct xs_node, order);
        u32 skip = n->path_len + (n->path_len > 1);

        if (!child->absent && !child->base && is_child(child, n) &&
            !fn(ctx, child->path + skip, child->path_len - skip))
            return false;
    }
    return true;
}

static bool conflicts(const struct xs_txn *t)
{
    list_for_each(at, &t->order)
    {
        const struct xs_node *n = list_entry(at, struct xs_node, order);
        const struct xs_node *now = xs_tree_find(&t->conn->s->tree, n->path, n->path_len);

        if ((now ? now->generation : 0) != n->base)
            return true;
    }
    return false;
}

static bool created(const struct xs_node *n)
{
    return n->dirty && !n->absent && !n->base;
}

/* Where a created node's name will go: its parent in the tree, or in the overlay if the
 * parent is created as well. */
static struct xs_node *future_parent(struct xs_txn *t, const struct xs_node *n)
{
    u32 len = xs_parent_len(n->path, n->path_len);
    struct xs_node *parent = xs_tree_find(&t->conn->s->tree, n->path, len);

    return parent ? parent : xs_tree_find(&t->overlay, n->path, len);
}

static u32 name_len(const struct xs_node *n)
{
    u32 len = xs_parent_len(n->path, n->path_len);

    return n->path_len - len - (len > 1);
}

static const char *name_of(const struct xs_node *n)
{
    return n->path + n->path_len - name_len(n);
}

static void unreserve(struct xs_txn *t)
{
    list_for_each(at, &t->order)
    {
        const struct xs_node *n = list_entry(at, struct xs_node, order);

        if (created(n))
            future_parent(t, n)->children_coming = 0;
    }
}

/* Everything that may fail: quota, owners' records, room for names. */
static int prepare(struct xs_txn *t)
{
    struct xs_conn *c = t->conn;
    u64 quota = c->s->quota.nodes + (u64)XS_DEVICE_NODES * xs_devices(c->s, c->domid);
    s64 more = 0;

    list_for_each(at, &t->order)
    {
        const struct xs_node *n = list_entry(at, struct xs_node, order);

        if (!n->dirty)
            continue;
        if (!n->absent && !xs_domain_need(c->s, n->perms[0].domid))
            return XEN_ENOMEM;
        more += created(n) ? 1 : n->absent && n->base ? -1 : 0;
        if (created(n) && !xs_children_reserve(c->s, future_parent(t, n), name_len(n) + 1))
            return XEN_ENOMEM;
    }
    if (!c->privileged && more > 0 && xs_domain_find(c->s, c->domid)->nodes + (u64)more > quota)
        return xs_refuse(c, "nodes", XEN_ENOSPC);
    return 0;
}

static void set_owner(struct xs *s, struct xs_node *n, u16 domid)
{
    struct xs_domain *d = xs_domain_find(s, domid);

    list_push_back(&d->owned, &n->owned);
    d->nodes++;
}

static void drop_owner(struct xs *s, struct xs_node *n)
{
    struct xs_domain *d = xs_domain_find(s, n->perms[0].domid);

    list_remove(&n->owned);
    d->nodes--;
}

static void parent_changed(struct xs *s, const struct xs_node *n, bool added)
{
    struct xs_node *parent = xs_tree_find(&s->tree, n->path,
                                          xs_parent_len(n->path, n->path_len));

    if (!parent)
        return;
    parent->generation = s->generation;
    if (added)
        xs_children_add(parent, name_of(n), name_len(n));
    else
        xs_children_remove(parent, name_of(n), name_len(n));
}

static void apply_create(struct xs *s, struct xs_txn *t, struct xs_node *n)
{
    xs_tree_remove(&t->overlay, n);
    list_remove(&n->order);
    n->generation = ++s->generation;
    n->base = 0;
    n->dirty = false;
    xs_tree_insert(s, &s->tree, n);
    s->nodes++;
    set_owner(s, n, n->perms[0].domid);
    parent_changed(s, n, true);
    xs_watch_fire(s, n, n->fire);
    n->fire = FIRE_NONE;
}

static void apply_delete(struct xs *s, struct xs_node *now, enum xs_fire fire)
{
    s->generation++;
    parent_changed(s, now, false);
    drop_owner(s, now);
    xs_tree_remove(&s->tree, now);
    s->nodes--;
    xs_watch_fire(s, now, fire);
    xs_node_free(s, now);
}

static void apply_change(struct xs *s, struct xs_node *now, struct xs_node *n)
{
    struct xs_node old = *now;

    drop_owner(s, now);
    now->generation = ++s->generation;
    now->perms_set = n->perms_set;
    now->value = n->value;
    now->len = n->len;
    now->perms = n->perms;
    now->perm_count = n->perm_count;
    n->value = old.value;
    n->len = old.len;
    n->perms = old.perms;
    n->perm_count = old.perm_count;
    set_owner(s, now, now->perms[0].domid);
    xs_watch_fire(s, now, n->fire);
}

static void apply(struct xs *s, struct xs_txn *t)
{
    list_for_each_safe(at, &t->order)
    {
        struct xs_node *n = list_entry(at, struct xs_node, order);
        struct xs_node *now = xs_tree_find(&s->tree, n->path, n->path_len);

        if (!n->dirty)
            continue;
        if (created(n))
            apply_create(s, t, n);
        else if (n->absent && now)
            apply_delete(s, now, n->fire);
        else if (!n->absent && now)
            apply_change(s, now, n);
    }
}

int xs_txn_commit(struct xs_txn *t)
{
    int error = conflicts(t) ? XEN_EAGAIN : prepare(t);

    if (error)
        unreserve(t);
    else
        apply(t->conn->s, t);
    xs_txn_drop(t);
    return error;
}
