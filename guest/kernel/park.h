/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between remote.c, park.c and bulk.c: parking of messages, forwarding addresses, and the
 * messages kernels send each other.
 */
#ifndef GUEST_KERNEL_PARK_H
#define GUEST_KERNEL_PARK_H

#include "base/bytes.h"
#include "guest/kernel/core.h"

/* For links_update: whatever machine a link names. */
#define ANY_MACHINE (~0u)

/* remote.c */
struct peer *remote_peer(struct node *n, u32 machine);
/* The boot `epoch` of a machine is no more (0: whichever is the last one known). */
bool peer_gone(const struct node *n, u32 machine, u32 epoch);
u32 peer_boot(const struct node *n, u32 machine);
/* To a machine's network, or its backlog; takes the message. Whose reply links it carries
 * is told. */
void transmit(struct node *n, struct message *m, u32 machine);
/* The same for one that goes back to where its sender is: nothing changes hands. */
void transmit_back(struct node *n, struct message *m, u32 machine);
/* A message from kernel to kernel about a process, with three words. */
void kernel_send(struct node *n, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 a, u64 b, u64 c);
void kernel_fill(struct node *n, struct message *m, u32 machine, enum kernel_message kind,
                 const struct process_id *about, u64 a, u64 b, u64 c);
void kernel_about(struct message *m, const struct process_id *about);
/* kernel_send with a place for the first two words, and one more. */
void kernel_place(struct node *n, u32 machine, enum kernel_message kind,
                  const struct process_id *about, const struct place *at, u64 c);
/* To where its target is now; who did not know so is told. */
void send_on(struct node *n, const struct place *at, struct message *m);
/* Nobody has its target: that is final. */
void nobody(struct node *n, struct message *m);

/* All that goes on with other machines, which are gone for now, ends. */
void remote_forget(struct node *n);

/* past.c: a machine is a new boot of an old memory; somebody else says to have this process, which
 * is true if it has moved more often than ours. */
void past_heard(struct node *n, u32 machine, u32 epoch);
bool past_doubled(struct node *n, const struct process_id *id, const struct place *at);

/* forward.c */
struct forward *forward_find(const struct node *n, const struct process_id *id);
bool forward_set(struct node *n, const struct process_id *id, const struct place *at);
void forward_remove(struct node *n, const struct process_id *id);
void forward_newer(struct forward *f, const struct place *now);
/* Where messages go; NULL: all that is known of has died. */
const struct place *forward_way(const struct node *n, struct forward *f);
void forwards_dead(struct node *n);
void forwards_free(struct node *n);
/* It has come here from a machine that keeps an address of it (NO_MACHINE: does not). */
void trail_moved(struct node *n, struct task *t, u32 from);
/* It has ended: whoever has an address of it may forget. */
void trail_end(struct node *n, const struct task *t);

/* locate.c */
/* Takes the message, to deliver or answer it when the search is over. */
void locate(struct node *n, struct message *m);
/* A search is on for its target: it has been taken. */
bool locate_holds(struct node *n, struct message *m);
struct list *locate_waiters(const struct node *n, const struct process_id *id);
bool locate_gone(const struct node *n, const struct process_id *id);
void locate_asked(struct node *n, const struct process_id *id, const struct message *m);
void locate_answered(struct node *n, const struct process_id *id, const struct message *m);
void locate_dead(struct node *n);
/* It was on its way here all the time. */
void locate_arrived(struct node *n, const struct task *t);

/* asked.c */
/* Who waits for a boot that is no more is told so. */
void asked_check(struct node *n, struct task *t);
void asked_check_all(struct node *n);
/* A reply link of `t`, last heard of at `before`, is somewhere else now. */
void asked_held(struct node *n, struct task *t, const struct link *reply, u32 before,
                const struct place *now);
void asked_held_message(struct node *n, struct task *t, const struct message *m);
/* The process is about to: links that tell, held by others here, will be on another machine. */
void asked_leaves(struct node *n, struct task *t);
/* Reply links go to another machine; or have come with their holder to this one. */
void replies_leave(struct node *n, struct message *m, u32 machine);
void replies_arrived(struct node *n, struct task *t, u32 source);

/* park.c */
struct park *park_find(const struct node *n, const struct process_id *id);
/* The receiver's side: no room for `m`, or something before it bounced. */
bool must_bounce(struct node *n, const struct task *t, const struct message *m);
void bounce(struct node *n, struct task *t, struct message *m);
/* The sender's side: a message of ours was refused by `from`. */
void came_back(struct node *n, struct message *m, u32 from);
void fence_gone(struct node *n, u32 machine, const struct process_id *id, u32 serial);
/* Every link on this machine to `id` that knows no later word, or names `wrong`, now says
 * `at`. Returns the machine that one of them said before; NO_MACHINE: none has changed. */
u32 links_update(struct node *n, const struct process_id *id, const struct place *at,
                 u32 wrong);
/* What comes to a forwarding address waits while the way from it is made shorter. */
void park_transit(struct node *n, const struct forward *f);
void parks_dead(struct node *n, u32 machine);
void parks_free(struct node *n);

/* A process has come: messages of this machine's own wait for those sent before. */
void arrived(struct node *n, struct task *t);

void rejections_move(struct node *n, struct task *t, u32 machine);
void rejection_add(struct node *n, struct task *t, u32 machine);

/* migrate.c, arrive.c, transfer.c */
void migrate_message(struct node *n, struct message *m);
void migrate_rejecting(struct node *n, const struct process_id *id, u32 machine);
bool migrate_keep(struct node *n, struct message *m);
bool migrate_bulk_read(struct node *n, u64 transfer, u64 offset, void *buffer, size_t len);
bool migrate_bulk_write(struct node *n, u64 transfer, u64 offset, const void *data, size_t len);
void migrate_bulk_done(struct node *n, u64 transfer, bool good);
void migrate_machine_dead(struct node *n);
/* It will run here, whatever happens elsewhere. */
bool migrate_coming(const struct node *n, const struct process_id *id);
void migrate_free(struct node *n);

/* bulk.c */
/* The moves of a process that leaves: its own start again there, those of others too. */
void bulk_detach(struct node *n, struct thread *t);
/* A MOVE goes to a machine: whose answer its asker waits for. */
void bulk_leaves(struct node *n, const struct message *request, u32 machine);
void bulk_refuse(struct node *n, const struct message *request, s64 error);
void bulk_kernel_message(struct node *n, struct task *t, struct message *m);
void bulk_machine_dead(struct node *n);
void bulk_task_end(struct node *n, const struct task *t);

#endif
