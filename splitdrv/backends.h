/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back ends a domain is to be, as the toolstack has written them into its directory.
 */
#ifndef SPLITDRV_BACKENDS_H
#define SPLITDRV_BACKENDS_H

#include "guest/rt/store.h"

typedef void split_backend_fn(void *arg, u32 domain, u32 handle);

/* Calls `take` for each back end of the kind ("vif", "vbd"), which may ask the store. False:
 * the domain's directory has none of that kind. */
bool split_backends(const char *kind, split_backend_fn *take, void *arg);
/*
 * What a change at or below "backend/KIND" is about. Every key that either end writes is one, so whoever
 * has many devices looks at that device alone.
 */
enum split_backend_news {
    SPLIT_BACKEND_ANY, /* of any device */
    SPLIT_BACKEND_ALL, /* of this one as a whole: it may have come or gone */
    SPLIT_BACKEND_KEY, /* a key of it: it is there */
};
enum split_backend_news split_backend_news(const char *kind, const char *path, u32 *domain,
                                           u32 *handle);

#endif
