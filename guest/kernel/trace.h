/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's trace records: types of struct osm_record from 0x8000 (hyp/abi/osmosis.h has
 * the format). `who` is the process: low 32 bits of its serial; of one that acts here and was made
 * elsewhere KERNEL_T_STRANGER, for serials are each machine's own. KERNEL_T_create says which process
 * that is. The harness checks order, loss and duplication from SEND and RECEIVE records alone.
 */
#ifndef GUEST_KERNEL_TRACE_H
#define GUEST_KERNEL_TRACE_H

#define KERNEL_T_STRANGER(machine, serial) \
    (1u << 31 | ((u32)(machine)&0x7fff) << 16 | ((u32)(serial)&0xffff))

enum kernel_trace {
    KERNEL_T_send = 0x8000, /* who: sender; a: machine << 32 | target's serial; b: sequence */
    KERNEL_T_receive,       /* who: receiver; a: sender's machine << 32 | serial; b: sequence */
    KERNEL_T_deliver,       /* into the queue: as receive */
    KERNEL_T_receivecall,   /* who asks to receive; a: channel set; b: time limit */
    KERNEL_T_createlink,    /* who; a: link number; b: spec word */
    KERNEL_T_duplink,       /* who; a: from; b: to */
    KERNEL_T_destroylink,   /* who; a: number */
    KERNEL_T_linkin,        /* who got a link in a message; a: number; b: target's serial */
    KERNEL_T_create,  /* who: made here, or moved here; a: serial; b: machine << 32 | epoch */
    KERNEL_T_end,     /* who; a: enum demos_end; b: status or reason */
    KERNEL_T_move,    /* MOVEDATA done: who; a: bytes; b: direction | mapped << 1 */
    KERNEL_T_forward, /* who: target; a: to machine; b: sequence */
    KERNEL_T_update,  /* who: target; a: its machine; b: links changed */
    KERNEL_T_bounce,  /* who: target; a: sender's machine; b: sequence */
    KERNEL_T_fence,   /* who: target; a: kind; b: machine */
    KERNEL_T_drop,    /* no such target: who; a: sender's machine << 32 | serial; b: seq. */
    KERNEL_T_notice,  /* who is told; a: enum demos_notice; b: code */
    KERNEL_T_state,   /* who; a: enum demos_process_state */
    KERNEL_T_fault,   /* who; a: reason << 32 | code; b: address */
    KERNEL_T_migrate, /* who; a: step; b: bytes of the body << 32 | machine */
    KERNEL_T_input,   /* who; a: number; b: value */
    KERNEL_T_page,    /* who: object's number; a: enum keeper_op; b: offset */
    KERNEL_T_locate,  /* who is searched for; a: machine that made it; b: epoch */
    KERNEL_T_memory,  /* a: bytes that the machine has taken away; b: that it wants to */
};

#endif
