/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls, one typed inline per group that our domains use. Results are Xen's: 0 or
 * more, or a negative errno (XEN_EINVAL and so on). Structures are Xen's own headers'.
 */
#ifndef GUEST_RT_HYPERCALL_H
#define GUEST_RT_HYPERCALL_H

#include "hyp/abi/xen.h"
#include "hyp/abi/osmosis.h"

/* __HYPERVISOR_arch_7 is Osmosis's own (hyp/abi/osmosis.h). */
#define RT_HYPERCALL_OSMOSIS __HYPERVISOR_arch_7

static inline long rt_hypercall(u32 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
    register u64 r10 asm("r10") = a4;
    register u64 r8 asm("r8") = a5;
    long result;

    asm volatile("call rt_vmcall"
                 : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : "0"((u64)nr)
                 : "memory");
    return result;
}

static inline long hypercall_memory_op(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_memory_op, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_set_timer_op(u64 deadline_ns)
{
    return rt_hypercall(__HYPERVISOR_set_timer_op, deadline_ns, 0, 0, 0, 0);
}

static inline long hypercall_xen_version(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_xen_version, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_console_io(u32 op, u32 count, void *text)
{
    return rt_hypercall(__HYPERVISOR_console_io, op, count, (u64)text, 0, 0);
}

static inline long hypercall_grant_table_op(u32 op, void *arg, u32 count)
{
    return rt_hypercall(__HYPERVISOR_grant_table_op, op, (u64)arg, count, 0, 0);
}

static inline long hypercall_vm_assist(u32 op, u32 type)
{
    return rt_hypercall(__HYPERVISOR_vm_assist, op, type, 0, 0, 0);
}

static inline long hypercall_vcpu_op(u32 op, u32 vcpu, void *arg)
{
    return rt_hypercall(__HYPERVISOR_vcpu_op, op, vcpu, (u64)arg, 0, 0);
}

static inline long hypercall_sched_op(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_sched_op, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_event_channel_op(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_event_channel_op, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_physdev_op(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_physdev_op, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_hvm_op(u32 op, void *arg)
{
    return rt_hypercall(__HYPERVISOR_hvm_op, op, (u64)arg, 0, 0, 0);
}

static inline long hypercall_sysctl(xen_sysctl_t *op)
{
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return rt_hypercall(__HYPERVISOR_sysctl, (u64)op, 0, 0, 0, 0);
}

static inline long hypercall_domctl(xen_domctl_t *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return rt_hypercall(__HYPERVISOR_domctl, (u64)op, 0, 0, 0, 0);
}

static inline long hypercall_osmosis(enum osm_op op, void *arg)
{
    return rt_hypercall(RT_HYPERCALL_OSMOSIS, op, (u64)arg, 0, 0, 0);
}

/* A parameter of this domain (HVM_PARAM_*), or of `domid` for the privileged. */
static inline long rt_hvm_param_get(domid_t domid, u32 index, u64 *value)
{
    xen_hvm_param_t p = {.domid = domid, .index = index};
    long error = hypercall_hvm_op(HVMOP_get_param, &p);

    *value = p.value;
    return error;
}

static inline long rt_hvm_param_set(domid_t domid, u32 index, u64 value)
{
    xen_hvm_param_t p = {.domid = domid, .index = index, .value = value};

    return hypercall_hvm_op(HVMOP_set_param, &p);
}

/* Puts a page the hypervisor keeps (XENMAPSPACE_*) at the guest's frame `gfn`. */
static inline long rt_add_to_physmap(u32 space, u64 index, u64 gfn)
{
    xen_add_to_physmap_t x = {.domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gfn};

    return hypercall_memory_op(XENMEM_add_to_physmap, &x);
}

#endif
