/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercall table and the way in. What is not in the table answers -ENOSYS.
 */
#include "hyp/dev/trace.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/privilege.h"
#include "hyp/virt/virt.h"

#define CALL(nr, fn) [__HYPERVISOR_##nr] = {#nr, fn}
static const struct hypercall calls[] = {
    CALL(memory_op, call_memory_op),
    CALL(set_timer_op, call_set_timer_op),
    CALL(xen_version, call_xen_version),
    CALL(console_io, call_console_io),
    CALL(grant_table_op, call_grant_table_op),
    CALL(vm_assist, call_vm_assist),
    CALL(vcpu_op, call_vcpu_op),
    CALL(sched_op, call_sched_op),
    CALL(event_channel_op, call_event_channel_op),
    CALL(physdev_op, call_physdev_op),
    CALL(hvm_op, call_hvm_op),
    CALL(sysctl, call_sysctl),
    CALL(domctl, call_domctl),
    CALL(arch_7, call_osmosis),
};

const struct hypercall *hypercall_of(u32 nr)
{
    return nr < ARRAY_SIZE(calls) ? &calls[nr] : NULL;
}

s64 fail_at(s64 error, u32 line)
{
    const struct vcpu *v = current();

    trace(OSM_T_error, v->domain->id, v->id, (u64)error, line);
    return error;
}

/* The registers that carry arguments, by the caller's width (xen/arch-x86/xen-x86_*.h). */
static void get_arguments(struct call *c, const struct guest_regs *r)
{
    if (!c->compat) {
        c->arg[0] = r->rdi;
        c->arg[1] = r->rsi;
        c->arg[2] = r->rdx;
        c->arg[3] = r->r10;
        c->arg[4] = r->r8;
    } else {
        c->arg[0] = (u32)r->rbx;
        c->arg[1] = (u32)r->rcx;
        c->arg[2] = (u32)r->rdx;
        c->arg[3] = (u32)r->rsi;
        c->arg[4] = (u32)r->rdi;
    }
}

static void put_arguments(const struct call *c, struct guest_regs *r)
{
    if (!c->compat) {
        r->rdi = c->arg[0];
        r->rsi = c->arg[1];
        r->rdx = c->arg[2];
        r->r10 = c->arg[3];
        r->r8 = c->arg[4];
    } else {
        r->rbx = (u32)c->arg[0];
        r->rcx = (u32)c->arg[1];
        r->rdx = (u32)c->arg[2];
        r->rsi = (u32)c->arg[3];
        r->rdi = (u32)c->arg[4];
    }
}

bool hypercall_dispatch(struct vcpu *v)
{
    struct guest_regs *r = &v->regs;
    struct call c = {.v = v, .compat = virt_code_bits(v) != 64};
    u64 nr = c.compat ? (u32)r->rax : r->rax;
    s64 result;

    v->counters.hypercalls++;
    trace(OSM_T_hypercall, v->domain->id, v->id, nr, 0);
    if (virt_cpl(v)) {
        result = -XEN_EPERM;
    } else if (nr >= ARRAY_SIZE(calls) || !calls[nr].fn) {
        result = -XEN_ENOSYS;
    } else {
        get_arguments(&c, r);
        result = calls[nr].fn(&c);
        if (__builtin_expect(result == CALL_AGAIN, 0)) {
            put_arguments(&c, r);
            return false;
        }
    }
    r->rax = c.compat ? (u32)result : (u64)result;
    return true;
}

s64 call_subop(struct call *c, const struct subop *ops, u32 count)
{
    u64 buffer[SUBOP_MOST / 8];
    const struct subop *op;
    size_t size;
    s64 result;

    if (c->arg[0] >= count || !ops[c->arg[0]].perform)
        return fail(-XEN_ENOSYS);
    op = &ops[c->arg[0]];
    if (op->flags & SUBOP_PRIVILEGED && !may(c->v->domain, MAY_RUN_THE_MACHINE))
        return fail(-XEN_EPERM);
    size = c->compat && op->compat_size ? op->compat_size : op->size;
    if (size && call_read(c, buffer, c->arg[1], size))
        return fail(-XEN_EFAULT);
    result = op->perform(c, buffer);
    if (result >= 0 && op->flags & SUBOP_OUT && call_write(c, c->arg[1], buffer, size))
        return fail(-XEN_EFAULT);
    return result;
}
