/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes a process's life repeatable: every result that its messages do not imply is
 * an input with a number. A recorder sees them as they happen; a replay feeds them back.
 */
#include "guest/kernel/core.h"

void input(struct node *n, struct task *t, s64 value)
{
    t->inputs++;
    trace(n, KERNEL_T_input, t->id.serial, t->inputs, (u64)value);
}
