/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest ABI walked through (H04, H05): every hypercall number, and the sub-operations
 * of those that have any, with an argument that cannot be read; -ENOSYS means that there is
 * none, any other answer that there is. One line for each, which the test compares with the
 * list in hyp/README.md. Then the things a PVH guest takes for granted.
 * Last line: "Test result: SUCCESS" or "FAILURE".
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/grant.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "guest/rt/x86.h"

enum { NUMBERS = 64, SUB_OPS = 48 };
#define UNREADABLE 0xffff700000000000ull

static u32 failures;

#define EXPECT(cond)                                                       \
    do {                                                                   \
        if (!(cond)) {                                                     \
            rt_printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #cond); \
            failures++;                                                    \
        }                                                                  \
    } while (0)

/* Calls that would end or stop us even with a bad argument. */
static bool skip(u32 nr, u32 op)
{
    return (nr == __HYPERVISOR_sched_op && op == SCHEDOP_block) ||
           (nr == __HYPERVISOR_vcpu_op &&
            (op == VCPUOP_up || op == VCPUOP_down || op == VCPUOP_send_nmi));
}

static const u8 with_ops[] = {
    __HYPERVISOR_memory_op, __HYPERVISOR_xen_version,      __HYPERVISOR_console_io,
    __HYPERVISOR_vcpu_op,   __HYPERVISOR_grant_table_op,   __HYPERVISOR_sched_op,
    __HYPERVISOR_hvm_op,    __HYPERVISOR_event_channel_op, __HYPERVISOR_physdev_op,
    __HYPERVISOR_vm_assist, RT_HYPERCALL_OSMOSIS};

/* The second argument of most is the structure; of these it is a vCPU or a count. */
static long try_op(u32 nr, u32 op)
{
    if (nr == __HYPERVISOR_vcpu_op)
        return rt_hypercall(nr, op, 0, UNREADABLE, 0, 0);
    if (nr == __HYPERVISOR_console_io)
        return rt_hypercall(nr, op, 1, UNREADABLE, 0, 0);
    if (nr == __HYPERVISOR_grant_table_op)
        return rt_hypercall(nr, op, UNREADABLE, 1, 0, 0);
    if (nr == __HYPERVISOR_vm_assist)
        return rt_hypercall(nr, op, VMASST_TYPE_runstate_update_flag, 0, 0, 0);
    return rt_hypercall(nr, op, UNREADABLE, 0, 0, 0);
}

static void walk_ops(u32 nr)
{
    for (u32 op = 0; op < SUB_OPS; op++) {
        long result = skip(nr, op) ? 0 : try_op(nr, op);

        if (result != -XEN_ENOSYS)
            rt_printf("sub-op %u.%u %ld\n", nr, op, result);
    }
}

static void walk(void)
{
    for (u32 nr = 0; nr < NUMBERS; nr++) {
        long result;

        if (nr == __HYPERVISOR_iret || skip(nr, 0xff))
            continue;
        result = rt_hypercall(nr, 0xffff, UNREADABLE, 0, 0, 0);
        for (u32 i = 0; i < ARRAY_SIZE(with_ops); i++)
            if (with_ops[i] == nr) {
                rt_printf("hypercall %u 0\n", nr);
                walk_ops(nr);
                result = -XEN_ENOSYS;
            }
        if (result != -XEN_ENOSYS)
            rt_printf("hypercall %u %ld\n", nr, result);
    }
}

/* Xen's code page, written where we ask for it (arch-x86/cpuid.h, leaf 2). */
static void hypercall_page(void)
{
    u8 *page = rt_frames(1);
    struct cpuid leaf = cpuid(0x40000002, 0);
    long (*version)(u64 op, u64 arg);

    EXPECT(leaf.eax == 1);
    msr_write(leaf.ebx, rt_physical(page));
    EXPECT(page[__HYPERVISOR_xen_version * 32] == 0xb8);
    EXPECT(page[__HYPERVISOR_iret * 32] == 0x0f && page[__HYPERVISOR_iret * 32 + 1] == 0x0b);
    version = (long (*)(u64, u64))(void *)(page + __HYPERVISOR_xen_version * 32);
    EXPECT(version(XENVER_version, 0) == hypercall_xen_version(XENVER_version, NULL));
}

static void cpu_leaves(void)
{
    struct cpuid base = cpuid(0x40000000, 0), version = cpuid(0x40000001, 0),
                 hvm = cpuid(0x40000004, 0);

    EXPECT(base.ebx == 0x566e6558 && base.ecx == 0x65584d4d && base.edx == 0x4d4d566e);
    EXPECT(base.eax >= 0x40000004);
    EXPECT((long)version.eax == hypercall_xen_version(XENVER_version, NULL));
    EXPECT(hvm.eax & 1 << 4 ? hvm.ecx == rt_started()->domid : true);
}

static void shared_page(void)
{
    struct shared_info *s = rt_shared_info();
    const struct vcpu_time_info *t = &s->vcpu_info[0].time;
    u64 first = rt_now_ns(), second;

    EXPECT(t->version && !(t->version & 1));
    second = rt_now_ns();
    EXPECT(second >= first);
    EXPECT(s->wc_version && !(s->wc_version & 1));
}

/* Each port kind, masks, and what a closed port answers. */
static void event_channels(void)
{
    struct evtchn_status status = {.dom = DOMID_SELF};
    struct evtchn_send send;
    long port;

    port = rt_event_bind_ipi(0, NULL, NULL);
    EXPECT(port > 0);
    rt_event_mask((u32)port);
    EXPECT(!rt_event_send((u32)port));
    EXPECT(rt_event_is_pending((u32)port));
    rt_event_clear((u32)port);
    status.port = (evtchn_port_t)port;
    EXPECT(!hypercall_event_channel_op(EVTCHNOP_status, &status));
    EXPECT(status.status == EVTCHNSTAT_ipi);
    EXPECT(!rt_event_close((u32)port));
    send.port = (evtchn_port_t)port;
    EXPECT(hypercall_event_channel_op(EVTCHNOP_send, &send) == -XEN_EINVAL);
    EXPECT(rt_event_bind_virq(24, 0, NULL, NULL) == -XEN_EINVAL);
    EXPECT(rt_event_bind_interdomain(0x7000, 1, NULL, NULL) == -XEN_ESRCH);
}

static void heard(void *arg, u32 port)
{
    (void)port;
    ++*(u32 *)arg;
}

/* From two levels to FIFO with a port that has something pending, then beyond the 4,095 ports of
 * two levels. The console's port is another that must go on: it has the verdict to print. */
static void fifo_channels(void)
{
    u32 before = 0, beyond = 0, bound = 0;
    long kept = rt_event_bind_ipi(0, heard, &before), port;

    EXPECT(kept > 0 && !rt_event_send((u32)kept));
    EXPECT(rt_event_use_fifo());
    rt_event_dispatch();
    EXPECT(before == 1 && !rt_event_send((u32)kept));
    do
        port = rt_event_alloc_unbound(DOMID_SELF, heard, &beyond);
    while (port > 0 && port < 4200);
    EXPECT(port == 4200);
    port = rt_event_bind_interdomain((domid_t)rt_started()->domid, (u32)port, heard, &bound);
    EXPECT(port == 4201 && !rt_event_send((u32)port));
    rt_event_dispatch();
    EXPECT(before == 2 && beyond == 1 && bound == 1); /* a port just bound has an event */
}

static void grants(void)
{
    u8 *page = rt_frames(2);
    grant_ref_t ref = rt_grant_access((domid_t)rt_started()->domid, rt_physical(page) >> 12,
                                      true);
    gnttab_copy_t copy = {.len = 16, .flags = GNTCOPY_source_gref};

    EXPECT(ref);
    memcpy(page, "sixteen bytes...", 16);
    ((volatile u8 *)page)[0] = 'S';
    copy.source.u.ref = ref;
    copy.source.domid = copy.dest.domid = DOMID_SELF;
    copy.dest.u.gmfn = rt_physical(page + 4096) >> 12;
    EXPECT(!rt_grant_copy(&copy, 1) && copy.status == GNTST_okay);
    EXPECT(memcmp(page + 4096, "Sixteen bytes...", 16) == 0);
    copy.flags |= GNTCOPY_dest_gref; /* lent read-only */
    copy.dest.u.ref = ref;
    EXPECT(!rt_grant_copy(&copy, 1) && copy.status != GNTST_okay);
    copy.flags = GNTCOPY_source_gref;
    copy.dest.u.gmfn = rt_physical(page + 4096) >> 12;
    copy.source.u.ref = 0xfffffff;
    EXPECT(!rt_grant_copy(&copy, 1) && copy.status == GNTST_bad_gntref);
    EXPECT(rt_grant_end(ref));
}

/* A back end of thousands of front ends has pages of theirs in frames far above all memory, too. */
static void wide_window(void)
{
    enum { OTHERS = 0xf8 + 0x8000, FAR_ABOVE = 0x1000000 };
    static u64 taken[OTHERS];
    u32 count = 0;
    u64 gfn = 0;
    u8 *page = rt_frames(1);
    grant_ref_t ref = rt_grant_access((domid_t)rt_started()->domid, rt_physical(page) >> 12,
                                      false);
    struct rt_mapping m = {0};

    while (count < OTHERS && (gfn = rt_window_alloc(1)) != 0 && gfn < FAR_ABOVE)
        taken[count++] = gfn;
    if (count == OTHERS)
        gfn = rt_window_alloc(1);
    EXPECT(count > 0x8000 && gfn >= FAR_ABOVE);
    rt_window_free(gfn, 1);
    EXPECT(!rt_grant_map((domid_t)rt_started()->domid, ref, false, &m) && m.gfn >= FAR_ABOVE);
    page[100] = 0x5a;
    EXPECT(m.at && ((volatile u8 *)m.at)[100] == 0x5a);
    EXPECT(!rt_grant_unmap(&m) && rt_grant_end(ref));
    while (count--)
        rt_window_free(taken[count], 1);
    gfn = rt_window_alloc(4);
    EXPECT(gfn && gfn < FAR_ABOVE);
    rt_window_free(gfn, 4);
}

static void refused_to_us(void)
{
    xen_domctl_t domctl = {.cmd = XEN_DOMCTL_pausedomain};
    xen_sysctl_t sysctl = {.cmd = XEN_SYSCTL_physinfo};
    struct osm_finish finish = {0};

    EXPECT(hypercall_domctl(&domctl) == -XEN_EPERM);
    EXPECT(hypercall_sysctl(&sysctl) == -XEN_EPERM);
    if (rt_host() == RT_OSMOSIS)
        EXPECT(hypercall_osmosis(OSM_OP_finish, &finish) == -XEN_EPERM);
}

/* Two pages of constants, so that one of them is whole: it is shared with every other domain
 * of this image, and ours from the first write on. */
static const u32 constants[2048] = {[0] = 0x05ca1ab1, [1024] = 0x05ca1ab1, [2047] = 0x05ca1ab1};

static void image_is_ours(void)
{
    static const u32 at[] = {0, 1024, 2047};

    for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
        volatile u32 *word = rt_at(rt_physical(&constants[at[i]]));

        EXPECT(*word == 0x05ca1ab1);
        *word = rt_started()->domid + i;
        EXPECT(*(const volatile u32 *)&constants[at[i]] == rt_started()->domid + i);
    }
}

int rt_main(const struct rt_start *start)
{
    if (start->host == RT_NATIVE) {
        rt_printf("Test result: SKIP\n");
        return 0;
    }
    walk();
    hypercall_page();
    cpu_leaves();
    shared_page();
    event_channels();
    fifo_channels();
    grants();
    wide_window();
    refused_to_us();
    image_is_ours();
    rt_printf("Test result: %s\n", failures ? "FAILURE" : "SUCCESS");
    return 0;
}
