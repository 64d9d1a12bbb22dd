/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel process for a node's disks (guest/machine/protocol.h), and what it needs of the
 * machine it is linked into. Requests go to the machine, which answers when it is done.
 */
#ifndef GUEST_MACHINE_DISK_H
#define GUEST_MACHINE_DISK_H

#include "guest/kernel/node.h"
#include "guest/machine/protocol.h"

enum { DISK_REQUESTS = 8 };

struct message;

struct disk_request {
    struct disk_request *next; /* the machine's, while it has the request */
    u64 disk, sector;
    u32 bytes;
    u8 op; /* DEVICE_READ, _WRITE or _FLUSH */
    u8 *data;
    /* disk.c's own. */
    bool used, sent;
    struct link reply;
    u8 answer[8 + DEVICE_SECTORS_MOST * DEVICE_SECTOR];
};

/* The requests of one node, part of the machine's own state; zero at first. */
struct disk_table {
    struct disk_request request[DISK_REQUESTS];
};

/* As machine_message: the length of an answer, or the reply has been kept. */
size_t disk_message(struct node *n, struct message *m, u8 *answer);
/* The machine has carried a request out; error: 0 or an enum demos_error. Between two calls
 * into the core. */
void disk_request_done(struct node *n, struct disk_request *r, s64 error);

/* Found by the linker. The node's table, or NULL: this machine has no disks. */
struct disk_table *place_disks(struct node *n);
/* A disk's size; false: there is no such disk. */
bool place_disk_size(struct node *n, u64 disk, u64 *sectors, bool *readonly);
/* Begins a request, which lies within its disk; answered by disk_request_done, not from
 * inside. */
void place_disk_begin(struct node *n, struct disk_request *r);

#endif
