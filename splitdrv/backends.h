/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back ends a domain is to be, as the toolstack has written them into its directory.
 */
#ifndef SPLITDRV_BACKENDS_H
#define SPLITDRV_BACKENDS_H

#include "base/list.h"
#include "splitdrv/device.h"

typedef void split_backend_fn(void *arg, u32 domain, u32 handle);

/* Calls `take` for each back end of the kind ("vif", "vbd"), which may ask the store. False:
 * the domain's directory has none of that kind. */
bool split_backends(const char *kind, split_backend_fn *take, void *arg);

/* One of them, at the head of its driver's own. */
struct split_backend {
    struct split_backend_list *list;
    struct list link, turn;       /* among all; in line */
    struct split_backend *beside; /* next in its row */
    u32 domain, handle;
    struct split_device bus;
};

enum { SPLIT_BACKEND_ROWS = 256 };

/* All of a kind that a domain serves: thousands, perhaps, of which few have changed at a time. */
struct split_backend_list {
    const char *kind;
    /* NULL: no memory, or the store does not know it. */
    struct split_backend *(*open)(u32 domain, u32 handle);
    /* The toolstack has taken it away; it stands on the list no more. */
    void (*close)(struct split_backend *e);
    struct list all;  /* in the order they came */
    struct list line; /* those that have changed, in the order they did */
    struct split_backend *row[SPLIT_BACKEND_ROWS]; /* by domain */
    bool changed;                                  /* any of them may have come or gone */
    struct rt_store_watch watch;
};

/* Begins with none, and watches for them. Each key that either end writes is news; who has many looks at that one alone. */
void split_backend_list_watch(struct split_backend_list *l);
/* Looks for what has come and gone when that is asked for; call after rt_store_poll. */
void split_backend_list_follow(struct split_backend_list *l);
/* The next one to be polled, of those that have changed; NULL: no more. */
struct split_backend *split_backend_list_next(struct split_backend_list *l);
/* What any of them may have waited for has come. */
void split_backend_list_news(struct split_backend_list *l);
/* Whether the domain has any of them. */
bool split_backend_list_serves(const struct split_backend_list *l, u32 domain);

#endif
