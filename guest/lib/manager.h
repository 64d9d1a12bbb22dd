/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process manager's protocol: a process is made somewhere, as its policy says
 * (guest/servers/process/). KERNEL_OP_CREATE is answered as a kernel answers it, with the
 * control link, so that a link to a manager can stand for a link to a kernel wherever
 * processes are only made (demos_spawn.kernel). Bodies are words.
 */
#ifndef GUEST_LIB_MANAGER_H
#define GUEST_LIB_MANAGER_H

#include "guest/lib/words.h"

enum manager_op {
    /* The words of KERNEL_OP_CREATE may be followed by one more: a machine, where it is to be
     * made; with MANAGER_NOT: where it is not. */
    /* ... and so on as KERNEL_OP_CREATE; [watch] -> ; control link. Made here in any case. */
    MANAGER_MAKE = 64,
    /* enum balance_message, machine whose load `value` is, value -> answer. To managers, and
     * to managers of loads; there a fourth word of a report says whose idlest that is. */
    MANAGER_ASK = 65,
    /* -> machine, load, made here, sent away, taken in, given away, questions asked */
    MANAGER_STATE = 66,
};
#define MANAGER_NOT  ((u64)1 << 63)
/* The load of a machine that takes nothing. */
#define MANAGER_GONE ((u64)1 << 32)

#endif
