/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a suspended domain is made of, as a file of whole pages: a head, the vCPUs' context
 * (xen/hvm/save.h), the numbers of the pages that hold something, and those pages. It is kept in
 * pages of our own under a key, and can come from outside: then nothing in it is believed before
 * snapshot_check.
 *
 * A life that is kept goes on once: in place, or in the first domain that is made of it. Every
 * later one is told that it comes from the past.
 */
#ifndef GUEST_CONTROL_SNAPSHOT_H
#define GUEST_CONTROL_SNAPSHOT_H

#include "guest/control/control.h"

enum {
    SNAPSHOT_PAGE = 4096,
    SNAPSHOTS_MOST = 16,
    SNAPSHOT_VERSION = 1,
    SNAPSHOT_FRAMES_MOST = 1 << 20,
};
#define SNAPSHOT_MAGIC 0x31504e534d534f00ull /* bytes 0, OSMSNP1 */

/* The first page of the file. */
struct snapshot_head {
    u64 magic;
    u32 version, vcpus;
    u64 sum; /* of all pages' words by mix.h, this one 0 */
    u64 life;
    u64 memory; /* of the domain, bytes */
    u32 frames; /* of the file, this one included */
    u32 pages;  /* of the domain, the last of them */
    u64 context_bytes;
    char name[NAME_MOST + 1];
    char image[64];
};

struct snapshot {
    struct list link;
    char key[NAME_MOST + 1];
    u32 frames;
    u8 **frame;
    bool ours; /* made here: whether its life has gone on is known */
    bool gone_on;
    bool whole; /* its head may be believed */
};

struct snapshot *snapshot_find(const char *key);
/* An empty one of so many frames, in place of what the key meant before; NULL: no memory, or too
 * many of them. */
struct snapshot *snapshot_new(const char *key, u32 frames);
void snapshot_drop(struct snapshot *s);
const struct snapshot_head *snapshot_head(const struct snapshot *s);
/* Which of its frames is the first of the domain's pages. */
u64 snapshot_data_at(const struct snapshot_head *h);
/* It is complete, and not to be written any more. */
void snapshot_seal(struct snapshot *s);
/* Of a domain that is suspended. NULL: `why` says why not. */
struct snapshot *snapshot_take(const struct guest *g, const char *key, char *why);
/* False: it is not one, or not of such a domain as `g` describes. */
bool snapshot_check(struct snapshot *s, const struct guest *g, char *why);
/* Into the memory and the vCPUs of a domain that was just made. 0 or a negative errno. */
long snapshot_place(const struct snapshot *s, u16 domid);
/* The life goes on. False: it has done so before. */
bool snapshot_go_on(struct snapshot *s);

#endif
