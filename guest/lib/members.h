/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory manager's protocol: which machines there are, how busy they are, and links to
 * their kernels. Bodies are words; each line: words after the operation, then links that
 * travel -> words after the result, then links of the answer. Anybody may be given the plain
 * link; what steers machines is answered over the owner's only (DEMOS_E_ALLOWED).
 *
 * A machine enters by posting a link to its `member` process (MEMBER_HELLO) as "machine", or
 * "machine.PARTITION", at the cluster's switchboard.
 */
#ifndef GUEST_LIB_MEMBERS_H
#define GUEST_LIB_MEMBERS_H

#include "guest/lib/words.h"

enum members_op {
    /* index of the first wanted -> how many there are, then MEMBERS_WORDS for each of at most
     * MEMBERS_ROWS (struct member_row). Asking brings what is known up to date for the next. */
    MEMBERS_LIST = 1,
    /* machine, 0: the least busy -> machine; link to its kernel (KERNEL_PROCESS).
     * DEMOS_E_DEAD: no such machine, or it is dead. Owner. */
    MEMBERS_KERNEL = 2,
    /* machine -> when it has been declared dead and its fellows have been told. Owner. */
    MEMBERS_DEAD = 3,
};

/* To a `member` process. -> machine, epoch; HELLO, over a link it has posted: link to its
 * kernel. */
enum member_op { MEMBER_HELLO = 1, MEMBER_WHO = 2 };

enum { MEMBERS_WORDS = 6, MEMBERS_ROWS = 8 };

/* One machine, a word each. */
struct member_row {
    u64 machine, epoch;
    u64 alive;     /* 1; 0: declared dead */
    u64 ready;     /* threads that compute there, or would */
    u64 processes; /* there */
    u64 free;      /* bytes of its kernel's heap */
};

/* The rows from `first` on; how many there are in all, or an error. *count: rows filled in. */
s64 members_list(s64 memory, u64 first, struct member_row rows[MEMBERS_ROWS], u32 *count);
/* A link to a machine's kernel, or an error; *machine (in: 0 for the least busy) is whose. */
s64 members_kernel(s64 memory, u64 *machine);

#endif
