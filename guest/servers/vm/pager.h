/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pager is asked over its service link, in words; the pages themselves go by the keeper
 * protocol (guest/kernel/keeper.h) over the link that PAGER_OPEN gives.
 */
#ifndef GUEST_SERVERS_VM_PAGER_H
#define GUEST_SERVERS_VM_PAGER_H

enum pager_op {
    PAGER_OPEN = 1, /* pages -> ; link for one kernel, with room for so many of its pages */
    PAGER_STATE =
        2, /* -> pages there are, free, given to kernels; pages read, written, refused */
};

#endif
