/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory on its way to another machine: which bytes of a process travel, and where each has
 * its place in the stream (travel.c; for migrate.h alone).
 */
#ifndef GUEST_KERNEL_TRAVEL_H
#define GUEST_KERNEL_TRAVEL_H

#include "guest/kernel/core.h"

struct span {
    u64 base, length;
    u64 offset; /* in the stream */
};

struct travel {
    struct span *spans;
    u64 count, length;
};

/* Bytes of the regions of which anything can travel: what the process may come to need. */
u64 travel_room(const struct task *t);
/* The list of its spans, as it goes along: bytes needed, written if there is room. */
size_t travel_write(struct node *n, const struct task *t, u8 *to, size_t room);
/* Bytes of the list at the end of an image; 0: there is none. */
size_t travel_bytes(const u8 *image, size_t len);
/* Reads the list, of that many bytes; false: no memory, or not a list of this process's.
 * Whatever comes of it, travel_free is to follow. */
bool travel_read(struct node *n, const struct task *t, const u8 *list, size_t len,
                 struct travel *v);
void travel_free(struct node *n, struct travel *v);
/* Bytes that lie together from *address on, `offset` in the stream; 0: it is at its end. */
u64 travel_find(const struct travel *v, u64 offset, u64 *address);

#endif
