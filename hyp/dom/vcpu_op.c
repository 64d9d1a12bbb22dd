/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vcpu_op (xen/vcpu.h), set_timer_op and vm_assist.
 */
#include "base/memory.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/timers.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

/* The vCPU that c->arg[1] names; call_vcpu_op has checked it. */
static struct vcpu *target(const struct call *c)
{
    return c->v->domain->vcpu[c->arg[1]];
}

static bool is_up(const struct vcpu *v)
{
    return !(__atomic_load_n(&v->sched.hold, __ATOMIC_SEQ_CST) & SCHED_HOLD_DOWN);
}

static s64 initialise(struct call *c, void *arg)
{
    struct vcpu *v = target(c);
    s64 error = 0;

    if (v->initialised || is_up(v))
        return fail(-XEN_EEXIST);
    error = vcpu_set_context(v, arg);
    if (!error)
        v->initialised = true;
    return error;
}

static s64 up(struct call *c, void *arg)
{
    (void)arg;
    if (!target(c)->initialised)
        return fail(-XEN_EINVAL);
    vcpu_up(target(c));
    return 0;
}

static s64 down(struct call *c, void *arg)
{
    struct domain *d = c->v->domain;

    (void)arg;
    /* The last one down: nobody could bring another up again, so it is a power-off. */
    vcpu_down(target(c));
    (void)d;
    return 0;
}

static s64 is_up_op(struct call *c, void *arg)
{
    (void)arg;
    return is_up(target(c));
}

/* i386 has no hole between the state and the first u64. */
static s64 get_runstate_info(struct call *c, void *arg)
{
    struct vcpu_runstate_info r;
    u32 state;

    (void)arg;
    vcpu_get_runstate(target(c), &r, clock_now_ns());
    if (!c->compat)
        return call_write(c, c->arg[2], &r, sizeof(r));
    state = (u32)r.state;
    if (call_write(c, c->arg[2], &state, 4))
        return fail(-XEN_EFAULT);
    return call_write(c, c->arg[2] + 4, &r.state_entry_time, sizeof(r) - 8);
}

static s64 register_runstate_memory_area(struct call *c, void *arg)
{
    struct vcpu *v = target(c);
    u64 linear = ((struct vcpu_register_runstate_memory_area *)arg)->addr.p;

    v->runstate_compat = c->compat;
    v->runstate_linear = c->compat ? (u32)linear : linear;
    if (v == c->v && v->runstate_linear)
        vcpu_write_runstate(v);
    return 0;
}

static s64 register_vcpu_time_memory_area(struct call *c, void *arg)
{
    struct vcpu *v = target(c);
    u64 linear = ((struct vcpu_register_time_memory_area *)arg)->addr.p;

    v->time_linear = c->compat ? (u32)linear : linear;
    if (v == c->v)
        vcpu_update_time(v);
    return 0;
}

static s64 set_periodic_timer(struct call *c, void *arg)
{
    u64 period = ((struct vcpu_set_periodic_timer *)arg)->period_ns;

    return period ? vcpu_set_periodic(target(c), period) : fail(-XEN_EINVAL);
}

static s64 stop_periodic_timer(struct call *c, void *arg)
{
    (void)arg;
    return vcpu_set_periodic(target(c), 0);
}

static s64 set_singleshot_timer(struct call *c, void *arg)
{
    const struct vcpu_set_singleshot_timer *s = arg;

    if (target(c) != c->v)
        return fail(-XEN_EINVAL);
    if (s->flags & VCPU_SSHOTTMR_future &&
        s->timeout_abs_ns < guest_time(&c->v->domain->clock, clock_now_ns()))
        return fail(-XEN_ETIME);
    vcpu_set_single(c->v, s->timeout_abs_ns ? s->timeout_abs_ns : 1);
    return 0;
}

static s64 stop_singleshot_timer(struct call *c, void *arg)
{
    (void)arg;
    if (target(c) != c->v)
        return fail(-XEN_EINVAL);
    vcpu_set_single(c->v, 0);
    return 0;
}

static s64 register_vcpu_info(struct call *c, void *arg)
{
    const struct vcpu_register_vcpu_info *r = arg;
    struct vcpu *v = target(c);
    struct vcpu_info *info;
    mfn_t frame;

    if (r->offset > PAGE_SIZE - sizeof(*info) || r->offset & 7)
        return fail(-XEN_ENXIO);
    if (__atomic_test_and_set(&v->info_registered, __ATOMIC_SEQ_CST))
        return fail(-XEN_EINVAL); /* once only */
    if (v != c->v && is_up(v)) {
        v->info_registered = false;
        return fail(-XEN_EINVAL);
    }
    if (p2m_get(v->domain, GFN(r->mfn), P2M_RW, &frame)) {
        v->info_registered = false;
        return fail(-XEN_EINVAL);
    }
    info = (struct vcpu_info *)((u8 *)frame_map(frame) + r->offset);
    if (v->info)
        memmove(info, v->info, sizeof(*info)); /* the guest may choose the same page */
    v->info_frame = frame;
    __atomic_store_n(&v->info, info, __ATOMIC_SEQ_CST);
    /* An event on its way to the old place is seen by looking everywhere. */
    info->evtchn_upcall_pending = 0;
    evtchn_look_everywhere(v);
    vcpu_update_time(v);
    return 0;
}

static s64 send_nmi(struct call *c, void *arg)
{
    (void)arg;
    vcpu_attend(target(c), VCPU_ATTN_NMI);
    return 0;
}

/* Only a domain pinned by the control tools may know; ours never are, so as Xen says. */
static s64 get_physid(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return fail(-XEN_EINVAL);
}

#define OP(op, fn, type) [VCPUOP_##op] = {#op, fn, sizeof(struct type), 0, 0}
#define OP0(op, fn)      [VCPUOP_##op] = {#op, fn, 0, 0, 0}
static const struct subop ops[] = {
    OP(initialise, initialise, vcpu_hvm_context),
    OP0(up, up),
    OP0(down, down),
    OP0(is_up, is_up_op),
    OP0(get_runstate_info, get_runstate_info),
    OP(register_runstate_memory_area, register_runstate_memory_area,
       vcpu_register_runstate_memory_area),
    OP(set_periodic_timer, set_periodic_timer, vcpu_set_periodic_timer),
    OP0(stop_periodic_timer, stop_periodic_timer),
    [VCPUOP_set_singleshot_timer] = {"set_singleshot_timer", set_singleshot_timer,
                                     sizeof(struct vcpu_set_singleshot_timer), 12, 0},
    OP0(stop_singleshot_timer, stop_singleshot_timer),
    OP(register_vcpu_info, register_vcpu_info, vcpu_register_vcpu_info),
    OP0(send_nmi, send_nmi),
    OP0(get_physid, get_physid),
    OP(register_vcpu_time_memory_area, register_vcpu_time_memory_area,
       vcpu_register_time_memory_area),
};

s64 call_vcpu_op(struct call *c)
{
    const struct domain *d = c->v->domain;
    u64 buffer[SUBOP_MOST / 8];
    const struct subop *op;
    size_t size;

    if (c->arg[0] >= ARRAY_SIZE(ops) || !ops[c->arg[0]].perform)
        return fail(-XEN_ENOSYS);
    if (c->arg[1] >= d->vcpu_count)
        return fail(-XEN_ENOENT);
    op = &ops[c->arg[0]];
    size = c->compat && op->compat_size ? op->compat_size : op->size;
    if (size && call_read(c, buffer, c->arg[2], size))
        return fail(-XEN_EFAULT);
    return op->perform(c, buffer);
}

/* The deadline is one 64-bit argument, two halves from a 32-bit caller. */
s64 call_set_timer_op(struct call *c)
{
    u64 deadline = c->compat ? (u32)c->arg[0] | c->arg[1] << 32 : c->arg[0];

    vcpu_set_timer_op(c->v, deadline);
    return 0;
}

s64 call_vm_assist(struct call *c)
{
    const u64 known = 1u << VMASST_TYPE_runstate_update_flag;
    struct domain *d = c->v->domain;

    if (c->arg[1] >= 32 || !(known & 1ull << c->arg[1]))
        return fail(-XEN_EINVAL);
    switch (c->arg[0]) {
    case VMASST_CMD_enable: d->assists |= 1u << c->arg[1]; return 0;
    case VMASST_CMD_disable: d->assists &= ~(1u << c->arg[1]); return 0;
    default: return fail(-XEN_ENOSYS);
    }
}
