/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore server (io/xs_wire.h and Xen's xenstore protocol): a tree of nodes with
 * owners and permissions, transactions, watches, quotas. Pure: memory comes from the
 * caller's allocator, bytes go in by xs_feed and out by xs_take, nothing blocks.
 *
 * Every change is made in a transaction's overlay and applied at its commit, so a request
 * that fails half-way has changed nothing. Clients are hostile: each is charged for its
 * nodes, watches, transactions and what waits to be sent to it.
 */
#ifndef GUEST_CONTROL_STORE_STORE_H
#define GUEST_CONTROL_STORE_STORE_H

#include "base/list.h"
#include "hyp/abi/xen.h"

struct xs_memory {
    void *(*alloc)(void *ctx, size_t size); /* zeroed, or NULL */
    void (*free)(void *ctx, void *at, size_t size);
    void *ctx;
};

/* What befalls a request on demand (F23). */
enum xs_fault {
    XS_FAULT_NONE,
    XS_FAULT_FAIL,  /* it is not carried out; the answer is EIO */
    XS_FAULT_DELAY, /* the answer, and all behind it, waits until xs_on_time */
    XS_FAULT_LOSE   /* it is carried out; the answer never comes */
};

/* What one unprivileged domain may hold. */
struct xs_quota {
    u32 nodes, node_size, perms, watches, transactions;
    u32 transaction_nodes; /* touched by one transaction */
    u32 events;            /* watch events not yet taken; further ones are dropped */
};

/* What a domain may hold besides for each device of which it is the back end: its nodes, its
 * watches on both ends, and their events. */
enum { XS_DEVICE_NODES = 32, XS_DEVICE_WATCHES = 4, XS_DEVICE_EVENTS = 16 };

/* What the server asks of its surroundings; each may be NULL. */
struct xs_hooks {
    /* A client that may do so introduces or releases a domain: 0 or a positive Xen errno. */
    int (*introduce)(void *ctx, u16 domid, u64 gfn, u32 port);
    int (*release)(void *ctx, u16 domid);
    /* A quota refused something; `quota` names it. */
    void (*refused)(void *ctx, u16 domid, const char *quota);
    /* An injected fault holds back the answer to that domain: xs_on_time shall be called. */
    void (*late)(void *ctx, u16 domid);
    /* Something waits to be taken by that domain's connection. */
    void (*pending)(void *ctx, u16 domid);
    void *ctx;
};

enum { XS_DOMAIN_BUCKETS = 1024, XS_WATCH_BUCKETS = 1024 };

struct xs_tree {
    struct xs_node **bucket;
    u32 buckets, count;
};

struct xs {
    struct xs_memory memory;
    struct xs_quota quota;
    struct xs_hooks hooks;
    u16 self; /* the domain that serves: privileged */
    u64 generation;
    u32 last_transaction;
    struct xs_tree tree;
    struct xs_domain *domain[XS_DOMAIN_BUCKETS];
    struct list watch[XS_WATCH_BUCKETS];
    struct list doomed; /* on their way out of the tree */
    u32 nodes, watches, transactions, connections;
    size_t bytes; /* in use */
    u64 dropped;  /* events that did not fit a quota */
    struct {
        u8 kind;    /* enum xs_fault, of unprivileged clients' requests: */
        u32 after;  /* the n-th from now; 0: off */
        u32 every;  /* and each n-th behind it; 0: no other */
        u32 struck; /* so many so far */
    } fault;
};

struct xs_conn;

extern const struct xs_quota xs_default_quota;

/* False when the allocator has nothing for the root. */
bool xs_init(struct xs *s, u16 self, const struct xs_memory *memory,
             const struct xs_quota *quota, const struct xs_hooks *hooks);
/* Frees everything; connections must have been closed. */
void xs_destroy(struct xs *s);

/* A connection of `domid`; NULL when memory is out. Fires nothing. */
struct xs_conn *xs_connect(struct xs *s, u16 domid);
void xs_disconnect(struct xs_conn *c);
/* The domain now exists: @introduceDomain. It dies: its nodes go, @releaseDomain. */
void xs_domain_introduced(struct xs *s, u16 domid);
void xs_domain_released(struct xs *s, u16 domid);
/* The toolstack has made it the back end of so many devices. False: no memory. */
bool xs_domain_serves(struct xs *s, u16 domid, u32 devices);
/* Takes a node and all below it away, without asking anybody; watchers are told. */
void xs_remove(struct xs *s, const char *path);
/* It shut down but exists: @releaseDomain, once until XS_RESUME. */
void xs_domain_shut_down(struct xs *s, u16 domid);

/* Takes bytes of requests and serves them; the number of bytes it took: it takes no more
 * while an answer waits to be fetched. */
size_t xs_feed(struct xs_conn *c, const void *data, size_t len);
/* Bytes of answers and events, at most `room`. */
size_t xs_take(struct xs_conn *c, void *data, size_t room);
/* What XS_FAULT_DELAY holds back may be taken. */
void xs_on_time(struct xs_conn *c);
/* The client broke the protocol (XENSTORE_ERROR_*); it is not served any more. */
u32 xs_broken(const struct xs_conn *c);
bool xs_idle(const struct xs_conn *c); /* nothing to take */

/* One request without framing. Returns 0 with *len bytes in `reply` (of at least
 * XENSTORE_PAYLOAD_MAX), or a positive Xen errno. */
int xs_request(struct xs_conn *c, u32 type, u32 transaction, const char *payload,
               u32 payload_len, char *reply, u32 *len);
/* The next watch event of a connection used by xs_request: false when there is none. */
bool xs_next_event(struct xs_conn *c, char *path, size_t path_room, char *token,
                   size_t token_room);
/* Walks everything and compares with the counts: NULL, or what does not hold. */
const char *xs_check(const struct xs *s);

#endif
