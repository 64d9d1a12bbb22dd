/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of io/xs_wire.h, one function each, and the table that finds them.
 *
 * A request inside no transaction that changes something gets one of its own, committed
 * when it succeeds. Errors are positive Xen errnos; the wire knows their names.
 */
#include "base/format.h"
#include "guest/control/store/parts.h"

struct op {
    struct xs_conn *c;
    struct xs_txn *t; /* the client's, or the request's own; NULL for a plain read */
    const char *in;
    u32 len;
    char *out; /* XENSTORE_PAYLOAD_MAX */
    u32 out_len;
    char path[XENSTORE_ABS_PATH_MAX + 1];
    u32 path_len;
    bool relative;
};

const struct xs_quota xs_default_quota = {
    .nodes = 1000,
    .node_size = 2048,
    .perms = 5,
    .watches = 128,
    .transactions = 10,
    .transaction_nodes = 1024,
    .events = 1024,
};

static bool ok_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '/' || c == '_' || c == '@';
}

static bool ok_path(const char *path, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!ok_char(path[i]) || (i && path[i] == '/' && path[i - 1] == '/'))
            return false;
    return len == 1 || path[len - 1] != '/';
}

/* Makes the absolute path in o->path of `text`, which ends within the payload. */
static int take_path(struct op *o, const char *text, bool special)
{
    size_t len = strlen(text);

    if (!len || (text[0] == '@' && !special))
        return XEN_EINVAL;
    o->relative = text[0] != '/' && text[0] != '@';
    if (len > (o->relative ? XENSTORE_REL_PATH_MAX : XENSTORE_ABS_PATH_MAX) ||
        !ok_path(text, len))
        return XEN_EINVAL;
    o->path_len = 0;
    if (o->relative)
        o->path_len = (u32)format(o->path, sizeof(o->path), "/local/domain/%u/", o->c->domid);
    if (o->path_len + len >= sizeof(o->path))
        return XEN_EINVAL;
    memcpy(o->path + o->path_len, text, len + 1);
    o->path_len += (u32)len;
    return 0;
}

/* The payload is exactly `count` strings, or for count 0 one or more. */
static bool strings(const struct op *o, u32 count)
{
    u32 found = 0;

    if (!o->len || o->in[o->len - 1])
        return false;
    for (u32 i = 0; i < o->len; i++)
        found += !o->in[i];
    return !count || found == count;
}

static const char *string(const struct op *o, u32 n)
{
    const char *at = o->in;

    while (n--)
        at += strlen(at) + 1;
    return at;
}

/* The node at the path's first `len` bytes as this request sees it; NULL: absent (*error
 * is 0) or refused. */
static struct xs_node *look(struct op *o, u32 len, int *error)
{
    struct xs_node *n;

    *error = 0;
    if (!o->t)
        return xs_tree_find(&o->c->s->tree, o->path, len);
    n = xs_txn_touch(o->t, o->path, len, error);
    if (!n)
        return NULL;
    *error = 0;
    return n->absent ? NULL : n;
}

/* What is absent is only said to those who could have seen it. */
static int absent_error(struct op *o)
{
    u32 len = o->path_len;
    struct xs_node *n = NULL;
    int error = 0;

    while (!n && !error && (len = xs_parent_len(o->path, len)))
        n = look(o, len, &error);
    if (error)
        return error;
    return n && xs_rights(o->c, n) & XS_READ_RIGHT ? XEN_ENOENT : XEN_EACCES;
}

/* The node at o->path, on which the client has `rights`. */
static int find(struct op *o, u32 rights, struct xs_node **found)
{
    int error;
    struct xs_node *n = look(o, o->path_len, &error);

    if (error)
        return error;
    if (!n)
        return absent_error(o);
    *found = n;
    return (xs_rights(o->c, n) & rights) == rights ? 0 : XEN_EACCES;
}

static int one_path(struct op *o, bool special)
{
    return strings(o, 1) ? take_path(o, o->in, special) : XEN_EINVAL;
}

static int reply(struct op *o, const void *data, u32 len)
{
    if (len > XENSTORE_PAYLOAD_MAX)
        return XEN_E2BIG;
    if (len)
        memcpy(o->out, data, len);
    o->out_len = len;
    return 0;
}

static int reply_text(struct op *o, const char *text)
{
    return reply(o, text, (u32)strlen(text) + 1);
}

static int reply_ok(struct op *o)
{
    return reply_text(o, "OK");
}

static int op_read(struct op *o)
{
    struct xs_node *n;
    int error = one_path(o, false);

    if (!error)
        error = find(o, XS_READ_RIGHT, &n);
    return error ? error : reply(o, n->value, n->len);
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

static int op_directory(struct op *o)
{
    struct listing l = {.to = o->out, .room = XENSTORE_PAYLOAD_MAX};
    struct xs_node *n;
    int error = one_path(o, false);

    if (!error)
        error = find(o, XS_READ_RIGHT, &n);
    if (error)
        return error;
    list_children(o, n, &l);
    o->out_len = l.len;
    return l.cut ? XEN_E2BIG : 0;
}

static bool number(const char *text, u64 *value)
{
    if (!*text)
        return false;
    for (*value = 0; *text; text++) {
        if (*text < '0' || *text > '9' || *value > ~0u)
            return false;
        *value = *value * 10 + (u64)(*text - '0');
    }
    return true;
}

/* The generation first, so that the client sees when parts do not belong together; an
 * empty name last, when there is no more. */
static int op_directory_part(struct op *o)
{
    struct listing l = {0};
    struct xs_node *n;
    u64 offset;
    int error;

    if (!strings(o, 2) || !number(string(o, 1), &offset))
        return XEN_EINVAL;
    error = take_path(o, o->in, false);
    if (!error)
        error = find(o, XS_READ_RIGHT, &n);
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
    while (!(n = look(o, len, &error))) {
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

static int op_write(struct op *o)
{
    u32 path_len = (u32)strnlen(o->in, o->len), len;
    struct xs_node *n;
    bool made;
    int error;

    if (path_len == o->len)
        return XEN_EINVAL;
    error = take_path(o, o->in, false);
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
    return reply_ok(o);
}

static int op_mkdir(struct op *o)
{
    struct xs_node *n;
    bool made;
    int error = one_path(o, false);

    if (!error && look(o, o->path_len, &error))
        return reply_ok(o);
    if (!error)
        error = find_or_make(o, &n, &made);
    return error ? error : reply_ok(o);
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

static int op_rm(struct op *o)
{
    struct doom d = {.o = o};
    struct xs_node *n, *parent;
    struct list *at;
    u32 parent_len;
    int error = one_path(o, false);

    if (error)
        return error;
    parent_len = xs_parent_len(o->path, o->path_len);
    if (!parent_len)
        return XEN_EINVAL;
    parent = look(o, parent_len, &error);
    if (error)
        return error;
    if (!look(o, o->path_len, &error) && !error)
        return parent ? reply_ok(o) : absent_error(o);
    if (error)
        return error;
    error = find(o, XS_WRITE_RIGHT, &n);
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
    return reply_ok(o);
}

static int op_get_perms(struct op *o)
{
    static const char letter[] = {'n', 'r', 'w', 'b'};
    struct xs_node *n;
    int error = one_path(o, true);

    if (!error)
        error = find(o, XS_READ_RIGHT, &n);
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

    if (!r || !number(text + 1, &domid) || domid >= DOMID_FIRST_RESERVED)
        return false;
    *p = (struct xs_perm){(u16)domid, r & 3};
    return true;
}

/* A node may not be given away but by the privileged: its new owner would be charged. */
static int op_set_perms(struct op *o)
{
    struct xs_perm perms[64];
    struct xs_node *n;
    u32 count = 0;
    int error;

    if (!strings(o, 0) || take_path(o, o->in, true))
        return XEN_EINVAL;
    for (const char *at = string(o, 1); at < o->in + o->len; at += strlen(at) + 1)
        if (count == ARRAY_SIZE(perms) || !parse_perm(at, &perms[count++]))
            return XEN_EINVAL;
    if (!count)
        return XEN_EINVAL;
    if (!o->c->privileged && count > o->c->s->quota.perms)
        return xs_refuse(o->c, "permissions of a node", XEN_ENOSPC);
    error = find(o, 0, &n);
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
    return reply_ok(o);
}

static int op_watch(struct op *o)
{
    int error;
    struct xs_watch *w;

    if (!strings(o, 2))
        return XEN_EINVAL;
    error = take_path(o, o->in, true);
    if (!error)
        error = xs_watch_add(o->c, o->path, string(o, 1), o->relative);
    if (error)
        return error;
    w = list_entry(o->c->watch_list.prev, struct xs_watch, link);
    xs_push_event(w, o->in);
    return reply_ok(o);
}

static int op_unwatch(struct op *o)
{
    int error;

    if (!strings(o, 2))
        return XEN_EINVAL;
    error = take_path(o, o->in, true);
    if (!error)
        error = xs_watch_remove(o->c, o->path, string(o, 1));
    return error ? error : reply_ok(o);
}

static int op_reset_watches(struct op *o)
{
    while (!list_empty(&o->c->watch_list))
        xs_watch_free(list_entry(o->c->watch_list.next, struct xs_watch, link));
    while (!list_empty(&o->c->txn_list))
        xs_txn_drop(list_entry(o->c->txn_list.next, struct xs_txn, link));
    return reply_ok(o);
}

static int op_transaction_start(struct op *o)
{
    struct xs_conn *c = o->c;
    struct xs_txn *t;
    char text[16];

    if (!c->privileged && c->transactions >= c->s->quota.transactions)
        return xs_refuse(c, "transactions", XEN_ENOSPC);
    t = xs_txn_new(c);
    if (!t)
        return XEN_ENOMEM;
    do {
        c->s->last_transaction++;
    } while (!c->s->last_transaction || xs_txn_find(c, c->s->last_transaction));
    t->id = c->s->last_transaction;
    list_push_back(&c->txn_list, &t->link);
    c->transactions++;
    c->s->transactions++;
    format(text, sizeof(text), "%u", t->id);
    return reply_text(o, text);
}

static int op_transaction_end(struct op *o)
{
    int error = 0;

    if (!o->t)
        return XEN_ENOENT;
    if (!strings(o, 1) || (strcmp(o->in, "T") != 0 && strcmp(o->in, "F") != 0))
        return XEN_EINVAL;
    if (o->in[0] == 'T')
        error = xs_txn_commit(o->t);
    else
        xs_txn_drop(o->t);
    o->t = NULL;
    return error ? error : reply_ok(o);
}

/* String n as a domain's number. */
static bool domid_at(const struct op *o, u32 n, u16 *domid)
{
    u64 value;

    if (!number(string(o, n), &value) || value >= DOMID_FIRST_RESERVED)
        return false;
    *domid = (u16)value;
    return true;
}

static int op_introduce(struct op *o)
{
    const struct xs_hooks *h = &o->c->s->hooks;
    u64 gfn, port;
    u16 domid;
    int error;

    if (!strings(o, 3) || !domid_at(o, 0, &domid) || !number(string(o, 1), &gfn) ||
        !number(string(o, 2), &port))
        return XEN_EINVAL;
    error = h->introduce ? h->introduce(h->ctx, domid, gfn, (u32)port) : 0;
    if (error)
        return error;
    xs_domain_introduced(o->c->s, domid);
    return reply_ok(o);
}

static int op_release(struct op *o)
{
    const struct xs_hooks *h = &o->c->s->hooks;
    const struct xs_domain *d;
    u16 domid;
    int error;

    if (!strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    error = h->release ? h->release(h->ctx, domid) : 0;
    if (error)
        return error;
    xs_domain_released(o->c->s, domid);
    return reply_ok(o);
}

static int op_resume(struct op *o)
{
    struct xs_domain *d;
    u16 domid;

    if (!strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    d->shut_down = false;
    return reply_ok(o);
}

static int op_set_target(struct op *o)
{
    struct xs_domain *d;
    u16 domid, target;

    if (!strings(o, 2) || !domid_at(o, 0, &domid) || !domid_at(o, 1, &target))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    d->has_target = true;
    d->target = target;
    return reply_ok(o);
}

static int op_get_domain_path(struct op *o)
{
    char text[32];
    u16 domid;

    if (!strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    format(text, sizeof(text), "/local/domain/%u", domid);
    return reply_text(o, text);
}

static int op_is_domain_introduced(struct op *o)
{
    const struct xs_domain *d;
    u16 domid;

    if (!strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    return reply_text(o, domid == o->c->s->self || (d && d->introduced) ? "T" : "F");
}

static int op_control(struct op *o)
{
    const struct xs *s = o->c->s;
    const char *why;
    char text[160];

    if (!strings(o, 0))
        return XEN_EINVAL;
    if (strcmp(o->in, "help") == 0)
        return reply_text(o, "check help print usage");
    if (strcmp(o->in, "print") == 0)
        return reply_ok(o);
    if (strcmp(o->in, "check") == 0) {
        why = xs_check(s);
        return reply_text(o, why ? why : "OK");
    }
    if (strcmp(o->in, "usage") != 0)
        return XEN_EINVAL;
    format(text, sizeof(text), "nodes %u watches %u transactions %u connections %u bytes %lu",
           s->nodes, s->watches, s->transactions, s->connections, s->bytes);
    return reply_text(o, text);
}

enum kind { PLAIN, VIEW, CHANGE }; /* sees no tree; reads it; changes it */

static const struct {
    int (*fn)(struct op *o);
    u8 kind;
    bool privileged;
} table[XS_TYPE_COUNT] = {
    [XS_CONTROL] = {op_control, PLAIN, true},
    [XS_DIRECTORY] = {op_directory, VIEW, false},
    [XS_READ] = {op_read, VIEW, false},
    [XS_GET_PERMS] = {op_get_perms, VIEW, false},
    [XS_WATCH] = {op_watch, PLAIN, false},
    [XS_UNWATCH] = {op_unwatch, PLAIN, false},
    [XS_TRANSACTION_START] = {op_transaction_start, PLAIN, false},
    [XS_TRANSACTION_END] = {op_transaction_end, VIEW, false},
    [XS_INTRODUCE] = {op_introduce, PLAIN, true},
    [XS_RELEASE] = {op_release, PLAIN, true},
    [XS_GET_DOMAIN_PATH] = {op_get_domain_path, PLAIN, false},
    [XS_WRITE] = {op_write, CHANGE, false},
    [XS_MKDIR] = {op_mkdir, CHANGE, false},
    [XS_RM] = {op_rm, CHANGE, false},
    [XS_SET_PERMS] = {op_set_perms, CHANGE, false},
    [XS_IS_DOMAIN_INTRODUCED] = {op_is_domain_introduced, PLAIN, false},
    [XS_RESUME] = {op_resume, PLAIN, true},
    [XS_SET_TARGET] = {op_set_target, PLAIN, true},
    [XS_RESET_WATCHES] = {op_reset_watches, PLAIN, false},
    [XS_DIRECTORY_PART] = {op_directory_part, VIEW, false},
};

/* Counts towards an injected failure; true when this request is the one. */
static bool injected(struct xs *s)
{
    if (!s->fail_after || --s->fail_after)
        return false;
    s->fail_after = s->fail_every;
    return true;
}

int xs_request(struct xs_conn *c, u32 type, u32 transaction, const char *payload,
               u32 payload_len, char *out, u32 *len)
{
    struct op o; /* its path is filled when it is taken: not worth zeroing */
    int error;

    o.c = c;
    o.t = NULL;
    o.in = payload;
    o.len = payload_len;
    o.out = out;
    o.out_len = 0;
    *len = 0;
    c->why = NULL;
    if (type >= XS_TYPE_COUNT || !table[type].fn)
        return XEN_ENOSYS;
    if (table[type].privileged && !c->privileged)
        return XEN_EACCES;
    if (!c->privileged && injected(c->s))
        return XEN_EIO;
    if (transaction && table[type].kind != PLAIN) {
        o.t = xs_txn_find(c, transaction);
        if (!o.t)
            return XEN_ENOENT;
    } else if (table[type].kind == CHANGE) {
        o.t = xs_txn_new(c);
        if (!o.t)
            return XEN_ENOMEM;
    }
    error = table[type].fn(&o);
    if (!transaction && table[type].kind == CHANGE) {
        if (error)
            xs_txn_drop(o.t);
        else
            error = xs_txn_commit(o.t);
    }
    *len = o.out_len;
    return error;
}
