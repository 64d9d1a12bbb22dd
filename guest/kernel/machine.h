/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the core needs from a machine, found by the linker: x86 (guest/machine/x86), a
 * Linux process (guest/machine/hosted), the Z8000, or the simulator of the tests.
 *
 * None of these may call back into the core. `n` tells nodes apart where one process
 * holds many: node_owner(n) is the machine's own pointer.
 */
#ifndef GUEST_KERNEL_MACHINE_H
#define GUEST_KERNEL_MACHINE_H

#include "guest/kernel/node.h"

enum machine_result {
    MACHINE_OK,
    MACHINE_FAULT,  /* not memory of the process, or not to be used so */
    MACHINE_LATER,  /* the page is being fetched; node_page_ready will follow */
    MACHINE_MEMORY, /* out of frames */
};

/* Time, in ns since the node started. Called only when a call has a time limit, or to
 * stamp a record. */
u64 machine_now(struct node *n);

/*
 * Copies between kernel memory and a process. All or nothing as far as the answer goes;
 * bytes before the fault may have been written. In kernel calls and node_resume the task
 * is the one whose address space is current; kernel processes name any task.
 */
enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len);
enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len);
/* Between two processes of the node (or within one), straight. */
enum machine_result machine_copy(struct node *n, struct task *to, u64 to_address,
                                 struct task *from, u64 from_address, size_t len);
/* As machine_copy, from the task whose address space is current to another one. False: it is
 * not to be had straight away; machine_copy finds out. Some bytes may have been written then,
 * but nothing that `from` may show as well: where both show a frame, the answer is false. */
bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len);
/*
 * Where the kernel itself may write the [address, +len) of a process, with `len` at most a
 * page and `address` a multiple of 8: when it is one piece, there, and the process's to write.
 * NULL: not so, or not on this machine; machine_copy_out finds out. Good until the next call into the machine.
 */
void *machine_reach(struct node *n, struct task *t, u64 address, size_t len);
/*
 * As machine_copy for whole pages, by mapping copy-on-write. Returns the bytes done, from
 * the front; what is left (maybe all) is copied. Whether the target may be written is the
 * caller's to know: a kernel that loads a program writes where the program may not.
 */
u64 machine_share(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, u64 len);
/* For reading or writing whole pages at once: bytes the machine's pages have. */
u32 machine_page_size(struct node *n);

/* An empty address space with the entry page in it. Sets t->machine. */
enum machine_result machine_space_create(struct node *n, struct task *t);
void machine_space_destroy(struct node *n, struct task *t);
/* Zero-filled memory for a new region, at once or on first touch; its removal; a change
 * of its protection. The region is in t->regions during map and protect. */
enum machine_result machine_map(struct node *n, struct task *t, const struct region *r);
void machine_unmap(struct node *n, struct task *t, const struct region *r);
void machine_protect(struct node *n, struct task *t, const struct region *r);
/* The kernel's own write into a process, whatever the protection (loading, start record). */
enum machine_result machine_load(struct node *n, struct task *t, u64 to, const void *from,
                                 size_t len);

/*
 * Pages that the core looks after (page.h): those of regions with an object. Frames are
 * numbers above 0. The machine has nothing in such a region but what it was told to map;
 * where that is not enough for an access it answers MACHINE_LATER.
 */
enum { MACHINE_FORCE = 8 }; /* beside enum region_protection: whatever the protection */

struct machine_miss {
    struct task *task;
    u64 address;
    u32 access;
};

/* What the last MACHINE_LATER was about. False: nothing of the core's; the machine fetches
 * it and calls node_page_ready. */
bool machine_missed(struct node *n, struct machine_miss *miss);
/* How many frames there are (0: this machine does not page), and how many are free now. */
u32 machine_frames(struct node *n, u32 *left);
/* A frame with one holder; 0: none is left. One more holder; one less; more than one. */
u32 machine_frame_take(struct node *n, bool zero);
void machine_frame_hold(struct node *n, u32 frame);
void machine_frame_drop(struct node *n, u32 frame);
bool machine_frame_shared(struct node *n, u32 frame);
/* Its bytes as the kernel reaches them, and its address as devices would know it. */
void *machine_frame_bytes(struct node *n, u32 frame);
u64 machine_frame_address(struct node *n, u32 frame);
/* Shows the frame at `va` as the region's protection says; without `write` the next write
 * is MACHINE_LATER. MACHINE_MEMORY: no frame for a table. Shows it no more. */
enum machine_result machine_page_map(struct node *n, struct task *t, const struct region *r,
                                     u64 va, u32 frame, bool write);
void machine_page_unmap(struct node *n, struct task *t, u64 va);
/* The frame that a region without object has at `va`, with one more holder, copied before
 * anybody writes to it; 0: none, it reads as zero. */
u32 machine_page_lend(struct node *n, struct task *t, const struct region *r, u64 va);
/* Whether such a region has anything at `va`; false: nobody ever wrote there. */
bool machine_page_there(struct node *n, struct task *t, u64 va);

/* Registers of a thread that has not run yet. Sets th->machine. */
enum machine_result machine_thread_create(struct node *n, struct thread *th);
/* The thread is gone: forget it, also when it is the one now running. */
void machine_thread_destroy(struct node *n, struct thread *th);
void machine_thread_start(struct node *n, struct thread *th, u64 entry, u64 stack,
                          u64 argument);
/* Registers as a versioned, pointer-free image: bytes needed (room 0) or written. */
size_t machine_thread_export(struct node *n, struct thread *th, void *image, size_t room);
/* False: not an image of this kind of machine. */
bool machine_thread_import(struct node *n, struct thread *th, const void *image, size_t len);

/* A trace record (types in guest/kernel/trace.h); only called while tracing is on. */
void machine_trace(struct node *n, u16 type, u32 who, u64 a, u64 b);
/* A message for a kernel process that is the machine's (KERNEL_CONSOLE, KERNEL_MACHINE,
 * KERNEL_DISK). Writes the answer's body and returns its length, at most `room`; or keeps the
 * reply (node_keep_reply) and answers later. */
size_t machine_message(struct node *n, u32 channel, struct message *m, u8 *answer, size_t room);
/* The node cannot keep its promises: say why and stop. */
NORETURN void machine_stop(struct node *n, const char *why);

#endif
