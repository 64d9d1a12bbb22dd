/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: the table (declared once, in hypercall.c) and the way in.
 *
 * The run loop calls hypercall_dispatch on a VMMCALL exit. Arguments are in v->regs by
 * Xen's convention for the guest's mode; the result is put into rax.
 */
#ifndef HYP_DOM_HYPERCALL_H
#define HYP_DOM_HYPERCALL_H

#include "hyp/dom/domain.h"

/* True: done, skip the instruction. False: the call was pre-empted after bounded work; its
 * arguments in v->regs say where it goes on, and the guest must execute it again. */
bool hypercall_dispatch(struct vcpu *v);

/* Arguments of a call, extended to 64 bits. */
struct call {
    struct vcpu *v;
    u64 arg[5];
    bool compat; /* a 32-bit caller: pointers and longs inside structures are 32 bits */
};

/* A handler's result when the call must be executed again with c->arg as it now is. */
#define CALL_AGAIN (-0x7fffffffl)

typedef s64 call_fn(struct call *c);
call_fn call_xen_version, call_memory_op, call_console_io, call_event_channel_op, call_sched_op,
    call_grant_table_op, call_vcpu_op, call_set_timer_op, call_hvm_op, call_vm_assist,
    call_physdev_op, call_domctl, call_sysctl, call_osmosis, call_sched_op_compat,
    call_event_channel_op_compat, call_physdev_op_compat, call_multicall;

/* Every error passes here, so that the trace says which line refused. */
s64 fail_at(s64 error, u32 line);
#define fail(error) fail_at((error), __LINE__)

#endif
