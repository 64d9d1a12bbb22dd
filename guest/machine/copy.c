/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_hand, machine_copy_in and _out for machines that reach a process only through its tables.
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

bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len)
{
    return !space_meet(to->machine, to_address, from->machine, from_address, len) &&
           machine_copy(n, to, to_address, from, from_address, len) == MACHINE_OK;
}
