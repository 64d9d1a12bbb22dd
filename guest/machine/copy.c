/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_copy_in and _out for machines that reach a process only through its tables.
 */
#include "guest/machine/space.h"

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    return memory_copy_in(n, t, to, from, len);
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    return memory_copy_out(n, t, to, from, len);
}
