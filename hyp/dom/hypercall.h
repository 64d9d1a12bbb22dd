/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls: the table (declared once, in hypercall.c), the way in, and what handlers share.
 *
 * The run loop calls hypercall_dispatch on a VMMCALL exit. Arguments are in v->regs by
 * Xen's convention for the guest's mode; the result is put into rax.
 */
#ifndef HYP_DOM_HYPERCALL_H
#define HYP_DOM_HYPERCALL_H

#include "hyp/dom/access.h"
#include "hyp/dom/domain.h"

/* True: done, skip the instruction. False: the call was pre-empted after bounded work; its
 * arguments in v->regs say where it goes on, and the guest must execute it again. */
bool hypercall_dispatch(struct vcpu *v);

/* A call being served. */
struct call {
    struct vcpu *v;
    u64 arg[5];  /* extended to 64 bits */
    bool compat; /* a 32-bit caller: pointers and longs inside structures have 32 bits */
};

/* A handler's result when the call must be executed again with c->arg as it now is. */
#define CALL_AGAIN (-0x7fffffffl)

typedef s64 call_fn(struct call *c);

/* One sub-operation that takes a structure of `size` bytes (0: none) in memory. */
enum {
    SUBOP_OUT = 1, /* copied back when the result is not negative */
    SUBOP_PRIVILEGED = 2
};
struct subop {
    const char *name;
    s64 (*perform)(struct call *c, void *arg);
    u16 size, compat_size; /* compat_size 0: the same */
    u8 flags;
};
enum { SUBOP_MOST = 192 }; /* bytes of the largest such structure */

/* Performs sub-operation c->arg[0] on the structure at c->arg[1]. */
s64 call_subop(struct call *c, const struct subop *ops, u32 count);

/* One hypercall. */
struct hypercall {
    const char *name;
    call_fn *fn;
};
/* For the table's own test: number `nr`, NULL above the last. */
const struct hypercall *hypercall_of(u32 nr);

call_fn call_xen_version, call_memory_op, call_console_io, call_event_channel_op, call_sched_op,
    call_grant_table_op, call_vcpu_op, call_set_timer_op, call_hvm_op, call_vm_assist,
    call_physdev_op, call_domctl, call_sysctl, call_osmosis;

/* What d prints on the emergency console, by whichever way: see console_op.c. Works in place. */
void console_say(struct domain *d, char *bytes, size_t len);
/* What it has written of a line comes out, ended or not: its last words. */
void console_flush(struct domain *d);

/* Reads a structure of the caller's at a guest-linear address. */
static inline s64 call_read(struct call *c, void *to, u64 linear, size_t len)
{
    return guest_read(c->v, to, linear, len);
}

static inline s64 call_write(struct call *c, u64 linear, const void *from, size_t len)
{
    return guest_write(c->v, linear, from, len);
}

/* Every error passes here, so that the trace says which line refused. */
s64 fail_at(s64 error, u32 line);
#define fail(error) fail_at((error), __LINE__)

#endif
