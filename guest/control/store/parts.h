/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the store share, and nobody else sees.
 */
#ifndef GUEST_CONTROL_STORE_PARTS_H
#define GUEST_CONTROL_STORE_PARTS_H

#include "guest/control/store/store.h"
#include "guest/rt/store_wire.h"

enum { XS_READ_RIGHT = 1, XS_WRITE_RIGHT = 2 };
enum xs_fire { FIRE_NONE, FIRE_EXACT, FIRE_ALL };

struct xs_perm {
    u16 domid;
    u8 rights;
};

/* A node of the tree, or of a transaction's overlay (then the second half counts). */
struct xs_node {
    struct xs_node *next; /* in its bucket */
    struct list owned;    /* its owner's nodes; in the tree only */
    u32 hash;
    u64 generation; /* of its last change, never 0 */
    u64 perms_set;  /* generation in which the permissions were set */
    char *value;
    u32 len;
    char *children; /* names, each ended by NUL */
    u32 children_len, children_room, children_coming;
    struct xs_perm *perms; /* [0] is the owner and everybody else's rights */
    u32 perm_count;
    struct list order; /* overlay: in order of changes */
    u64 base;          /* overlay: the tree's generation when first touched; 0: was absent */
    bool absent, dirty;
    u8 fire; /* enum xs_fire */
    u32 path_len;
    char path[];
};

struct xs_txn {
    struct list link; /* its connection's */
    struct xs_conn *conn;
    u32 id;
    struct xs_tree overlay;
    struct list order;
};

struct xs_domain {
    struct xs_domain *next;
    u16 domid;
    bool introduced, shut_down, has_target;
    u16 target;
    u64 born; /* permissions that were set before it do not concern it */
    u32 nodes, connections;
    u32 devices; /* of which it is the back end */
    struct list owned;
};

struct xs_watch {
    struct list link;  /* its connection's */
    struct list chain; /* its bucket's */
    struct xs_conn *conn;
    u32 hash, size;
    bool relative;
    const char *path, *token; /* both in text */
    char text[];
};

struct xs_out {
    struct list link;
    bool event;
    u32 len, taken; /* of the framed message in data */
    u8 data[];
};

struct xs_conn {
    struct xs *s;
    u16 domid;
    bool privileged;
    bool late; /* nothing may be taken yet */
    u8 fault;  /* enum xs_fault: what befell the last request */
    u32 broken;
    u32 watches, transactions, events, answers;
    struct list watch_list, txn_list, out;
    u32 got;         /* of the request coming in */
    const char *why; /* the quota that refused the last request, or NULL */
    struct xsd_sockmsg head;
    char *payload; /* head.len bytes while it comes in */
};

/* memory */
void *xs_alloc(struct xs *s, size_t size);
void xs_free(struct xs *s, void *at, size_t size);

/* node.c */
struct xs_node *xs_tree_find(const struct xs_tree *t, const char *path, u32 len);
bool xs_tree_insert(struct xs *s, struct xs_tree *t, struct xs_node *n);
void xs_tree_remove(struct xs_tree *t, struct xs_node *n);
void xs_tree_destroy(struct xs *s, struct xs_tree *t);
struct xs_node *xs_node_new(struct xs *s, const char *path, u32 len);
void xs_node_free(struct xs *s, struct xs_node *n);
bool xs_node_set_value(struct xs *s, struct xs_node *n, const char *value, u32 len);
bool xs_node_set_perms(struct xs *s, struct xs_node *n, const struct xs_perm *perms, u32 count);
bool xs_children_reserve(struct xs *s, struct xs_node *n, u32 more);
void xs_children_add(struct xs_node *n, const char *name, u32 len);
void xs_children_remove(struct xs_node *n, const char *name, u32 len);
/* The length of a path's parent: 0 for "/" and for special nodes, which have none. */
u32 xs_parent_len(const char *path, u32 len);

/* domain.c */
struct xs_domain *xs_domain_find(const struct xs *s, u16 domid);
struct xs_domain *xs_domain_need(struct xs *s, u16 domid);
/* How many devices a domain serves, by which its quotas are more. */
u32 xs_devices(const struct xs *s, u16 domid);
u32 xs_rights(const struct xs_conn *c, const struct xs_node *n);
int xs_refuse(struct xs_conn *c, const char *quota, int error);

/* txn.c */
struct xs_txn *xs_txn_new(struct xs_conn *c);
struct xs_txn *xs_txn_find(struct xs_conn *c, u32 id);
void xs_txn_drop(struct xs_txn *t);
/* The overlay's copy of a node: NULL with *error when memory or a quota refused; a copy that
 * is `absent` stands for a node that does not exist. */
struct xs_node *xs_txn_touch(struct xs_txn *t, const char *path, u32 len, int *error);
void xs_txn_dirty(struct xs_txn *t, struct xs_node *n, enum xs_fire fire);
/* As xs_txn_dirty, and behind all changes so far. */
void xs_txn_dirty_last(struct xs_txn *t, struct xs_node *n, enum xs_fire fire);
/* Calls fn for each child as the transaction sees it; stops when fn returns false. */
bool xs_txn_children(struct xs_txn *t, const struct xs_node *n,
                     bool (*fn)(void *ctx, const char *name, u32 len), void *ctx);
/* 0, XEN_EAGAIN on a conflict, or another errno; the transaction is gone in any case. */
int xs_txn_commit(struct xs_txn *t);

/* watch.c */
int xs_watch_add(struct xs_conn *c, const char *path, const char *token, bool relative);
int xs_watch_remove(struct xs_conn *c, const char *path, const char *token);
void xs_watch_free(struct xs_watch *w);
/* Tells whoever watches `n` (FIRE_ALL: or something above it) and may read it. */
void xs_watch_fire(struct xs *s, const struct xs_node *n, enum xs_fire fire);

/* conn.c */
bool xs_push(struct xs_conn *c, bool event, const struct xsd_sockmsg *head,
             const char *payload);
void xs_push_event(struct xs_watch *w, const char *path);

#endif
