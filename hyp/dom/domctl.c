/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domctl (xen/domctl.h): the control domain's operations on others. The structure is read
 * once, performed on a referenced domain, and written back.
 */
#include "base/memory.h"
#include "hyp/dom/context.h"
#include "hyp/dom/devices.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/info.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/vcpu.h"

/* Performs on d; the result goes to the caller, the structure too if it is not negative. */
typedef s64 domctl_fn(struct call *c, struct domain *d, struct xen_domctl *op);

static s64 create(struct call *c, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *p = &op->u.createdomain;
    domid_t id = op->domain;
    struct domain *d;
    s64 error;

    (void)c;
    if (!(p->flags & XEN_DOMCTL_CDF_hvm) ||
        p->flags & ~(u32)(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_xs_domain |
                          XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_oos_off))
        return fail(-XEN_EINVAL);
    if (p->arch.emulation_flags & ~XEN_X86_EMU_LAPIC || p->cpupool_id)
        return fail(-XEN_EINVAL);
    if (p->max_grant_frames == 0 || XEN_DOMCTL_GRANT_version(p->grant_opts) > 1)
        return fail(-XEN_EINVAL);
    if (!id || id >= DOMID_FIRST_RESERVED)
        id = domain_free_id();
    if (id == DOMID_INVALID)
        return fail(-XEN_ENOSPC);
    error = domain_create(id, p->max_vcpus,
                          p->max_evtchn_port == ~0u ? 0 : p->max_evtchn_port + 1,
                          p->max_grant_frames < 0 ? 0 : (u32)p->max_grant_frames, &d);
    if (error)
        return fail(error);
    memcpy(d->handle, p->handle, sizeof(d->handle));
    d->is_store = p->flags & XEN_DOMCTL_CDF_xs_domain;
    op->domain = id;
    return 0;
}

static s64 destroy(struct call *c, struct domain *d, struct xen_domctl *op)
{
    s64 error;

    (void)op;
    if (d == c->v->domain)
        return fail(-XEN_EINVAL);
    error = domain_destroy(d);
    return error == -XEN_ERESTART || error == -XEN_EAGAIN ? CALL_AGAIN : error;
}

static s64 pause(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)op;
    if (d == c->v->domain)
        return fail(-XEN_EINVAL);
    domain_pause(d);
    return 0;
}

static s64 unpause(struct call *c, struct domain *d, struct xen_domctl *op)
{
    s64 error = domain_unpause(d);

    (void)c;
    (void)op;
    return error ? fail(error) : 0;
}

static s64 resume(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)op;
    return d == c->v->domain ? fail(-XEN_EINVAL) : domain_resume(d);
}

static s64 get_info(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    domain_info(d, &op->u.getdomaininfo);
    op->domain = d->id;
    return 0;
}

static s64 max_mem(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    /* Below what it has is allowed, as on Xen: it may only shrink then. */
    d->frames_max = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);
    return 0;
}

static s64 max_vcpus(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    if (op->u.max_vcpus.max != d->vcpu_max)
        return fail(-XEN_EINVAL);
    while (d->vcpu_count < d->vcpu_max) {
        int error = vcpu_create(d, d->vcpu_count);

        if (error)
            return fail(error);
    }
    return 0;
}

static s64 set_handle(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
    return 0;
}

static s64 set_time_offset(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    d->time_offset_s = op->u.settimeoffset.time_offset_seconds;
    domain_update_wall(d);
    return 0;
}

static s64 hypercall_init(struct call *c, struct domain *d, struct xen_domctl *op)
{
    return context_hypercall_page(c, d, op->u.hypercall_init.gmfn);
}

static s64 set_target(struct call *c, struct domain *d, struct xen_domctl *op)
{
    struct domain *target = domain_find(op->u.set_target.target);
    s64 error = 0;

    (void)c;
    if (!target)
        return fail(-XEN_ESRCH);
    if (target == d)
        error = fail(-XEN_EINVAL);
    else
        d->target = target->id + 1u;
    domain_put(target);
    return error;
}

static s64 set_virq_handler(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    if (op->u.set_virq_handler.virq >= NR_VIRQS)
        return fail(-XEN_EINVAL);
    evtchn_set_virq_handler(op->u.set_virq_handler.virq, d);
    return 0;
}

static s64 soft_reset(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)op;
    if (d == c->v->domain)
        return fail(-XEN_EINVAL);
    return evtchn_reset(d);
}

/* --- scheduling ---------------------------------------------------------------------------------- */

static s64 scheduler(struct call *c, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

    (void)c;
    if (s->sched_id != XEN_SCHEDULER_CREDIT)
        return fail(-XEN_EINVAL);
    switch (s->cmd) {
    case XEN_DOMCTL_SCHEDOP_getinfo:
        s->u.credit.weight = (u16)d->sched.weight;
        s->u.credit.cap = (u16)d->sched.cap;
        return 0;
    case XEN_DOMCTL_SCHEDOP_putinfo:
        /* As Xen: weight 0 and cap 65535 mean "as it is". */
        if (!sched_group_set(
                &d->sched, s->u.credit.weight ? s->u.credit.weight : d->sched.weight,
                s->u.credit.cap != 0xffff ? s->u.credit.cap : d->sched.cap, clock_now_ns()))
            return fail(-XEN_EINVAL);
        return 0;
    default: return fail(-XEN_EINVAL);
    }
}

static s64 read_cpus(struct call *c, const struct xenctl_bitmap *map, u64 *cpus)
{
    u32 bits = MIN(map->nr_bits, 64u);

    *cpus = 0;
    if (bits && call_read(c, cpus, (u64)map->bitmap.p, (bits + 7) / 8))
        return fail(-XEN_EFAULT);
    if (bits < 64)
        *cpus &= (1ull << bits) - 1;
    return 0;
}

static s64 write_cpus(struct call *c, const struct xenctl_bitmap *map, u64 cpus)
{
    u8 bytes[64] = {0};
    u32 len = MIN((map->nr_bits + 7) / 8, (u32)sizeof(bytes));

    memcpy(bytes, &cpus, sizeof(cpus));
    return len ? call_write(c, (u64)map->bitmap.p, bytes, len) : 0;
}

static u64 all_cpus(void)
{
    return cpu_count() >= 64 ? ~0ull : (1ull << cpu_count()) - 1;
}

static s64 set_affinity(struct call *c, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    u64 hard, soft;
    struct vcpu *v;

    if (a->vcpu >= d->vcpu_count)
        return fail(-XEN_ESRCH);
    if (!a->flags ||
        a->flags & ~(XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT | XEN_VCPUAFFINITY_FORCE))
        return fail(-XEN_EINVAL);
    v = d->vcpu[a->vcpu];
    if (a->flags & XEN_VCPUAFFINITY_FORCE)
        v->pinned_affinity = 0;
    if (a->flags & XEN_VCPUAFFINITY_HARD) {
        if (read_cpus(c, &a->cpumap_hard, &hard))
            return fail(-XEN_EFAULT);
        if (!(hard & all_cpus()))
            return fail(-XEN_EINVAL);
        if (v->pinned_affinity)
            return fail(-XEN_EBUSY);
        vcpu_set_affinity(v, hard);
        if (write_cpus(c, &a->cpumap_hard, hard & all_cpus()))
            return fail(-XEN_EFAULT);
    }
    if (a->flags & XEN_VCPUAFFINITY_SOFT) {
        if (read_cpus(c, &a->cpumap_soft, &soft))
            return fail(-XEN_EFAULT);
        v->soft_affinity = soft; /* kept for its reader; one kind of memory, no preference */
        if (write_cpus(c, &a->cpumap_soft, soft & v->sched.affinity & all_cpus()))
            return fail(-XEN_EFAULT);
    }
    return 0;
}

static s64 get_affinity(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_vcpuaffinity *a = &op->u.vcpuaffinity;
    const struct vcpu *v;

    if (a->vcpu >= d->vcpu_count)
        return fail(-XEN_ESRCH);
    v = d->vcpu[a->vcpu];
    if (a->flags & XEN_VCPUAFFINITY_HARD && write_cpus(c, &a->cpumap_hard, v->sched.affinity))
        return fail(-XEN_EFAULT);
    if (a->flags & XEN_VCPUAFFINITY_SOFT &&
        write_cpus(c, &a->cpumap_soft, v->soft_affinity ? v->soft_affinity : ~0ull))
        return fail(-XEN_EFAULT);
    return 0;
}

static s64 get_vcpu_info(struct call *c, struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_getvcpuinfo *g = &op->u.getvcpuinfo;
    const struct vcpu *v;

    (void)c;
    if (g->vcpu >= d->vcpu_max)
        return fail(-XEN_EINVAL);
    if (g->vcpu >= d->vcpu_count)
        return fail(-XEN_ESRCH);
    v = d->vcpu[g->vcpu];
    g->online = !(v->sched.hold & SCHED_HOLD_DOWN);
    g->blocked = !!(v->sched.hold & SCHED_HOLD_BLOCKED);
    g->running = !sched_is_off(&v->sched);
    g->cpu_time = vcpu_ran_ns(v);
    g->cpu = v->cpu;
    return 0;
}

/* --- state ------------------------------------------------------------------------------------------ */

static s64 get_context(struct call *c, struct domain *d, struct xen_domctl *op)
{
    return context_get(c, d, &op->u.hvmcontext);
}

static s64 set_context(struct call *c, struct domain *d, struct xen_domctl *op)
{
    return context_set(c, d, &op->u.hvmcontext);
}

static s64 get_vcpu_context(struct call *c, struct domain *d, struct xen_domctl *op)
{
    return context_get_vcpu(c, d, op->u.vcpucontext.vcpu, (u64)op->u.vcpucontext.ctxt.p);
}

static s64 set_vcpu_context(struct call *c, struct domain *d, struct xen_domctl *op)
{
    return context_set_vcpu(c, d, op->u.vcpucontext.vcpu, (u64)op->u.vcpucontext.ctxt.p);
}

static s64 address_size(struct call *c, struct domain *d, struct xen_domctl *op)
{
    (void)c;
    op->u.address_size.size = d->compat ? 32 : 64;
    return 0;
}

/* --- devices ---------------------------------------------------------------------------------------- */

static s64 ioport_permission(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ioport_permission *p = &op->u.ioport_permission;

    (void)c;
    return devices_permit_ports(d, p->first_port, p->nr_ports, p->allow_access);
}

static s64 ioport_mapping(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_ioport_mapping *m = &op->u.ioport_mapping;

    (void)c;
    if (m->first_gport != m->first_mport)
        return fail(-XEN_EINVAL); /* ports pass straight through, under their own number */
    return devices_map_ports(d, m->first_mport, m->nr_ports, m->add_mapping);
}

static s64 iomem_permission(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_iomem_permission *p = &op->u.iomem_permission;

    (void)c;
    return devices_permit_memory(d, p->first_mfn, p->nr_mfns, p->allow_access);
}

static s64 memory_mapping(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_memory_mapping *m = &op->u.memory_mapping;

    (void)c;
    return devices_map_memory(d, m->first_gfn, m->first_mfn, m->nr_mfns, m->add_mapping);
}

static s64 irq_permission(struct call *c, struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_irq_permission *p = &op->u.irq_permission;

    (void)c;
    return devices_permit_irq(d, p->pirq, p->allow_access);
}

#define OP(op, fn) [XEN_DOMCTL_##op] = {#op, fn}
static const struct {
    const char *name;
    domctl_fn *fn;
} ops[] = {
    OP(destroydomain, destroy),
    OP(pausedomain, pause),
    OP(unpausedomain, unpause),
    OP(getdomaininfo, get_info),
    OP(setvcpuaffinity, set_affinity),
    OP(max_mem, max_mem),
    OP(setvcpucontext, set_vcpu_context),
    OP(getvcpucontext, get_vcpu_context),
    OP(getvcpuinfo, get_vcpu_info),
    OP(max_vcpus, max_vcpus),
    OP(scheduler_op, scheduler),
    OP(setdomainhandle, set_handle),
    OP(irq_permission, irq_permission),
    OP(iomem_permission, iomem_permission),
    OP(ioport_permission, ioport_permission),
    OP(hypercall_init, hypercall_init),
    OP(settimeoffset, set_time_offset),
    OP(getvcpuaffinity, get_affinity),
    OP(resumedomain, resume),
    OP(gethvmcontext, get_context),
    OP(sethvmcontext, set_context),
    OP(get_address_size, address_size),
    OP(memory_mapping, memory_mapping),
    OP(ioport_mapping, ioport_mapping),
    OP(set_target, set_target),
    OP(set_virq_handler, set_virq_handler),
    OP(soft_reset, soft_reset),
};

static s64 perform(struct call *c, struct xen_domctl *op)
{
    struct domain *d;
    s64 result;

    if (op->cmd == XEN_DOMCTL_createdomain)
        return create(c, op);
    if (op->cmd >= ARRAY_SIZE(ops) || !ops[op->cmd].fn)
        return fail(-XEN_ENOSYS);
    /* Tools walk the domains by asking for the first with at least this id. */
    d = op->cmd == XEN_DOMCTL_getdomaininfo ? domain_next(op->domain)
                                            : domain_find_or_self(op->domain);
    if (!d)
        return fail(-XEN_ESRCH);
    result = ops[op->cmd].fn(c, d, op);
    domain_put(d);
    if (op->cmd == XEN_DOMCTL_destroydomain && !result)
        domains_reap();
    return result;
}

/* In Xen's order: who may not control learns first whether there is such a domain. */
static s64 refused(const struct xen_domctl *op)
{
    struct domain *d;

    if (op->cmd == XEN_DOMCTL_createdomain)
        return fail(-XEN_EPERM);
    d = domain_find(op->domain);
    if (!d)
        return fail(-XEN_ESRCH);
    domain_put(d);
    return fail(-XEN_EPERM);
}

s64 call_domctl(struct call *c)
{
    struct xen_domctl op;
    s64 result;

    /* In Xen's order: who is refused can still find out which version is spoken. */
    if (call_read(c, &op, c->arg[0], sizeof(op)))
        return fail(-XEN_EFAULT);
    if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
        return fail(-XEN_EACCES);
    if (!may(c->v->domain, MAY_DOMCTL))
        return refused(&op);
    result = perform(c, &op);
    if (result >= 0 && call_write(c, c->arg[0], &op, sizeof(op)))
        return fail(-XEN_EFAULT);
    return result;
}
