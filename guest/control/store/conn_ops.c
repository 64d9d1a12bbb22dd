/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The requests of io/xs_wire.h about what a connection holds: watches and transactions.
 */
#include "base/format.h"
#include "guest/control/store/op.h"

int xs_do_watch(struct op *o)
{
    int error;
    struct xs_watch *w;

    if (!op_strings(o, 2))
        return XEN_EINVAL;
    error = op_take_path(o, o->in, true);
    if (!error)
        error = xs_watch_add(o->c, o->path, op_string(o, 1), o->relative);
    if (error)
        return error;
    w = list_entry(o->c->watch_list.prev, struct xs_watch, link);
    xs_push_event(w, o->in);
    return op_reply_ok(o);
}

int xs_do_unwatch(struct op *o)
{
    int error;

    if (!op_strings(o, 2))
        return XEN_EINVAL;
    error = op_take_path(o, o->in, true);
    if (!error)
        error = xs_watch_remove(o->c, o->path, op_string(o, 1));
    return error ? error : op_reply_ok(o);
}

int xs_do_reset_watches(struct op *o)
{
    while (!list_empty(&o->c->watch_list))
        xs_watch_free(list_entry(o->c->watch_list.next, struct xs_watch, link));
    while (!list_empty(&o->c->txn_list))
        xs_txn_drop(list_entry(o->c->txn_list.next, struct xs_txn, link));
    return op_reply_ok(o);
}

int xs_do_transaction_start(struct op *o)
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
    return op_reply_text(o, text);
}

int xs_do_transaction_end(struct op *o)
{
    int error = 0;

    if (!o->t)
        return XEN_ENOENT;
    if (!op_strings(o, 1) || (strcmp(o->in, "T") != 0 && strcmp(o->in, "F") != 0))
        return XEN_EINVAL;
    if (o->in[0] == 'T')
        error = xs_txn_commit(o->t);
    else
        xs_txn_drop(o->t);
    o->t = NULL;
    return error ? error : op_reply_ok(o);
}
