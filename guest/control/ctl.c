/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/abi/xen.h"
#include <xen/arch-x86/hvm/start_info.h>
#include "base/memory.h"
#include "guest/control/ctl.h"
#include "guest/control/first_vcpu.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"

static long plain(u16 domid, u32 cmd)
{
    xen_domctl_t op = {.cmd = cmd, .domain = domid};

    return hypercall_domctl(&op);
}

/* Ports that a domain may have: as xl gives them, and more to those whose memory says that they
 * serve many. */
enum { PORTS_USUAL = 1023, PORT_BYTES = 16384 };

long ctl_create(u32 vcpus, u64 memory, u16 *domid)
{
    u64 ports = MIN(PORTS_USUAL + memory / PORT_BYTES, EVTCHN_FIFO_NR_CHANNELS - 1ull);
    xen_domctl_t op = {.cmd = XEN_DOMCTL_createdomain};
    xen_domctl_t more = {.cmd = XEN_DOMCTL_max_vcpus};
    long error;

    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = vcpus,
        .max_evtchn_port = (u32)ports,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch = {.emulation_flags = XEN_X86_EMU_LAPIC}};
    error = hypercall_domctl(&op);
    if (error)
        return error;
    *domid = op.domain;
    more.domain = op.domain;
    more.u.max_vcpus.max = vcpus;
    error = hypercall_domctl(&more);
    if (error)
        ctl_destroy(*domid);
    return error;
}

long ctl_destroy(u16 domid)
{
    long error;

    do {
        error = plain(domid, XEN_DOMCTL_destroydomain);
    } while (error == -XEN_EAGAIN || error == -XEN_ERESTART || error == -XEN_EBUSY);
    return error;
}

long ctl_pause(u16 domid)
{
    return plain(domid, XEN_DOMCTL_pausedomain);
}

long ctl_unpause(u16 domid)
{
    return plain(domid, XEN_DOMCTL_unpausedomain);
}

long ctl_resume(u16 domid)
{
    static vcpu_guest_context_t context;
    xen_domctl_t op = {.cmd = XEN_DOMCTL_getvcpucontext, .domain = domid};
    long error;

    set_xen_guest_handle(op.u.vcpucontext.ctxt, &context);
    error = hypercall_domctl(&op);
    if (error)
        return error;
    context.user_regs.rax = 1; /* what SCHEDOP_shutdown answers then */
    op.cmd = XEN_DOMCTL_setvcpucontext;
    error = hypercall_domctl(&op);
    return error ? error : plain(domid, XEN_DOMCTL_resumedomain);
}

long ctl_info(u16 domid, xen_domctl_getdomaininfo_t *info)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_getdomaininfo, .domain = domid};
    long error = hypercall_domctl(&op);

    if (!error && op.domain != domid)
        return -XEN_ESRCH; /* it answered with the next domain there is */
    *info = op.u.getdomaininfo;
    return error;
}

void ctl_wait_off(u16 domid)
{
    xen_domctl_getdomaininfo_t info = {0};

    do {
        if (ctl_info(domid, &info))
            return;
    } while (info.flags & XEN_DOMINF_running);
}

/* As few extents as their alignment allows: one call for each range. */
static long populate(u16 domid, u64 gfn, u64 count, u32 flags)
{
    while (count) {
        u32 order = 0;
        xen_pfn_t first = gfn;
        struct xen_memory_reservation r = {.nr_extents = 1, .mem_flags = flags, .domid = domid};
        long done;

        while (order < 18 && (2ull << order) <= count)
            order++;
        r.extent_order = order;
        set_xen_guest_handle(r.extent_start, &first);
        done = hypercall_memory_op(XENMEM_populate_physmap, &r);
        if (done != 1)
            return done < 0 ? done : -XEN_ENOMEM;
        gfn += 1ull << order;
        count -= 1ull << order;
    }
    return 0;
}

struct PACKED e820 {
    u64 base, size;
    u32 type;
};

static long set_map(u16 domid, const struct layout *l)
{
    struct e820 map[LAYOUT_RANGES];
    struct xen_foreign_memory_map m = {.domid = domid, .map = {.nr_entries = l->range_count}};

    for (u32 i = 0; i < l->range_count; i++)
        map[i] = (struct e820){l->range[i].base, l->range[i].size, l->range[i].type};
    set_xen_guest_handle(m.map.buffer, map);
    return hypercall_memory_op(XENMEM_set_memory_map, &m);
}

long ctl_memory(u16 domid, const struct layout *l, bool on_demand)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_max_mem, .domain = domid};
    long error;

    op.u.max_mem.max_memkb = l->pages * 4;
    error = hypercall_domctl(&op);
    for (u32 i = 0; !error && i < l->range_count; i++)
        error = populate(domid, l->range[i].base >> 12, l->range[i].size >> 12,
                         on_demand ? XENMEMF_populate_on_demand : 0);
    return error ? error : set_map(domid, l);
}

long ctl_first_vcpu(u16 domid, u32 entry, u32 info)
{
    static struct first_vcpu r;
    xen_domctl_t op = {.cmd = XEN_DOMCTL_sethvmcontext, .domain = domid};

    first_vcpu(&r, entry, info);
    op.u.hvmcontext.size = sizeof(r);
    set_xen_guest_handle(op.u.hvmcontext.buffer, (u8 *)&r);
    return hypercall_domctl(&op);
}

static long set_affinity(u16 domid, u32 vcpu, u64 cpus)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_setvcpuaffinity, .domain = domid};
    struct xen_domctl_vcpuaffinity *a = &op.u.vcpuaffinity;

    a->vcpu = vcpu;
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->cpumap_hard.nr_bits = 64;
    set_xen_guest_handle(a->cpumap_hard.bitmap, (u8 *)&cpus);
    return hypercall_domctl(&op);
}

long ctl_schedule(u16 domid, u32 vcpus, u32 weight, u32 cap, u64 cpus)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_scheduler_op, .domain = domid};
    long error = 0;

    if (weight || cap != 0xffff) {
        op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
        op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
        op.u.scheduler_op.u.credit.weight = (u16)weight;
        op.u.scheduler_op.u.credit.cap = (u16)cap;
        error = hypercall_domctl(&op);
    }
    for (u32 v = 0; !error && cpus && v < vcpus; v++)
        error = set_affinity(domid, v, cpus);
    return error;
}

long ctl_map(u16 domid, u64 there, u64 here)
{
    xen_ulong_t idx = there;
    xen_pfn_t gfn = here;
    int status = 0;
    struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF,
                                         .space = XENMAPSPACE_gmfn_foreign,
                                         .size = 1,
                                         .u = {.foreign_domid = domid}};
    long error;

    set_xen_guest_handle(b.idxs, &idx);
    set_xen_guest_handle(b.gpfns, &gfn);
    set_xen_guest_handle(b.errs, &status);
    error = hypercall_memory_op(XENMEM_add_to_physmap_batch, &b);
    return error ? error : status;
}

void ctl_unmap(u64 here)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF, .gpfn = here};

    hypercall_memory_op(XENMEM_remove_from_physmap, &r);
}

void ctl_unmap_run(u64 here, u32 pages)
{
    for (u32 i = 0; i < pages; i++)
        ctl_unmap(here + i);
    rt_window_free(here, pages);
}

u64 ctl_map_run(u16 domid, u64 there, u32 pages)
{
    u64 here = rt_window_alloc(pages);

    for (u32 i = 0; here && i < pages; i++) {
        if (!ctl_map(domid, there + i, here + i))
            continue;
        while (i--)
            ctl_unmap(here + i);
        rt_window_free(here, pages);
        return 0;
    }
    return here;
}

long ctl_share(u16 domid, u64 there, u64 here, u64 pages)
{
    long error = 0;

    for (u64 i = 0; !error && i < pages; i += OSM_SHARE_MOST) {
        struct osm_share s = {.domid = domid,
                              .pages = (u32)MIN(pages - i, (u64)OSM_SHARE_MOST),
                              .from = here + i,
                              .to = there + i};

        error = hypercall_osmosis(OSM_OP_share, &s);
    }
    return error;
}

long ctl_frames(u16 domid, u64 gfn, u32 count, u64 *to)
{
    struct osm_frames f = {.domid = domid, .count = count, .gfn = gfn, .buffer = (u64)to};

    return hypercall_osmosis(OSM_OP_frames, &f);
}

long ctl_give_ports(u16 domid, u32 first, u32 count)
{
    xen_domctl_t may = {.cmd = XEN_DOMCTL_ioport_permission, .domain = domid};
    xen_domctl_t map = {.cmd = XEN_DOMCTL_ioport_mapping, .domain = domid};
    long error;

    may.u.ioport_permission = (struct xen_domctl_ioport_permission){
        .first_port = first, .nr_ports = count, .allow_access = 1};
    map.u.ioport_mapping = (struct xen_domctl_ioport_mapping){.first_gport = first,
                                                              .first_mport = first,
                                                              .nr_ports = count,
                                                              .add_mapping = DPCI_ADD_MAPPING};
    error = hypercall_domctl(&may);
    return error ? error : hypercall_domctl(&map);
}

long ctl_give_registers(u16 domid, u64 first, u64 pages)
{
    xen_domctl_t may = {.cmd = XEN_DOMCTL_iomem_permission, .domain = domid};
    xen_domctl_t map = {.cmd = XEN_DOMCTL_memory_mapping, .domain = domid};
    long error;

    may.u.iomem_permission = (struct xen_domctl_iomem_permission){
        .first_mfn = first, .nr_mfns = pages, .allow_access = 1};
    map.u.memory_mapping = (struct xen_domctl_memory_mapping){.first_gfn = first,
                                                              .first_mfn = first,
                                                              .nr_mfns = pages,
                                                              .add_mapping = DPCI_ADD_MAPPING};
    error = hypercall_domctl(&may);
    return error ? error : hypercall_domctl(&map);
}

long ctl_give_irq(u16 domid, u32 irq)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_irq_permission, .domain = domid};

    op.u.irq_permission = (struct xen_domctl_irq_permission){.pirq = irq, .allow_access = 1};
    return hypercall_domctl(&op);
}

long ctl_port(u16 domid, u32 *port)
{
    struct evtchn_alloc_unbound op = {.dom = domid, .remote_dom = DOMID_SELF};
    long error = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    *port = op.port;
    return error;
}

long ctl_machine(u64 *free, u64 *total)
{
    xen_sysctl_t op = {.cmd = XEN_SYSCTL_physinfo};
    long error = hypercall_sysctl(&op);

    *free = op.u.physinfo.free_pages;
    *total = op.u.physinfo.total_pages;
    return error;
}

long ctl_keys(const char *keys)
{
    xen_sysctl_t op = {.cmd = XEN_SYSCTL_debug_keys};

    op.u.debug_keys.keys.p = (char *)keys;
    op.u.debug_keys.nr_keys = (u32)strlen(keys);
    return hypercall_sysctl(&op);
}
