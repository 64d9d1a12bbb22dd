/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts that reach the hypervisor itself. Exceptions are bugs, except
 * at instructions that were declared to be able to fail (msr_read_safe, msr_write_safe).
 */
#ifndef HYP_CPU_TRAP_H
#define HYP_CPU_TRAP_H

#include "base/types.h"

struct trap_frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

/* Loads the interrupt table; on each CPU. */
void trap_init_cpu(void);
void trap_init(void);
/* False: the register is not there (#GP). */
bool msr_read_safe(u32 msr, u64 *value);
bool msr_write_safe(u32 msr, u64 value);

#endif
