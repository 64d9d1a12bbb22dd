/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between remote.c, park.c and bulk.c: parking of messages, forwarding addresses, and the
 * messages kernels send each other.
 */
#ifndef GUEST_KERNEL_PARK_H
#define GUEST_KERNEL_PARK_H

#include "base/bytes.h"
#include "guest/kernel/core.h"

/* remote.c */
struct peer *remote_peer(struct node *n, u32 machine);
/* To a machine's network, or its backlog; takes the message. */
void transmit(struct node *n, struct message *m, u32 machine);
/* A message from kernel to kernel about a process, with one word. */
void kernel_send(struct node *n, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 word);
void kernel_words(struct message *m, const struct process_id *about, u64 word);
bool forward_add(struct node *n, const struct process_id *id, u32 machine);
void forward_remove(struct node *n, const struct process_id *id);

/* park.c */
struct park *park_find(const struct node *n, const struct process_id *id);
/* The receiver's side: no room for `m`, or something before it bounced. */
bool must_bounce(struct node *n, const struct task *t, const struct message *m);
void bounce(struct node *n, struct task *t, struct message *m);
/* The sender's side: a message of ours was refused by `from`. */
void came_back(struct node *n, struct message *m, u32 from);
void fence_gone(struct node *n, u32 machine, const struct process_id *id);
/* Every link on this machine to `id` now says `machine`; returns how many changed. */
u32 links_update(struct node *n, const struct process_id *id, u32 machine);
void parks_dead(struct node *n, u32 machine);
void parks_free(struct node *n);

/* A process has come from `from`: messages of this machine's own wait for those before. */
void arrived(struct node *n, struct task *t, u32 from);

void rejections_move(struct node *n, struct task *t, u32 machine);
void rejection_add(struct node *n, struct task *t, u32 machine);

/* migrate.c */
void migrate_message(struct node *n, const struct process_id *id, struct message *m);
bool migrate_keep(struct node *n, struct message *m);
bool migrate_bulk_read(struct node *n, u64 transfer, u64 offset, void *buffer, size_t len);
bool migrate_bulk_write(struct node *n, u64 transfer, u64 offset, const void *data, size_t len);
void migrate_bulk_done(struct node *n, u64 transfer, bool good);
void migrate_machine_dead(struct node *n, u32 machine);
void migrate_free(struct node *n);

/* bulk.c */
/* The moves of a process that leaves: its own start again there, those of others too. */
void bulk_detach(struct node *n, struct thread *t);
void bulk_refuse(struct node *n, const struct message *request, s64 error);
void bulk_kernel_message(struct node *n, struct task *t, struct message *m);
void bulk_machine_dead(struct node *n, u32 machine);
void bulk_task_end(struct node *n, const struct task *t);

#endif
