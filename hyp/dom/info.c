/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/dom/info.h"
#include "base/memory.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/virt.h"

/* XEN_DOMINF_* of what the vCPUs do: blocked unless one is not. */
static u32 activity(const struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    u32 flags = XEN_DOMINF_blocked;

    for (u32 i = 0; i < d->vcpu_count; i++) {
        const struct vcpu *v = d->vcpu[i];

        info->cpu_time += vcpu_ran_ns(v);
        info->max_vcpu_id = v->id;
        if (v->sched.hold & SCHED_HOLD_DOWN)
            continue;
        info->nr_online_vcpus++;
        if (!(v->sched.hold & SCHED_HOLD_BLOCKED))
            flags &= ~(u32)XEN_DOMINF_blocked;
        if (!sched_is_off(&v->sched))
            flags |= XEN_DOMINF_running;
    }
    return flags;
}

void domain_info(const struct domain *d, struct xen_domctl_getdomaininfo *info)
{
    memset(info, 0, sizeof(*info));
    info->domain = d->id;
    info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
    info->flags = activity(d, info) | XEN_DOMINF_hvm_guest | XEN_DOMINF_hap |
                  (d->is_store ? XEN_DOMINF_xs_domain : 0) |
                  (d->pause_count ? XEN_DOMINF_paused : 0) |
                  (d->state >= DOMAIN_DYING ? XEN_DOMINF_dying : 0);
    if (d->state == DOMAIN_SHUTDOWN)
        info->flags |= XEN_DOMINF_shutdown | (u32)d->shutdown_reason
                                                 << XEN_DOMINF_shutdownshift;
    info->tot_pages = d->pages;
    info->max_pages = d->frames_max;
    info->outstanding_pages = d->frames_reserved;
    info->shared_info_frame = d->shared_gfn;
    memcpy(info->handle, d->handle, sizeof(info->handle));
    info->gpaddr_bits = 48;
    info->arch_config.emulation_flags = XEN_X86_EMU_LAPIC;
}

void domain_add_counters(struct domain *d, u16 vcpu, struct osm_counters *sum)
{
    for (u32 i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];

        if (vcpu != 0xffff && vcpu != i)
            continue;
        virt_count(v);
        sum->exits += v->counters.exits;
        sum->flushes += v->counters.flushes;
        sum->copied_bytes += v->counters.copied_bytes;
        sum->hypercalls += v->counters.hypercalls;
        sum->upcalls += v->counters.upcalls;
        sum->faults += v->counters.faults;
        sum->sends += v->counters.sends;
        sum->grants += v->counters.grants;
        sum->run_ns += vcpu_ran_ns(v);
    }
    sum->frames += d->frames;
    sum->overhead += d->overhead;
}
