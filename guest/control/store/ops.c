/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which requests of io/xs_wire.h there are, who may make them, and how one is served: a request
 * inside no transaction that changes something gets one of its own, committed when it succeeds.
 */
#include "guest/control/store/op.h"

const struct xs_quota xs_default_quota = {
    .nodes = 1000,
    .node_size = 2048,
    .perms = 5,
    .watches = 128,
    .transactions = 10,
    .transaction_nodes = 1024,
    .events = 1024,
};

enum kind { PLAIN, VIEW, CHANGE }; /* sees no tree; reads it; changes it */

static const struct {
    int (*fn)(struct op *o);
    u8 kind;
    bool privileged;
} table[XS_TYPE_COUNT] = {
    [XS_CONTROL] = {xs_do_control, PLAIN, true},
    [XS_DIRECTORY] = {xs_do_directory, VIEW, false},
    [XS_READ] = {xs_do_read, VIEW, false},
    [XS_GET_PERMS] = {xs_do_get_perms, VIEW, false},
    [XS_WATCH] = {xs_do_watch, PLAIN, false},
    [XS_UNWATCH] = {xs_do_unwatch, PLAIN, false},
    [XS_TRANSACTION_START] = {xs_do_transaction_start, PLAIN, false},
    [XS_TRANSACTION_END] = {xs_do_transaction_end, VIEW, false},
    [XS_INTRODUCE] = {xs_do_introduce, PLAIN, true},
    [XS_RELEASE] = {xs_do_release, PLAIN, true},
    [XS_GET_DOMAIN_PATH] = {xs_do_get_domain_path, PLAIN, false},
    [XS_WRITE] = {xs_do_write, CHANGE, false},
    [XS_MKDIR] = {xs_do_mkdir, CHANGE, false},
    [XS_RM] = {xs_do_rm, CHANGE, false},
    [XS_SET_PERMS] = {xs_do_set_perms, CHANGE, false},
    [XS_IS_DOMAIN_INTRODUCED] = {xs_do_is_domain_introduced, PLAIN, false},
    [XS_RESUME] = {xs_do_resume, PLAIN, true},
    [XS_SET_TARGET] = {xs_do_set_target, PLAIN, true},
    [XS_RESET_WATCHES] = {xs_do_reset_watches, PLAIN, false},
    [XS_DIRECTORY_PART] = {xs_do_directory_part, VIEW, false},
};

/* Counts towards an injected fault: what befalls this request (enum xs_fault). */
static u8 injected(struct xs *s)
{
    if (!s->fault.after || --s->fault.after)
        return XS_FAULT_NONE;
    s->fault.after = s->fault.every;
    s->fault.struck++;
    return s->fault.kind;
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
    c->fault = XS_FAULT_NONE;
    if (type >= XS_TYPE_COUNT || !table[type].fn)
        return XEN_ENOSYS;
    if (table[type].privileged && !c->privileged)
        return XEN_EACCES;
    if (!c->privileged)
        c->fault = injected(c->s);
    if (c->fault == XS_FAULT_FAIL)
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
