/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An isolated child of the host system: the address space and registers of one DEMOS
 * process, run under ptrace. It holds nothing of the node but a two-page stub above the
 * user layout; the host's system calls never reach it (each one stops it first, and a
 * seccomp filter kills it should one get through), and RDTSC faults.
 *
 * The parent changes the child's memory by queued operations that the stub carries out.
 */
#ifndef GUEST_MACHINE_HOSTED_CHILD_H
#define GUEST_MACHINE_HOSTED_CHILD_H

#include <sys/types.h>
#include <sys/user.h>
#include "base/types.h"

enum child_protection { CHILD_READ = 1, CHILD_WRITE = 2, CHILD_EXECUTE = 4 };

/* x86 vectors stand for all exceptions, so that reports read the same on every machine. */
enum child_stop {
    CHILD_SYSCALL,   /* a system-call instruction; the next one is at regs.rip */
    CHILD_EXCEPTION, /* `vector`, with `address` where the vector has one */
    CHILD_INTERRUPT, /* child_interrupt or a stray signal */
    CHILD_GONE,      /* killed from outside, or by the filter */
};

struct child_op; /* one host system call for the stub */

struct child {
    pid_t pid; /* 0: there is none */
    bool registers_changed;
    u32 queued;
    struct child_op *ops; /* page shared with the stub */
    struct user_regs_struct regs;
    u32 vector;
    u64 address;
};

/* Starts an empty child whose pages will come from `memory_fd`. False when the host
 * refuses; errno says why. */
bool child_create(struct child *c, int memory_fd);
/* Ends it; harmless on a child that is gone or never was. */
void child_destroy(struct child *c);
/* Maps or remaps [at, at + len) to bytes of the memory file from `offset`; false when the
 * host refuses. All page-aligned. Takes effect at the latest when the child runs. */
bool child_map(struct child *c, u64 at, u64 len, u64 offset, unsigned protection);
bool child_unmap(struct child *c, u64 at, u64 len);
/* Runs it with c->regs (if registers_changed) until it stops, and fetches c->regs. */
enum child_stop child_run(struct child *c);
/* The host's floating-point image (XSAVE layout, at most `room` bytes); its length, or 0
 * on failure. */
size_t child_get_float(const struct child *c, void *image, size_t room);
bool child_set_float(const struct child *c, const void *image, size_t len);

#endif
