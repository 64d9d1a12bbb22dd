/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of a thread while it is not in the processor, and the ways between C and
 * ring 3. Included by call.S, which knows the offsets.
 */
#ifndef GUEST_MACHINE_X86_CONTEXT_H
#define GUEST_MACHINE_X86_CONTEXT_H

/* Offsets in struct context: registers in the order of guest/machine/registers.h. */
#define CONTEXT_RAX    0
#define CONTEXT_RBX    8
#define CONTEXT_RCX    16
#define CONTEXT_RDX    24
#define CONTEXT_RSI    32
#define CONTEXT_RDI    40
#define CONTEXT_RBP    48
#define CONTEXT_RSP    56
#define CONTEXT_R8     64
#define CONTEXT_R9     72
#define CONTEXT_R10    80
#define CONTEXT_R11    88
#define CONTEXT_R12    96
#define CONTEXT_R13    104
#define CONTEXT_R14    112
#define CONTEXT_R15    120
#define CONTEXT_RIP    128
#define CONTEXT_RFLAGS 136
#define CONTEXT_WHOLE  160
#define CONTEXT_THREAD 168

/* In struct thread: the words of its call. */
#define THREAD_ARGS    64

#ifndef __ASSEMBLY__
#include "guest/kernel/machine.h"
#include "guest/machine/registers.h"

/*
 * `whole`: all registers count, and IRETQ brings them back. Otherwise the thread is in a
 * kernel call: only what a call preserves counts, the rest goes back as zero.
 */
struct context {
    u64 r[REGISTERS];
    u64 whole;
    struct thread *thread;
    u8 *fp; /* FXSAVE or XSAVE area, aligned */
};

_Static_assert(offsetof(struct context, r[R_R15]) == CONTEXT_R15, "call.S");
_Static_assert(offsetof(struct context, r[R_RFLAGS]) == CONTEXT_RFLAGS, "call.S");
_Static_assert(offsetof(struct context, whole) == CONTEXT_WHOLE, "call.S");
_Static_assert(offsetof(struct context, thread) == CONTEXT_THREAD, "call.S");
_Static_assert(offsetof(struct thread, args) == THREAD_ARGS, "call.S");
_Static_assert(NODE_DONE == 0, "call.S");

/* Whose registers are, or were last, in ring 3. */
extern struct context *x86_current;
extern const u64 x86_entry_return; /* where a kernel call returns to, in the entry page */

/* To ring 3 as the context says. */
NORETURN void x86_enter(struct context *c);
/* Leaves the stack and calls x86_schedule. */
NORETURN void x86_restart(void);
void x86_syscall(void);   /* the entry of SYSCALL */
void x86_syscall32(void); /* and from 32-bit code, which there is none of */

/* --- what call.S calls --- */

/* Beside node_call itself. After any outcome but NODE_DONE, with x86_current filled in. */
NORETURN void x86_after_call(enum outcome o);
/* A system-call instruction outside the entry page; x86_current is whole. */
NORETURN void x86_foreign(void);
/* Chooses a thread and runs it, or waits for one. */
NORETURN void x86_schedule(void);
#endif

#endif
