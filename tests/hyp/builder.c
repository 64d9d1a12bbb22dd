/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/hyp/builder.h"
#include "hyp/cpu/panic.h"

struct domain *control;

void builder_begin(void)
{
    world_init(2);
    control = world_domain(0, 1, 64);
    world.current = control->vcpu[0];
}

static void must(s64 result, s64 wanted, const char *what)
{
    if (result != wanted)
        panic("%s says %ld, not %ld", what, result, wanted);
}

s64 builder_command(u32 cmd, domid_t id)
{
    struct xen_domctl op = {.cmd = cmd, .domain = id};

    return world_domctl(control, &op);
}

domid_t builder_create(u32 vcpus)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_createdomain};

    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = vcpus,
        .max_evtchn_port = 1023,
        .max_grant_frames = 4,
        .max_maptrack_frames = -1,
        .grant_opts = 1,
        .arch = {.emulation_flags = XEN_X86_EMU_LAPIC}};
    must(world_domctl(control, &op), 0, "createdomain");
    return op.domain;
}

static void populate(domid_t id, u64 gfn, u64 count)
{
    struct xen_memory_reservation r = {.nr_extents = count, .domid = id};

    for (u64 i = 0; i < count; i++) {
        u64 at = gfn + i;

        world_put(control, 0x2000 + i * 8, &at, 8);
    }
    r.extent_start.p = (xen_pfn_t *)0x2000;
    must(world_op(control->vcpu[0], __HYPERVISOR_memory_op, XENMEM_populate_physmap, &r,
                  sizeof(r)),
         (s64)count, "populate_physmap");
}

struct vcpu_hvm_context builder_context(void)
{
    struct vcpu_hvm_context context = {.mode = VCPU_HVM_MODE_32B};

    context.cpu_regs.x86_32 = (struct vcpu_hvm_x86_32){.cr0 = 1,
                                                       .cs_ar = 0xc9b,
                                                       .ds_ar = 0xc93,
                                                       .ss_ar = 0xc93,
                                                       .es_ar = 0xc93,
                                                       .tr_ar = 0x8b,
                                                       .cs_limit = ~0u,
                                                       .ds_limit = ~0u,
                                                       .ss_limit = ~0u,
                                                       .es_limit = ~0u,
                                                       .tr_limit = 0x67};
    return context;
}

/* As a toolstack does it: memory, vCPUs, context, ports, parameters. */
domid_t builder_build(u32 vcpus)
{
    struct vcpu_hvm_context context = builder_context();
    struct xen_domctl op = {.cmd = XEN_DOMCTL_max_mem};
    domid_t id = builder_create(vcpus);
    struct domain *d = domain_find(id);

    op.domain = id;
    op.u.max_mem.max_memkb = 64 * 4;
    must(world_domctl(control, &op), 0, "max_mem");
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_max_vcpus, .domain = id};
    op.u.max_vcpus.max = vcpus;
    must(world_domctl(control, &op), 0, "max_vcpus");
    populate(id, 0, 32);
    must(vcpu_set_context(d->vcpu[0], &context), 0, "vcpu_set_context");
    vcpu_up(d->vcpu[0]);
    domain_put(d);
    return id;
}

void builder_everybody_picks(void)
{
    for (u32 turn = 0; turn < 4; turn++)
        for (world.cpu = 0; world.cpu < world.cpus; world.cpu++)
            vcpu_schedule(world.now_ns);
    world.cpu = 0;
    world.current = control->vcpu[0];
}

void builder_destroy(domid_t id)
{
    struct domain *d = domain_find(id);

    domain_pause(d);
    builder_everybody_picks();
    domain_put(d);
    must(builder_command(XEN_DOMCTL_destroydomain, id), 0, "destroydomain");
    must(builder_command(XEN_DOMCTL_destroydomain, id), -XEN_ESRCH, "destroydomain, again");
}
