/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the control domain asks about the machine and does to others (H04, H12): every sysctl, and
 * those domctls and OSM operations whose effect no other test needs.
 */
#include "tests/check.h"
#include "tests/hyp/world.h"

enum { BUFFER = 0x4000, ROOM = 3 };
static struct domain *control, *guest;

static void begin(void)
{
    world_init(2);
    control = world_domain(0, 1, 64);
    guest = world_domain(1, 2, 64);
    world.current = control->vcpu[0];
}

static void end(void)
{
    world_end(guest);
    world_end(control);
}

static s64 sysctl(struct xen_sysctl *op)
{
    return world_sysctl(control, op);
}

static s64 domctl(struct xen_domctl *op)
{
    return world_domctl(control, op);
}

static s64 guest_call(u64 nr, u64 cmd, void *arg, size_t size)
{
    return world_op(guest->vcpu[0], nr, cmd, arg, size);
}

/* --- sysctl --------------------------------------------------------------------------------- */

static void the_machine_is_described(void)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_physinfo};

    begin();
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.physinfo.nr_cpus, 2);
    CHECK_EQ(op.u.physinfo.total_pages, frames_total());
    CHECK_EQ(op.u.physinfo.free_pages, frames_free());
    CHECK(op.u.physinfo.capabilities & XEN_SYSCTL_PHYSCAP_hap);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_availheap};
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.availheap.avail_bytes, frames_free() << PAGE_SHIFT);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_sched_id};
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.sched_id.sched_id, XEN_SCHEDULER_CREDIT);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_scheduler_op};
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.scheduler_op.u.sched_credit.tslice_ms, SCHED_SLICE_NS / 1000000);
    op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_putinfo;
    CHECK_EQ(sysctl(&op), -XEN_EOPNOTSUPP); /* the slice is fixed */
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_NULL;
    CHECK_EQ(sysctl(&op), -XEN_EINVAL);
    end();
}

static void idle_time_is_told_per_cpu(void)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_getcpuinfo};
    struct xen_sysctl_cpuinfo info[ROOM] = {{0}};

    begin();
    op.u.getcpuinfo.max_cpus = ROOM;
    op.u.getcpuinfo.info.p = (void *)BUFFER;
    world_put(control, BUFFER, info, sizeof(info));
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.getcpuinfo.nr_cpus, 2);
    world_get(control, BUFFER, info, sizeof(info));
    for (u32 i = 0; i < 2; i++)
        CHECK_EQ(info[i].idletime, vcpu_idle_ns(i));
    op.u.getcpuinfo.info.p = (void *)0xff000000;
    CHECK_EQ(sysctl(&op), -XEN_EFAULT);
    end();
}

static void domains_are_listed_in_pieces(void)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_getdomaininfolist};
    struct xen_domctl_getdomaininfo info[2];

    begin();
    op.u.getdomaininfolist.max_domains = 1;
    op.u.getdomaininfolist.buffer.p = (void *)BUFFER;
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.getdomaininfolist.num_domains, 1);
    op.u.getdomaininfolist.max_domains = 2;
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.getdomaininfolist.num_domains, 2);
    world_get(control, BUFFER, info, sizeof(info));
    CHECK(info[0].domain == 0 && info[1].domain == 1);
    CHECK_EQ(info[1].max_vcpu_id, 1);
    CHECK_EQ(info[1].tot_pages, 64);
    op.u.getdomaininfolist.first_domain = 1;
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.getdomaininfolist.num_domains, 1);
    end();
}

static void the_log_is_read_once(void)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_readconsole};
    char text[80] = {0};

    begin(); /* the stand-in's log: 100 times x */
    op.u.readconsole.incremental = 1;
    op.u.readconsole.buffer.p = (void *)BUFFER;
    op.u.readconsole.count = 60;
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.readconsole.count, 60);
    world_get(control, BUFFER, text, 60);
    CHECK(strspn(text, "x") == 60);
    CHECK_EQ(sysctl(&op), 0);
    CHECK_EQ(op.u.readconsole.count, 40);
    CHECK_EQ(op.u.readconsole.index, 100);
    end();
}

/* --- what a builder sets -------------------------------------------------------------------- */

static void handles_and_times_are_set(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_setdomainhandle, .domain = 1};
    xen_domain_handle_t handle = {0};
    u32 before;

    begin();
    memset(op.u.setdomainhandle.handle, 0x5a, sizeof(op.u.setdomainhandle.handle));
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(guest_call(__HYPERVISOR_xen_version, XENVER_guest_handle, handle, sizeof(handle)),
             0);
    CHECK(handle[0] == 0x5a && handle[15] == 0x5a);
    before = guest->shared->wc_sec;
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_settimeoffset, .domain = 1};
    op.u.settimeoffset.time_offset_seconds = -3600;
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(guest->shared->wc_sec, before - 3600);
    CHECK(!(guest->shared->wc_version & 1));
    CHECK_EQ(control->shared->wc_sec, before);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_get_address_size, .domain = 1};
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(op.u.address_size.size, 64);
    guest->compat = true;
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(op.u.address_size.size, 32);
    end();
}

static void a_hypercall_page_is_written(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_hypercall_init, .domain = 1};
    u8 byte = 0;

    begin();
    op.u.hypercall_init.gmfn = 7;
    CHECK_EQ(domctl(&op), 0);
    world_get(guest, 7 << PAGE_SHIFT, &byte, 1);
    CHECK_EQ(byte, 0xcc); /* the stand-in's page */
    op.u.hypercall_init.gmfn = 0xfffff;
    CHECK(domctl(&op) < 0);
    end();
}

static void vcpus_are_looked_into(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpuinfo, .domain = 1};
    u64 cpus = 0;

    begin();
    op.u.getvcpuinfo.vcpu = 1;
    CHECK_EQ(domctl(&op), 0);
    CHECK(op.u.getvcpuinfo.online && !op.u.getvcpuinfo.blocked && !op.u.getvcpuinfo.running);
    vcpu_down(guest->vcpu[1]);
    CHECK_EQ(domctl(&op), 0);
    CHECK(!op.u.getvcpuinfo.online);
    op.u.getvcpuinfo.vcpu = 2;
    CHECK_EQ(domctl(&op), -XEN_EINVAL);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_getvcpuaffinity, .domain = 1};
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard.bitmap.p = (u8 *)BUFFER;
    op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
    vcpu_set_affinity(guest->vcpu[0], 2);
    CHECK_EQ(domctl(&op), 0);
    world_get(control, BUFFER, &cpus, sizeof(cpus));
    CHECK_EQ(cpus, 2);
    op.u.vcpuaffinity.vcpu = 9;
    CHECK_EQ(domctl(&op), -XEN_ESRCH);
    end();
}

static void registers_travel_as_guest_contexts(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpucontext, .domain = 1};
    struct guest_regs before;

    begin();
    guest->vcpu[0]->regs.rbx = 0x1234;
    guest->vcpu[0]->regs.r14 = 0x5678;
    guest->vcpu[0]->regs.rflags = 2;
    before = guest->vcpu[0]->regs;
    op.u.vcpucontext.ctxt.p = (void *)BUFFER;
    CHECK_EQ(domctl(&op), 0);
    guest->vcpu[0]->regs.rbx = guest->vcpu[0]->regs.r14 = 0;
    op.cmd = XEN_DOMCTL_setvcpucontext;
    CHECK_EQ(domctl(&op), 0);
    CHECK(!memcmp(&before, &guest->vcpu[0]->regs, sizeof(before)));
    op.u.vcpucontext.vcpu = 5;
    CHECK(domctl(&op) < 0);
    end();
}

/* --- rights --------------------------------------------------------------------------------- */

/* It may act for one other domain, and for that one only. */
static void a_target_is_acted_for(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_set_target, .domain = 1};
    struct evtchn_status s = {.dom = 2, .port = 1};
    struct domain *other;

    begin();
    other = world_domain(2, 1, 16);
    CHECK_EQ(guest_call(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s, sizeof(s)),
             -XEN_EPERM);
    op.u.set_target.target = 2;
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(guest_call(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s, sizeof(s)), 0);
    s.dom = 0;
    CHECK_EQ(guest_call(__HYPERVISOR_event_channel_op, EVTCHNOP_status, &s, sizeof(s)),
             -XEN_EPERM);
    op.u.set_target.target = 1;
    CHECK_EQ(domctl(&op), -XEN_EINVAL);
    op.u.set_target.target = 99;
    CHECK_EQ(domctl(&op), -XEN_ESRCH);
    world_end(other);
    end();
}

/* A driver domain's ports: given first, mapped after, and both taken away at once. */
static void ports_are_given_and_taken(void)
{
    struct xen_domctl give = {.cmd = XEN_DOMCTL_ioport_permission, .domain = 1};
    struct xen_domctl map = {.cmd = XEN_DOMCTL_ioport_mapping, .domain = 1};

    begin();
    map.u.ioport_mapping = (struct xen_domctl_ioport_mapping){
        .first_gport = 0x2f8, .first_mport = 0x2f8, .nr_ports = 8, .add_mapping = 1};
    CHECK_EQ(domctl(&map), -XEN_EPERM);
    CHECK_EQ(world.ports_allowed, 0);
    give.u.ioport_permission = (struct xen_domctl_ioport_permission){
        .first_port = 0x2f8, .nr_ports = 8, .allow_access = 1};
    CHECK_EQ(domctl(&give), 0);
    CHECK_EQ(domctl(&map), 0);
    CHECK_EQ(world.ports_allowed, 8);
    map.u.ioport_mapping.first_gport = 0x3f8; /* under another number */
    CHECK_EQ(domctl(&map), -XEN_EINVAL);
    map.u.ioport_mapping.first_gport = map.u.ioport_mapping.first_mport = 0x2f0;
    CHECK_EQ(domctl(&map), -XEN_EPERM); /* half of it is not its own */
    give.u.ioport_permission.allow_access = 0;
    CHECK_EQ(domctl(&give), 0);
    CHECK_EQ(world.ports_allowed, 0);
    CHECK_EQ(domctl(&give), -XEN_EINVAL);
    give.u.ioport_permission = (struct xen_domctl_ioport_permission){
        .first_port = 0xfff8, .nr_ports = 16, .allow_access = 1};
    CHECK_EQ(domctl(&give), -XEN_EINVAL);
    end();
}

static bool hears(struct domain *d, u32 port)
{
    bool pending = evtchn_is_pending(d, port);

    evtchn_clear_pending(d, port, evtchn_of(d, port));
    return pending;
}

/* A global VIRQ goes to its handler, and to the control domain when that one is gone. */
static void a_virq_has_one_handler(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_set_virq_handler, .domain = 1};
    s64 ours, theirs;

    begin();
    ours = evtchn_bind_virq(control, VIRQ_DOM_EXC, 0);
    theirs = evtchn_bind_virq(guest, VIRQ_DOM_EXC, 0);
    CHECK(ours > 0 && theirs > 0);
    evtchn_global_virq(VIRQ_DOM_EXC);
    CHECK(hears(control, (u32)ours) &&
          !hears(guest, (u32)theirs)); /* may bind, hears nothing */
    op.u.set_virq_handler.virq = NR_VIRQS;
    CHECK_EQ(domctl(&op), -XEN_EINVAL);
    op.u.set_virq_handler.virq = VIRQ_DOM_EXC;
    CHECK_EQ(domctl(&op), 0);
    evtchn_global_virq(VIRQ_DOM_EXC);
    CHECK(!hears(control, (u32)ours) && hears(guest, (u32)theirs));
    world_end(guest);
    hears(control, (u32)ours); /* of that end */
    evtchn_global_virq(VIRQ_DOM_EXC);
    CHECK(hears(control, (u32)ours));
    world_end(control);
}

/* --- ends ----------------------------------------------------------------------------------- */

static void a_soft_reset_closes_every_port(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_soft_reset, .domain = 1};
    s64 ours, theirs;

    begin();
    ours = evtchn_alloc_unbound(control, 1);
    theirs = evtchn_bind_interdomain(guest, control, (u32)ours);
    CHECK(theirs > 0 && evtchn_alloc_unbound(guest, 0) > 0);
    CHECK_EQ(guest->evtchn->in_use, 2);
    CHECK_EQ(domctl(&op), 0);
    CHECK_EQ(guest->evtchn->in_use, 0);
    CHECK_EQ(evtchn_of(control, (u32)ours)->state, EVTCHNSTAT_unbound);
    op.domain = 0;
    CHECK_EQ(domctl(&op), -XEN_EINVAL); /* not itself */
    end();
}

static void another_is_shut_down(void)
{
    struct sched_remote_shutdown r = {.domain_id = 1, .reason = SHUTDOWN_MAX + 1};
    struct vcpu *v;

    begin();
    v = control->vcpu[0];
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &r, sizeof(r)),
             -XEN_EINVAL);
    r.domain_id = 99;
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &r, sizeof(r)),
             -XEN_ESRCH);
    r = (struct sched_remote_shutdown){.domain_id = 0, .reason = SHUTDOWN_reboot};
    CHECK_EQ(guest_call(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &r, sizeof(r)),
             -XEN_EPERM);
    CHECK_EQ(control->state, DOMAIN_LIVE);
    r.domain_id = 1;
    CHECK_EQ(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &r, sizeof(r)), 0);
    CHECK_EQ(guest->state, DOMAIN_SHUTDOWN);
    CHECK_EQ(guest->shutdown_reason, SHUTDOWN_reboot);
    end();
}

/* The first reason a guest announces is the one its end has, whatever ends it; a resumed guest
 * has announced nothing. */
static void an_announced_reason_counts(void)
{
    struct sched_shutdown s = {.reason = SHUTDOWN_MAX + 1};

    begin();
    CHECK_EQ(guest_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, &s, sizeof(s)),
             -XEN_EINVAL);
    for (u32 reason = SHUTDOWN_suspend; reason >= SHUTDOWN_reboot; reason--) {
        s.reason = reason;
        CHECK_EQ(guest_call(__HYPERVISOR_sched_op, SCHEDOP_shutdown_code, &s, sizeof(s)), 0);
    }
    CHECK_EQ(guest->state, DOMAIN_LIVE);
    domain_shutdown(guest, SHUTDOWN_poweroff);
    CHECK_EQ(guest->shutdown_reason, SHUTDOWN_suspend);
    CHECK_EQ(domain_resume(guest), 0);
    domain_shutdown(guest, SHUTDOWN_poweroff);
    CHECK_EQ(guest->shutdown_reason, SHUTDOWN_poweroff);
    end();
}

/* --- the vendor's ---------------------------------------------------------------------------- */

static void a_vcpu_is_dumped(void)
{
    struct osm_dump dump = {.domid = 1, .vcpu = 1};

    begin();
    guest->vcpu[1]->regs.rax = 0xabcd;
    guest->vcpu[1]->regs.rip = 0x1111;
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_dump, &dump, sizeof(dump)),
             0);
    CHECK_EQ(dump.regs[0], 0xabcd);
    CHECK_EQ(dump.regs[16], 0x1111);
    dump.vcpu = 2;
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_dump, &dump, sizeof(dump)),
             -XEN_ENOENT);
    CHECK_EQ(guest_call(__HYPERVISOR_arch_7, OSM_OP_dump, &dump, sizeof(dump)), -XEN_EPERM);
    end();
}

static void trace_rings_are_remembered(void)
{
    struct osm_trace_ring ring = {.gfn = 5, .pages = 3};
    struct osm_trace_where where = {.domid = 1};
    struct osm_trace_drain drain = {.capacity = 0};
    u64 before;

    begin();
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_trace_drain, &drain,
                      sizeof(drain)),
             0);
    before = drain.rings;
    CHECK_EQ(guest_call(__HYPERVISOR_arch_7, OSM_OP_trace_ring, &ring, sizeof(ring)), 0);
    ring = (struct osm_trace_ring){.gfn = 5, .pages = 100000};
    CHECK_EQ(guest_call(__HYPERVISOR_arch_7, OSM_OP_trace_ring, &ring, sizeof(ring)),
             -XEN_EINVAL);
    ring = (struct osm_trace_ring){.gfn = 62, .pages = 3}; /* RAM ends at 64 */
    CHECK_EQ(guest_call(__HYPERVISOR_arch_7, OSM_OP_trace_ring, &ring, sizeof(ring)),
             -XEN_EFAULT);
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_trace_where, &where,
                      sizeof(where)),
             0);
    CHECK(where.gfn == 5 && where.pages == 3);
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_trace_drain, &drain,
                      sizeof(drain)),
             0);
    CHECK_EQ(drain.rings, before + 1); /* what was refused was not said */
    where.domid = 99;
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_trace_where, &where,
                      sizeof(where)),
             -XEN_ESRCH);
    end();
}

/* A frame of an image is one frame however many see it, until one of them writes. */
static void an_image_is_one_frame(void)
{
    struct osm_share s = {.domid = 1, .pages = 2, .from = 100, .to = 40};
    u8 text[] = "image", seen[sizeof(text)] = {0};
    enum p2m_access access;
    struct domain *other;
    mfn_t image[2], frame;
    u64 before;

    begin();
    other = world_domain(2, 1, 64);
    for (u32 i = 0; i < 2; i++) {
        image[i] = frame_alloc(NULL, 0, FRAME_RAM);
        memcpy(frame_map(image[i]), text, sizeof(text));
        frame_get(image[i]); /* the map's */
        CHECK_EQ(p2m_map(control, GFN(100 + i), image[i], 0, P2M_FOREIGN, P2M_R), 0);
    }
    CHECK_EQ(guest_call(__HYPERVISOR_arch_7, OSM_OP_share, &s, sizeof(s)), -XEN_EPERM);
    world_put(control, WORLD_ARG, &s, sizeof(s)); /* there from now on */
    world_put(other, WORLD_ARG, &s, sizeof(s));
    before = frames_free();
    for (s.domid = 1; s.domid <= 2; s.domid++)
        CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_share, &s, sizeof(s)),
                 0);
    CHECK_EQ(before - frames_free(), 0);
    before = frames_free();
    world_get(guest, 40 << PAGE_SHIFT, seen, sizeof(seen));
    CHECK(!memcmp(text, seen, sizeof(text)));
    CHECK_EQ(p2m_look(guest, GFN(40), &frame, &access), P2M_COPY);
    CHECK_EQ(frame.n, image[0].n);
    CHECK_EQ(p2m_look(other, GFN(40), &frame, &access), P2M_COPY);
    CHECK_EQ(frame.n, image[0].n);
    CHECK_EQ(frames_free(), before);
    /* As a hypercall's result is written. */
    world_put(guest, (40 << PAGE_SHIFT) + 8, "mine", 4);
    CHECK_EQ(before - frames_free(), 1);
    CHECK_EQ(p2m_look(guest, GFN(40), &frame, &access), P2M_RAM);
    CHECK(frame.n != image[0].n);
    /* As a writable grant of it is mapped. */
    CHECK_EQ(p2m_get(other, GFN(41), P2M_RW, &frame), 0);
    CHECK(frame.n != image[1].n);
    frame_put(frame);
    CHECK_EQ(before - frames_free(), 2);
    CHECK(!memcmp(frame_map(image[0]), text, sizeof(text)));
    CHECK(!memcmp((u8 *)frame_map(image[0]) + 8, "\0\0\0\0", 4));
    s = (struct osm_share){.domid = 1, .pages = 1, .from = 100, .to = 40};
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_share, &s, sizeof(s)),
             -XEN_EBUSY);
    s = (struct osm_share){.domid = 1, .pages = 1, .from = 5, .to = 50};
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_share, &s, sizeof(s)),
             -XEN_EFAULT); /* its own RAM is nobody's image */
    world_end(other);
    end();
}

TESTS(CASE(the_machine_is_described), CASE(idle_time_is_told_per_cpu),
      CASE(domains_are_listed_in_pieces), CASE(the_log_is_read_once),
      CASE(handles_and_times_are_set), CASE(a_hypercall_page_is_written),
      CASE(vcpus_are_looked_into), CASE(registers_travel_as_guest_contexts),
      CASE(a_target_is_acted_for), CASE(ports_are_given_and_taken),
      CASE(a_virq_has_one_handler), CASE(a_soft_reset_closes_every_port),
      CASE(another_is_shut_down), CASE(an_announced_reason_counts), CASE(a_vcpu_is_dumped),
      CASE(trace_rings_are_remembered), CASE(an_image_is_one_frame))
