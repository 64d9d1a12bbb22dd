/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own two error classes: BUG_ON for what cannot be, panic for a machine
 * that cannot be used. Guests' mistakes never come here (domain_crash does those).
 */
#ifndef HYP_CPU_PANIC_H
#define HYP_CPU_PANIC_H

#include "base/types.h"

struct trap_frame;

/* Says why, with registers, stack, symbols and the last trace records; tells the mailbox;
 * stops every CPU. From any context. */
void panic(const char *fmt, ...) PRINTF_LIKE(1, 2) NORETURN;
void panic_trap(const struct trap_frame *f) NORETURN;

#define BUG_ON(cond)                                       \
    do {                                                   \
        if (__builtin_expect(!!(cond), 0))                 \
            panic("%s:%d: %s", __FILE__, __LINE__, #cond); \
    } while (0)

#endif
