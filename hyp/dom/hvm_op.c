/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvm_op (xen/hvm/hvm_op.h, params.h) as PVH guests and their builder use it.
 */
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/virt.h"

/* Whether there is such a parameter: those that the header calls deprecated are gone. */
static bool is_param(u32 index)
{
    switch (index) {
    case HVM_PARAM_PAE_ENABLED:
    case HVM_PARAM_DM_DOMAIN:
    case HVM_PARAM_MEMORY_EVENT_CR0 ... HVM_PARAM_BUFIOREQ_EVTCHN:
    case HVM_PARAM_MEMORY_EVENT_MSR: return false;
    default: return index < HVM_NR_PARAMS;
    }
}

/* What a guest may set of itself; everything else is its builder's. */
static bool guest_may_set(u32 index)
{
    switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_X87_FIP_WIDTH: return true;
    default: return false;
    }
}

/* What a guest may read of itself. */
static bool guest_may_get(u32 index)
{
    switch (index) {
    case HVM_PARAM_CALLBACK_IRQ:
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_PFN:
    case HVM_PARAM_CONSOLE_EVTCHN:
    case HVM_PARAM_VM86_TSS:
    case HVM_PARAM_ACPI_IOPORTS_LOCATION:
    case HVM_PARAM_VM_GENERATION_ID_ADDR:
    case HVM_PARAM_X87_FIP_WIDTH:
    case HVM_PARAM_VM86_TSS_SIZED:
    case HVM_PARAM_ALTP2M: return true;
    default: return false;
    }
}

/* How events reach the guest: the width of its structures is the setter's. */
static void set_callback(struct call *c, struct domain *d, u64 value)
{
    u64 type = value >> 56;

    d->callback_vector = type == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (u8)value : 0;
    if (d == c->v->domain)
        domain_set_width(d, c->compat);
    for (u32 i = 0; d->callback_vector && i < d->vcpu_count; i++)
        if (d->vcpu[i]->info && d->vcpu[i]->info->evtchn_upcall_pending)
            interrupt_kick(d->vcpu[i]);
}

static s64 set_checked(struct call *c, struct domain *d, const struct xen_hvm_param *p)
{
    /* Page and port of store and console are set once, by the builder. */
    switch (p->index) {
    case HVM_PARAM_TRIPLE_FAULT_REASON:
        if (p->value > SHUTDOWN_MAX)
            return fail(-XEN_EINVAL);
        break;
    case HVM_PARAM_CALLBACK_IRQ: set_callback(c, d, p->value); break;
    case HVM_PARAM_X87_FIP_WIDTH:
        if (p->value != 0 && p->value != 4 && p->value != 8)
            return fail(-XEN_EINVAL);
        break;
    case HVM_PARAM_STORE_PFN:
    case HVM_PARAM_STORE_EVTCHN:
    case HVM_PARAM_CONSOLE_PFN:
    case HVM_PARAM_CONSOLE_EVTCHN:
        if (d->hvm_params[p->index] && d->hvm_params[p->index] != p->value && d->started)
            return fail(-XEN_EEXIST);
        break;
    default: break;
    }
    d->hvm_params[p->index] = p->value;
    return 0;
}

static s64 set_param(struct call *c, void *arg)
{
    const struct xen_hvm_param *p = arg;
    struct domain *d;
    s64 error;

    if (!is_param(p->index))
        return fail(-XEN_EINVAL);
    d = domain_for(c->v->domain, p->domid, &error);
    if (!d)
        return error;
    error = d == c->v->domain && !may(d, MAY_SET_OWN_PARAMS) && !guest_may_set(p->index)
                ? fail(-XEN_EPERM)
                : set_checked(c, d, p);
    domain_put(d);
    return error;
}

static s64 get_param(struct call *c, void *arg)
{
    struct xen_hvm_param *p = arg;
    struct domain *d;
    s64 error;

    if (!is_param(p->index))
        return fail(-XEN_EINVAL);
    d = domain_for(c->v->domain, p->domid, &error);
    if (!d)
        return error;
    if (d == c->v->domain && !may(d, MAY_SET_OWN_PARAMS) && !guest_may_get(p->index))
        error = fail(-XEN_EPERM);
    else
        p->value = d->hvm_params[p->index];
    domain_put(d);
    return error;
}

static s64 set_evtchn_upcall_vector(struct call *c, void *arg)
{
    const struct xen_hvm_evtchn_upcall_vector *u = arg;
    struct vcpu *v;

    if (u->vector < 0x10)
        return fail(-XEN_EINVAL);
    if (u->vcpu >= c->v->domain->vcpu_count)
        return fail(-XEN_ENOENT);
    v = c->v->domain->vcpu[u->vcpu];
    v->upcall_vector = u->vector;
    if (v->info && v->info->evtchn_upcall_pending)
        interrupt_upcall(v);
    return 0;
}

static s64 flush_tlbs(struct call *c, void *arg)
{
    (void)arg;
    if (c->arg[1])
        return fail(-XEN_EINVAL);
    virt_flush(c->v->domain);
    return 0;
}

/* A hint for shadow paging, which is not here; guests expect this answer. */
static s64 pagetable_dying(struct call *c, void *arg)
{
    (void)c;
    (void)arg;
    return fail(-XEN_EINVAL);
}

static s64 get_time(struct call *c, void *arg)
{
    ((struct xen_hvm_get_time *)arg)->now = guest_time(&c->v->domain->clock, clock_now_ns());
    return 0;
}

static s64 get_mem_type(struct call *c, void *arg)
{
    struct xen_hvm_get_mem_type *g = arg;
    struct domain *d;
    enum p2m_access access;
    mfn_t frame;
    s64 error;

    d = domain_for(c->v->domain, g->domid, &error);
    if (!d)
        return error;
    switch (p2m_look(d, GFN(g->pfn), &frame, &access)) {
    case P2M_HOLE:
    case P2M_DEVICE:
    case P2M_EMULATED: g->mem_type = HVMMEM_mmio_dm; break;
    case P2M_GRANT:
    case P2M_FOREIGN: g->mem_type = access == P2M_R ? HVMMEM_ram_ro : HVMMEM_ram_rw; break;
    default: g->mem_type = HVMMEM_ram_rw; break;
    }
    domain_put(d);
    return 0;
}

#define OP(op, fn, type, out) [HVMOP_##op] = {#op, fn, sizeof(struct type), 0, out}
static const struct subop ops[] = {
    OP(set_param, set_param, xen_hvm_param, 0),
    OP(get_param, get_param, xen_hvm_param, SUBOP_OUT),
    [HVMOP_flush_tlbs] = {"flush_tlbs", flush_tlbs, 0, 0, 0},
    OP(pagetable_dying, pagetable_dying, xen_hvm_pagetable_dying, 0),
    OP(get_time, get_time, xen_hvm_get_time, SUBOP_OUT),
    OP(get_mem_type, get_mem_type, xen_hvm_get_mem_type, SUBOP_OUT),
    OP(set_evtchn_upcall_vector, set_evtchn_upcall_vector, xen_hvm_evtchn_upcall_vector, 0),
};

s64 call_hvm_op(struct call *c)
{
    return call_subop(c, ops, ARRAY_SIZE(ops));
}
