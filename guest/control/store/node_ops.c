/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of io/xs_wire.h about nodes: read, list, write, make, remove, permissions.
 * Those that change something do it in a transaction's overlay, the client's or their own.
 */
#include "base/format.h"
#include "guest/control/store/op.h"

int xs_do_read(struct op *o)
{
    struct xs_node *n;
    int error = op_one_path(o, false);

    if (!error)
        error = op_find(o, XS_READ_RIGHT, &n);
    return error ? error : op_reply(o, n->value, n->len);
}

struct listing {
    char *to;
    u32 len, skip, room;
    bool cut;
};

/* Whole names only. */
static bool list_name(void *ctx, const char *name, u32 len)
{
    struct listing *l = ctx;

    if (l->skip > len) {
        l->skip -= len + 1;
        return true;
    }
    if (l->len + len + 1 > l->room) {
        l->cut = true;
        return false;
    }
    memcpy(l->to + l->len, name, len);
    l->to[l->len + len] = 0;
    l->len += len + 1;
    return true;
}

static void list_children(struct op *o, const struct xs_node *n, struct listing *l)
{
    if (o->t) {
        xs_txn_children(o->t, n, list_name, l);
        return;
    }
    for (u32 at = 0; at < n->children_len; at += (u32)strlen(n->children + at) + 1)
        if (!list_name(l, n->children + at, (u32)strlen(n->children + at)))
            return;
}

int xs_do_directory(struct op *o)
{
    struct listing l = {.to = o->out, .room = XENSTORE_PAYLOAD_MAX};
    struct xs_node *n;
    int error = op_one_path(o, false);

    if (!error)
        error = op_find(o, XS_READ_RIGHT, &n);
    if (error)
        return error;
    list_children(o, n, &l);
    o->out_len = l.len;
    return l.cut ? XEN_E2BIG : 0;
}

/* The generation first, so that the client sees when parts do not belong together; an
 * empty name last, when there is no more. */
int xs_do_directory_part(struct op *o)
{
    struct listing l = {0};
    struct xs_node *n;
    u64 offset;
    int error;

    if (!op_strings(o, 2) || !op_number(op_string(o, 1), &offset))
        return XEN_EINVAL;
    error = op_take_path(o, o->in, false);
    if (!error)
        error = op_find(o, XS_READ_RIGHT, &n);
    if (error)
        return error;
    o->out_len = (u32)format(o->out, XENSTORE_PAYLOAD_MAX, "%lu", n->generation) + 1;
    l.to = o->out + o->out_len;
    l.room = XENSTORE_PAYLOAD_MAX - o->out_len - 1;
    l.skip = (u32)offset;
    list_children(o, n, &l);
    o->out_len += l.len;
    if (!l.cut)
        o->out[o->out_len++] = 0;
    return 0;
}

/* Makes the overlay's absent node real: owned by whoever makes it, else as its parent. */
static int become(struct op *o, struct xs_node *n, const struct xs_node *parent,
                  enum xs_fire fire)
{
    if (!xs_node_set_perms(o->c->s, n, parent->perms, parent->perm_count) ||
        !xs_node_set_value(o->c->s, n, NULL, 0))
        return XEN_ENOMEM;
    if (!o->c->privileged)
        n->perms[0].domid = o->c->domid;
    n->absent = false;
    n->perms_set = ++o->c->s->generation;
    xs_txn_dirty(o->t, n, fire);
    return 0;
}

/* The node at o->path, made with all that misses above it, if the client may write there. */
static int find_or_make(struct op *o, struct xs_node **found, bool *made)
{
    u32 len = o->path_len, up[XENSTORE_ABS_PATH_MAX / 2], depth = 0;
    struct xs_node *n, *parent;
    int error;

    *made = false;
    while (!(n = op_look(o, len, &error))) {
        if (error)
            return error;
        up[depth++] = len;
        len = xs_parent_len(o->path, len);
        if (!len)
            return XEN_ENOENT;
    }
    if (!(xs_rights(o->c, n) & XS_WRITE_RIGHT))
        return XEN_EACCES;
    *made = depth > 0;
    while (depth--) {
        parent = n;
        n = xs_txn_touch(o->t, o->path, up[depth], &error);
        if (!n)
            return error;
        error = become(o, n, parent, depth ? FIRE_NONE : FIRE_ALL);
        if (error)
            return error;
    }
    *found = n;
    return 0;
}

int xs_do_write(struct op *o)
{
    u32 path_len = (u32)strnlen(o->in, o->len), len;
    struct xs_node *n;
    bool made;
    int error;

    if (path_len == o->len)
        return XEN_EINVAL;
    error = op_take_path(o, o->in, false);
    if (error)
        return error;
    len = o->len - path_len - 1;
    if (!o->c->privileged && len > o->c->s->quota.node_size)
        return xs_refuse(o->c, "size of a node", XEN_ENOSPC);
    error = find_or_make(o, &n, &made);
    if (error)
        return error;
    if (!xs_node_set_value(o->c->s, n, o->in + path_len + 1, len))
        return XEN_ENOMEM;
    xs_txn_dirty(o->t, n, FIRE_ALL);
    return op_reply_ok(o);
}

int xs_do_mkdir(struct op *o)
{
    struct xs_node *n;
    bool made;
    int error = op_one_path(o, false);

    if (!error && op_look(o, o->path_len, &error))
        return op_reply_ok(o);
    if (!error)
        error = find_or_make(o, &n, &made);
    return error ? error : op_reply_ok(o);
}

struct doom {
    struct op *o;
    const struct xs_node *parent;
    int error;
};

/* Touches a child of what is being removed, moving it behind all that was found before. */
static bool doom_child(void *ctx, const char *name, u32 len)
{
    struct doom *d = ctx;
    char path[XENSTORE_ABS_PATH_MAX + 1];
    u32 at = d->parent->path_len;
    struct xs_node *n;

    memcpy(path, d->parent->path, at);
    path[at++] = '/';
    memcpy(path + at, name, len);
    n = xs_txn_touch(d->o->t, path, at + len, &d->error);
    if (!n)
        return false;
    d->error = 0;
    xs_txn_dirty_last(d->o->t, n, FIRE_EXACT);
    return true;
}

int xs_do_rm(struct op *o)
{
    struct doom d = {.o = o};
    struct xs_node *n, *parent;
    struct list *at;
    u32 parent_len;
    int error = op_one_path(o, false);

    if (error)
        return error;
    parent_len = xs_parent_len(o->path, o->path_len);
    if (!parent_len)
        return XEN_EINVAL;
    parent = op_look(o, parent_len, &error);
    if (error)
        return error;
    if (!op_look(o, o->path_len, &error) && !error)
        return parent ? op_reply_ok(o) : op_absent_error(o);
    if (error)
        return error;
    error = op_find(o, XS_WRITE_RIGHT, &n);
    if (error)
        return error;
    xs_txn_dirty_last(o->t, n, FIRE_ALL);
    for (at = &n->order; at != &o->t->order; at = at->next) {
        d.parent = list_entry(at, struct xs_node, order);
        if (!xs_txn_children(o->t, d.parent, doom_child, &d))
            return d.error;
    }
    for (at = &n->order; at != &o->t->order; at = at->next)
        list_entry(at, struct xs_node, order)->absent = true;
    return op_reply_ok(o);
}

int xs_do_get_perms(struct op *o)
{
    static const char letter[] = {'n', 'r', 'w', 'b'};
    struct xs_node *n;
    int error = op_one_path(o, true);

    if (!error)
        error = op_find(o, XS_READ_RIGHT, &n);
    for (u32 i = 0; !error && i < n->perm_count; i++) {
        if (o->out_len + 8 > XENSTORE_PAYLOAD_MAX)
            return XEN_E2BIG;
        o->out_len += (u32)format(o->out + o->out_len, 8, "%c%u",
                                  letter[n->perms[i].rights & 3], n->perms[i].domid) +
                      1;
    }
    return error;
}

static bool parse_perm(const char *text, struct xs_perm *p)
{
    static const u8 rights[] = {['n'] = 4, ['r'] = 5, ['w'] = 6, ['b'] = 7};
    u8 r = (u8)text[0] < sizeof(rights) ? rights[(u8)text[0]] : 0;
    u64 domid;

    if (!r || !op_number(text + 1, &domid) || domid >= DOMID_FIRST_RESERVED)
        return false;
    *p = (struct xs_perm){(u16)domid, r & 3};
    return true;
}

/* A node may not be given away but by the privileged: its new owner would be charged. */
int xs_do_set_perms(struct op *o)
{
    struct xs_perm perms[64];
    struct xs_node *n;
    u32 count = 0;
    int error;

    if (!op_strings(o, 0) || op_take_path(o, o->in, true))
        return XEN_EINVAL;
    for (const char *at = op_string(o, 1); at < o->in + o->len; at += strlen(at) + 1)
        if (count == ARRAY_SIZE(perms) || !parse_perm(at, &perms[count++]))
            return XEN_EINVAL;
    if (!count)
        return XEN_EINVAL;
    if (!o->c->privileged && count > o->c->s->quota.perms)
        return xs_refuse(o->c, "permissions of a node", XEN_ENOSPC);
    error = op_find(o, 0, &n);
    if (error)
        return error;
    if (!o->c->privileged && n->perms[0].domid != o->c->domid)
        return XEN_EACCES;
    if (!o->c->privileged && perms[0].domid != n->perms[0].domid)
        return XEN_EPERM;
    for (u32 i = 0; i < count; i++)
        if (!xs_domain_need(o->c->s, perms[i].domid))
            return XEN_ENOMEM;
    if (!xs_node_set_perms(o->c->s, n, perms, count))
        return XEN_ENOMEM;
    n->perms_set = ++o->c->s->generation;
    xs_txn_dirty(o->t, n, FIRE_ALL);
    return op_reply_ok(o);
}
