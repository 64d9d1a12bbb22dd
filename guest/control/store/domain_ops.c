/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of io/xs_wire.h about domains, and XS_CONTROL.
 */
#include "base/format.h"
#include "guest/control/store/op.h"

/* String n as a domain's number. */
static bool domid_at(const struct op *o, u32 n, u16 *domid)
{
    u64 value;

    if (!op_number(op_string(o, n), &value) || value >= DOMID_FIRST_RESERVED)
        return false;
    *domid = (u16)value;
    return true;
}

int xs_do_introduce(struct op *o)
{
    const struct xs_hooks *h = &o->c->s->hooks;
    u64 gfn, port;
    u16 domid;
    int error;

    if (!op_strings(o, 3) || !domid_at(o, 0, &domid) || !op_number(op_string(o, 1), &gfn) ||
        !op_number(op_string(o, 2), &port))
        return XEN_EINVAL;
    error = h->introduce ? h->introduce(h->ctx, domid, gfn, (u32)port) : 0;
    if (error)
        return error;
    xs_domain_introduced(o->c->s, domid);
    return op_reply_ok(o);
}

int xs_do_release(struct op *o)
{
    const struct xs_hooks *h = &o->c->s->hooks;
    const struct xs_domain *d;
    u16 domid;
    int error;

    if (!op_strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    error = h->release ? h->release(h->ctx, domid) : 0;
    if (error)
        return error;
    xs_domain_released(o->c->s, domid);
    return op_reply_ok(o);
}

int xs_do_resume(struct op *o)
{
    struct xs_domain *d;
    u16 domid;

    if (!op_strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    d->shut_down = false;
    return op_reply_ok(o);
}

int xs_do_set_target(struct op *o)
{
    struct xs_domain *d;
    u16 domid, target;

    if (!op_strings(o, 2) || !domid_at(o, 0, &domid) || !domid_at(o, 1, &target))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    if (!d || !d->introduced)
        return XEN_ENOENT;
    d->has_target = true;
    d->target = target;
    return op_reply_ok(o);
}

int xs_do_get_domain_path(struct op *o)
{
    char text[32];
    u16 domid;

    if (!op_strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    format(text, sizeof(text), "/local/domain/%u", domid);
    return op_reply_text(o, text);
}

int xs_do_is_domain_introduced(struct op *o)
{
    const struct xs_domain *d;
    u16 domid;

    if (!op_strings(o, 1) || !domid_at(o, 0, &domid))
        return XEN_EINVAL;
    d = xs_domain_find(o->c->s, domid);
    return op_reply_text(o, domid == o->c->s->self || (d && d->introduced) ? "T" : "F");
}

int xs_do_control(struct op *o)
{
    const struct xs *s = o->c->s;
    const char *why;
    char text[160];

    if (!op_strings(o, 0))
        return XEN_EINVAL;
    if (strcmp(o->in, "help") == 0)
        return op_reply_text(o, "check help print usage");
    if (strcmp(o->in, "print") == 0)
        return op_reply_ok(o);
    if (strcmp(o->in, "check") == 0) {
        why = xs_check(s);
        return op_reply_text(o, why ? why : "OK");
    }
    if (strcmp(o->in, "usage") != 0)
        return XEN_EINVAL;
    format(text, sizeof(text), "nodes %u watches %u transactions %u connections %u bytes %lu",
           s->nodes, s->watches, s->transactions, s->connections, s->bytes);
    return op_reply_text(o, text);
}
