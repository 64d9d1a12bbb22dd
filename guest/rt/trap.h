/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts: one stub per vector, one frame, one table of handlers. A
 * vector without a handler ends the domain with a dump. Selectors are laid out so that
 * SYSCALL/SYSRET can be used with STAR = RT_USER32 << 48 | RT_CODE << 32.
 */
#ifndef GUEST_RT_TRAP_H
#define GUEST_RT_TRAP_H

#define RT_CODE          0x08
#define RT_DATA          0x10
#define RT_USER32        0x18 /* never entered: what SYSRET counts from */
#define RT_UDATA         0x20
#define RT_UCODE         0x28
#define RT_TSS           0x30

#define RT_VECTOR_TIMER  0xf2 /* the native machine's */
#define RT_VECTOR_UPCALL 0xf3

#ifndef __ASSEMBLY__
#include "base/types.h"

struct rt_frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8;
    u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};

/* Runs with interrupts off, on the kernel stack; changes to the frame take effect. */
typedef void rt_trap_fn(struct rt_frame *f);

/* NULL takes a handler away. */
void rt_trap_set(u32 vector, rt_trap_fn *fn);
/* Called after a handler when the frame leads back to ring 3; it need not return. */
void rt_trap_before_user(rt_trap_fn *fn);
/* Lets ring 3 raise the vector by INT (breakpoint). */
void rt_trap_allow_user(u32 vector);
void rt_trap_dump(const struct rt_frame *f);
/* Loads GDT, IDT (and on the first vCPU the TSS); each vCPU calls it once. */
void rt_trap_load(void);
void rt_trap_init(void);
#endif

#endif
