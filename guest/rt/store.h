/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client of the xenstore (io/xs_wire.h) over the ring that every domain is given. Calls
 * wait for the answer, handling other events meanwhile; only one is under way at a time.
 * Paths may be relative to /local/domain/<own id>/. Errors are negative Xen errnos.
 */
#ifndef GUEST_RT_STORE_H
#define GUEST_RT_STORE_H

#include <stdarg.h>
#include "base/types.h"

bool rt_store_present(void);
/* Its server is to look at this domain. */
void rt_store_poke(void);
/* Reads at most room - 1 bytes and ends them with NUL; returns the value's length. */
long rt_store_read(u32 transaction, const char *path, char *value, size_t room);
long rt_store_write(u32 transaction, const char *path, const char *value);
long rt_store_printf(u32 transaction, const char *path, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The number at `path` (decimal or 0x), or a negative errno. */
long rt_store_number(u32 transaction, const char *path, u64 *value);
long rt_store_mkdir(u32 transaction, const char *path);
long rt_store_remove(u32 transaction, const char *path);
/* Children's names, each ended by NUL, one after the other; the bytes used. */
long rt_store_directory(u32 transaction, const char *path, char *names, size_t room);
/* Calls `fn` for each child's name, in as many answers of the store as that takes; for some twice where
 * children come and go meanwhile. */
typedef void rt_store_name_fn(void *arg, const char *name);
long rt_store_each(const char *path, rt_store_name_fn *fn, void *arg);
/* As the wire has them: "n0", then "r1" ... */
long rt_store_set_perms(u32 transaction, const char *path, const char *const *perms, u32 count);
/* The transaction's id, or a negative errno. */
long rt_store_begin(void);
/* -XEN_EAGAIN: somebody else changed what it read; do it all again. */
long rt_store_end(u32 transaction, bool commit);

/* Called from rt_store_poll for each change at or below `path` (and once at first). */
typedef void rt_store_watch_fn(void *arg, const char *path);
enum { RT_STORE_WATCH_PATH = 128 };
struct rt_store_watch {
    struct rt_store_watch *next;
    rt_store_watch_fn *fn;
    void *arg;
    u32 token;
    char path[RT_STORE_WATCH_PATH];
};
/* `w` belongs to the caller and must stay until it is unwatched. */
long rt_store_watch(struct rt_store_watch *w, const char *path, rt_store_watch_fn *fn,
                    void *arg);
long rt_store_unwatch(struct rt_store_watch *w);
/* Hands out the changes that have arrived; true if there were any. Call it in the main
 * loop: handlers may use the store. */
bool rt_store_poll(void);
/* Any message by its number (XS_*): for what has no function of its own. */
long rt_store_call(u32 type, u32 transaction, const char *payload, size_t len, char *reply,
                   size_t room);
void rt_store_init(void);
/* suspend.c: in another domain, whose connection knows of no watch. */
void rt_store_begin_again(void);

#endif
