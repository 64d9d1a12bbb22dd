/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request of io/xs_wire.h while it is served: its payload, the path it names, its answer.
 * Errors are positive Xen errnos; the wire knows their names.
 */
#ifndef GUEST_CONTROL_STORE_OP_H
#define GUEST_CONTROL_STORE_OP_H

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

/* Makes the absolute path in o->path of `text`, which ends within the payload; `special` ones
 * begin with '@'. */
int op_take_path(struct op *o, const char *text, bool special);
/* The payload is exactly `count` strings, or for count 0 one or more. */
bool op_strings(const struct op *o, u32 count);
/* String n of the payload, once op_strings has said that it is there. */
const char *op_string(const struct op *o, u32 n);
/* A decimal number below 2^36; the caller has its own limit. */
bool op_number(const char *text, u64 *value);
/* The payload is one path: taken. */
int op_one_path(struct op *o, bool special);
/* The node at the path's first `len` bytes as this request sees it; NULL: absent (*error
 * is 0) or refused. */
struct xs_node *op_look(struct op *o, u32 len, int *error);
/* What is absent is only said to those who could have seen it: XEN_ENOENT or XEN_EACCES. */
int op_absent_error(struct op *o);
/* The node at o->path, on which the client has `rights`. */
int op_find(struct op *o, u32 rights, struct xs_node **found);
/* The answer; XEN_E2BIG beyond XENSTORE_PAYLOAD_MAX. */
int op_reply(struct op *o, const void *data, u32 len);
int op_reply_text(struct op *o, const char *text);
int op_reply_ok(struct op *o);

/* The requests, each by its XS_ name; ops.c's table says who may make them. */
/* node_ops.c */
int xs_do_read(struct op *o);
int xs_do_directory(struct op *o);
int xs_do_directory_part(struct op *o);
int xs_do_write(struct op *o);
int xs_do_mkdir(struct op *o);
int xs_do_rm(struct op *o);
int xs_do_get_perms(struct op *o);
int xs_do_set_perms(struct op *o);
/* conn_ops.c */
int xs_do_watch(struct op *o);
int xs_do_unwatch(struct op *o);
int xs_do_reset_watches(struct op *o);
int xs_do_transaction_start(struct op *o);
int xs_do_transaction_end(struct op *o);
/* domain_ops.c */
int xs_do_introduce(struct op *o);
int xs_do_release(struct op *o);
int xs_do_resume(struct op *o);
int xs_do_set_target(struct op *o);
int xs_do_get_domain_path(struct op *o);
int xs_do_is_domain_introduced(struct op *o);
int xs_do_control(struct op *o);

#endif
