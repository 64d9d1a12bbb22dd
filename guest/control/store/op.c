/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What all requests do: take strings, paths and numbers out of the payload, find the node
 * meant, check the client's rights to it, and answer.
 */
#include "base/format.h"
#include "guest/control/store/op.h"

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

int op_take_path(struct op *o, const char *text, bool special)
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

bool op_strings(const struct op *o, u32 count)
{
    u32 found = 0;

    if (!o->len || o->in[o->len - 1])
        return false;
    for (u32 i = 0; i < o->len; i++)
        found += !o->in[i];
    return !count || found == count;
}

const char *op_string(const struct op *o, u32 n)
{
    const char *at = o->in;

    while (n--)
        at += strlen(at) + 1;
    return at;
}

struct xs_node *op_look(struct op *o, u32 len, int *error)
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

int op_absent_error(struct op *o)
{
    u32 len = o->path_len;
    struct xs_node *n = NULL;
    int error = 0;

    while (!n && !error && (len = xs_parent_len(o->path, len)))
        n = op_look(o, len, &error);
    if (error)
        return error;
    return n && xs_rights(o->c, n) & XS_READ_RIGHT ? XEN_ENOENT : XEN_EACCES;
}

int op_find(struct op *o, u32 rights, struct xs_node **found)
{
    int error;
    struct xs_node *n = op_look(o, o->path_len, &error);

    if (error)
        return error;
    if (!n)
        return op_absent_error(o);
    *found = n;
    return (xs_rights(o->c, n) & rights) == rights ? 0 : XEN_EACCES;
}

int op_one_path(struct op *o, bool special)
{
    return op_strings(o, 1) ? op_take_path(o, o->in, special) : XEN_EINVAL;
}

int op_reply(struct op *o, const void *data, u32 len)
{
    if (len > XENSTORE_PAYLOAD_MAX)
        return XEN_E2BIG;
    if (len)
        memcpy(o->out, data, len);
    o->out_len = len;
    return 0;
}

int op_reply_text(struct op *o, const char *text)
{
    return op_reply(o, text, (u32)strlen(text) + 1);
}

int op_reply_ok(struct op *o)
{
    return op_reply_text(o, "OK");
}

bool op_number(const char *text, u64 *value)
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
