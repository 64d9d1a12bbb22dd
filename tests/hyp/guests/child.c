/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/hyp/guests/child.h"
#include "base/memory.h"
#include "guest/control/first_vcpu.h"
#include <xen/arch-x86/hvm/start_info.h>

enum {
    PAGE = 4096,
    WINDOW = 0x80000 /* a frame number without RAM, within the identity map */
};

struct child_task child_task __attribute__((section(".data"))) = {0, 0};
volatile u64 child_first __attribute__((section(".data"))) = 0;
extern u8 image_start[], data_end[], image_end[], child_entry[];

static s64 domctl(xen_domctl_t *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return hypercall(__HYPERVISOR_domctl, (u64)op, 0, 0, 0, 0);
}

s64 child_command(u16 domid, u32 command)
{
    xen_domctl_t op = {.cmd = command, .domain = domid};

    return domctl(&op);
}

s64 child_destroy(u16 domid)
{
    return child_command(domid, XEN_DOMCTL_destroydomain);
}

u32 child_pages(void)
{
    return (u32)(((u64)image_end + PAGE - 1) / PAGE);
}

s64 child_limit(u16 domid, u64 pages)
{
    xen_domctl_t limit = {.cmd = XEN_DOMCTL_max_mem, .domain = domid};

    limit.u.max_mem.max_memkb = pages * 4;
    return domctl(&limit);
}

static s64 populate(u16 domid, u32 pages)
{
    s64 error = child_limit(domid, pages);

    for (u64 gfn = 0; !error && gfn < pages;) {
        xen_pfn_t first = gfn;
        struct xen_memory_reservation r = {.nr_extents = 1, .domid = domid};

        while (r.extent_order < 9 && !(gfn >> r.extent_order & 1) &&
               gfn + (2ull << r.extent_order) <= pages)
            r.extent_order++;
        set_xen_guest_handle(r.extent_start, &first);
        if (CALL2(memory_op, XENMEM_populate_physmap, &r) != 1)
            return -XEN_ENOMEM;
        gfn += 1ull << r.extent_order;
    }
    return error;
}

s64 child_create(u16 *domid, u32 pages)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_createdomain};
    xen_domctl_t more = {.cmd = XEN_DOMCTL_max_vcpus};
    s64 error;

    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = 1,
        .max_evtchn_port = 1023,
        .max_grant_frames = -1,
        .max_maptrack_frames = -1,
        .grant_opts = XEN_DOMCTL_GRANT_version(1),
        .arch = {.emulation_flags = XEN_X86_EMU_LAPIC}};
    error = domctl(&op);
    if (error)
        return error;
    *domid = op.domain;
    more.domain = op.domain;
    more.u.max_vcpus.max = 1;
    error = domctl(&more);
    return error ? error : populate(*domid, pages);
}

/* The child's frame `gfn` in our window. */
static s64 show(u16 domid, u64 gfn)
{
    xen_ulong_t idx = gfn;
    xen_pfn_t here = WINDOW;
    int status = 0;
    struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF,
                                         .space = XENMAPSPACE_gmfn_foreign,
                                         .size = 1,
                                         .u = {.foreign_domid = domid}};
    s64 error;

    set_xen_guest_handle(b.idxs, &idx);
    set_xen_guest_handle(b.gpfns, &here);
    set_xen_guest_handle(b.errs, &status);
    error = CALL2(memory_op, XENMEM_add_to_physmap_batch, &b);
    return error ? error : status;
}

static void hide(void)
{
    struct xen_remove_from_physmap r = {.domid = DOMID_SELF, .gpfn = WINDOW};

    CALL2(memory_op, XENMEM_remove_from_physmap, &r);
}

/* Text and data as they are; the child's bss is zero as all new memory. */
static s64 fill(u16 domid)
{
    for (u64 at = (u64)image_start; at < (u64)data_end; at += PAGE) {
        s64 error = show(domid, at / PAGE);

        if (error)
            return error;
        memcpy((void *)((u64)WINDOW * PAGE), (const void *)at,
               MIN((u64)PAGE, (u64)data_end - at));
        hide();
    }
    return 0;
}

static s64 begin(u16 domid)
{
    static struct first_vcpu r;
    xen_domctl_t op = {.cmd = XEN_DOMCTL_sethvmcontext, .domain = domid};

    first_vcpu(&r, (u64)child_entry, 0);
    op.u.hvmcontext.size = sizeof(r);
    set_xen_guest_handle(op.u.hvmcontext.buffer, (u8 *)&r);
    return domctl(&op);
}

s64 child_start_paused(const struct child_task *task)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF};
    struct child_task ours = child_task;
    u16 domid = 0;
    s64 error = child_create(&domid, child_pages());

    if (error)
        return error;
    child_task = *task;
    a.remote_dom = domid;
    if (task->port) /* asked for: the number is ours to give */
        error = CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a);
    child_task.port = a.port;
    if (!error)
        error = fill(domid);
    child_task = (struct child_task){ours.part, a.port};
    if (!error)
        error = begin(domid);
    return error ? error : domid;
}

s64 child_start(const struct child_task *task)
{
    s64 domid = child_start_paused(task);
    s64 error = domid < 0 ? domid : child_command((u16)domid, XEN_DOMCTL_unpausedomain);

    return error ? error : domid;
}

u64 child_peek(u16 domid, const volatile void *at)
{
    u64 value = 0;

    EXPECT(show(domid, (u64)at / PAGE) == 0);
    memcpy(&value, (const void *)((u64)WINDOW * PAGE + (u64)at % PAGE), sizeof(value));
    hide();
    return value;
}

void sleep_ns(u64 ns)
{
    struct osm_clock_info now = {0};
    struct sched_poll p = {.nr_ports = 0};

    EXPECT(CALL2(arch_7, OSM_OP_clock, &now) == 0);
    p.timeout = now.now_ns + ns;
    EXPECT(CALL2(sched_op, SCHEDOP_poll, &p) == 0);
}

s64 place_page(u32 space, void *at)
{
    struct xen_add_to_physmap a = {.domid = DOMID_SELF, .space = space, .gpfn = (u64)at / PAGE};

    return CALL2(memory_op, XENMEM_add_to_physmap, &a);
}
