/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's life (H12, P26): creation and destruction in any state leave nothing behind, ten
 * thousand times; pause counts; shutdown, crash, resume; what a small domain costs; quotas;
 * who runs when; and the control operations as the control domain calls them.
 */
#include "base/keyed.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/timer.h"
#include "tests/check.h"
#include "tests/hyp/builder.h"

enum { LENT_REF = 8, LENT_GFN = 10, THEIRS_AT = 80, OURS_AT = 45 };

/* A page of the one is mapped by the other. */
static void lend(struct domain *from, struct domain *to, u64 place)
{
    struct gnttab_map_grant_ref m = {.host_addr = place << PAGE_SHIFT,
                                     .flags = GNTMAP_host_map,
                                     .ref = LENT_REF,
                                     .dom = from->id};
    struct grant_batch batch = {0};
    mfn_t frame;

    CHECK_EQ(grant_shared_frame(from, 0, &frame), 0);
    ((struct grant_entry_v1 *)frame_map(frame))[LENT_REF] = (struct grant_entry_v1){
        .flags = GTF_permit_access, .domid = to->id, .frame = LENT_GFN};
    frame_put(frame);
    grant_map_one(to, &batch, &m);
    grant_batch_end(&batch);
    CHECK_EQ(m.status, GNTST_okay);
}

/* What the dead have lent is there until it is given back. */
static void give_back(struct domain *d)
{
    for (u32 handle = 0; handle < d->grant->map_room; handle++) {
        struct gnttab_unmap_grant_ref u = {.host_addr = (u64)THEIRS_AT << PAGE_SHIFT,
                                           .handle = handle};

        grant_unmap_batch(d, &u, 1);
    }
    CHECK_EQ(d->grant->map_count, 0);
}

static void lend_both_ways(domid_t id)
{
    struct domain *d = domain_find(id);

    lend(d, control, THEIRS_AT);
    lend(control, d, OURS_AT);
    domain_put(d);
}

static void entangle(domid_t id, u64 n)
{
    struct domain *d = domain_find(id);
    struct vcpu *v = d->vcpu[0];
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = 0};
    struct evtchn_bind_virq virq = {.virq = VIRQ_TIMER};
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = world.now_ns + n * 1000};
    struct vcpu_register_vcpu_info info = {.mfn = 9, .offset = 64};
    struct evtchn_init_control fifo = {.control_gfn = 12};
    struct evtchn_expand_array array = {.array_gfn = 13};
    struct sched_watchdog dog = {.timeout = 10};

    for (u32 i = 0; i < 1 + n % 50; i++)
        CHECK_EQ(
            world_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &u, sizeof(u)),
            0);
    evtchn_bind_interdomain(control, d, u.port);
    CHECK_EQ(
        world_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &virq, sizeof(virq)), 0);
    CHECK_EQ(world_vcpu_op(v, VCPUOP_set_singleshot_timer, 0, &t, sizeof(t)), 0);
    if (n & 1)
        CHECK_EQ(world_vcpu_op(v, VCPUOP_register_vcpu_info, 0, &info, sizeof(info)), 0);
    if (n & 2) {
        CHECK_EQ(world_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_init_control, &fifo,
                          sizeof(fifo)),
                 0);
        CHECK_EQ(world_op(v, __HYPERVISOR_event_channel_op, EVTCHNOP_expand_array, &array,
                          sizeof(array)),
                 0);
    }
    if (n & 4)
        CHECK(world_op(v, __HYPERVISOR_sched_op, SCHEDOP_watchdog, &dog, sizeof(dog)) > 0);
    world.current = control->vcpu[0];
    domain_put(d);
}

/* One in five ends in the middle of its building. */
static void a_life(u64 n)
{
    domid_t id;

    if (n % 5 == 4) {
        id = builder_create(1 + (u32)(n % 3));
        CHECK_EQ(builder_command(XEN_DOMCTL_destroydomain, id), 0);
        return;
    }
    id = builder_build(1 + (u32)(n % 3));
    entangle(id, n);
    lend_both_ways(id);
    if (n % 3)
        CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    if (n % 7 == 0)
        builder_everybody_picks();
    builder_destroy(id);
    give_back(control);
}

static void close_all(struct domain *d)
{
    for (u32 port = 1; port < d->evtchn->made; port++)
        if (evtchn_of(d, port)->state != EVTCHNSTAT_closed)
            evtchn_close(d, port);
}

static void ten_thousand_lives_leave_nothing(void)
{
    u64 before, overhead;

    builder_begin();
    for (u64 n = 0; n < 40; n++) /* what the control domain itself needs is there after these */
        a_life(n);
    close_all(control);
    domains_reap();
    before = frames_free();
    overhead = control->overhead;
    for (u64 n = 0; n < 10000; n++) {
        a_life(n);
        close_all(control);
        if (checks_failed)
            break;
    }
    domains_reap();
    CHECK_EQ(frames_free(), before);
    CHECK_EQ(control->overhead, overhead);
    CHECK_EQ(control->evtchn->in_use, 0);
    CHECK(!grant_any_active(control));
    CHECK_EQ(domain_total(), 1);
    CHECK_EQ(timer_next(0), TIMER_NEVER);
    CHECK_EQ(timer_next(1), TIMER_NEVER);
    world_end(control);
}

/* Any allocation on the way may fail, at any point: an error, and nothing left. */
static void every_allocation_may_fail(void)
{
    u64 before;
    u32 failures = 0;

    builder_begin();
    domains_reap();
    before = frames_free();
    for (u64 n = 1; n < 40; n++) {
        struct osm_inject i = {
            .domid = OSM_ALL_DOMAINS, .point = OSM_POINT_fail_frame, .after = n};
        struct domain *d = NULL;
        int error;

        CHECK_EQ(inject_arm(&i), 0);
        error = domain_create(50, 2, 0, 0, &d);
        for (u32 v = 0; !error && v < 2; v++)
            error = vcpu_create(d, v);
        i.after = 0;
        inject_arm(&i);
        failures += error == -XEN_ENOMEM;
        CHECK(!error || error == -XEN_ENOMEM);
        if (d)
            world_end(d);
        domains_reap();
        CHECK_EQ(frames_free(), before);
    }
    CHECK(failures >= 4);
    world_end(control);
}

/* F23: the n-th domain, at once and without a trace; the next one is made again. */
static void a_domain_can_be_made_to_fail(void)
{
    struct osm_inject i = {
        .domid = OSM_ALL_DOMAINS, .point = OSM_POINT_fail_domain, .after = 2};
    struct xen_domctl op = {.cmd = XEN_DOMCTL_createdomain};
    domid_t first, third;

    builder_begin();
    CHECK_EQ(inject_arm(&i), 0);
    first = builder_create(1);
    op.u.createdomain = (struct xen_domctl_createdomain){
        .flags = XEN_DOMCTL_CDF_hvm, .max_vcpus = 1, .max_grant_frames = 4, .grant_opts = 1};
    CHECK_EQ(world_domctl(control, &op), -XEN_ENOMEM);
    CHECK_EQ(domain_total(), 2);
    third = builder_create(1);
    i.after = 0;
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(i.fired, 1);
    builder_destroy(first);
    builder_destroy(third);
    world_end(control);
}

static void a_small_domain_costs_little(void)
{
    struct domain *d;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    entangle(id, 1);
    d = domain_find(id);
    /* P26: 48 KiB with the vendor's control block (4) and the shared frames, which the host
     * stand-in does not allocate. */
    CHECK(d->overhead <= 40 * 1024);
    printf("a small domain: %llu bytes\n", (unsigned long long)d->overhead);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

/* A builder says how many ports a domain may have (H23). */
static void ports_end_where_the_builder_said(void)
{
    struct evtchn_alloc_unbound u;
    u32 made = 0;
    domid_t id;
    s64 error;

    builder_begin();
    id = builder_create(1);
    do {
        u = (struct evtchn_alloc_unbound){.dom = id, .remote_dom = 0};
        error = world_op(control->vcpu[0], __HYPERVISOR_event_channel_op,
                         EVTCHNOP_alloc_unbound, &u, sizeof(u));
        made += !error;
    } while (!error);
    CHECK_EQ(error, -XEN_ENOSPC);
    CHECK_EQ(made, 1023);
    builder_destroy(id);
    world_end(control);
}

static void pauses_count(void)
{
    struct domain *d;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    d = domain_find(id);
    CHECK_EQ(d->pause_count, 1);
    CHECK_EQ(builder_command(XEN_DOMCTL_pausedomain, id), 0);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    CHECK(d->vcpu[0]->sched.hold & SCHED_HOLD_PAUSED);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    CHECK_EQ(d->vcpu[0]->sched.hold, 0);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), -XEN_EINVAL);
    CHECK_EQ(builder_command(XEN_DOMCTL_pausedomain, 0), -XEN_EINVAL); /* not itself */
    CHECK_EQ(builder_command(XEN_DOMCTL_destroydomain, 0), -XEN_EINVAL);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

static u32 info_flags(domid_t id)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getdomaininfo, .domain = id};

    CHECK_EQ(world_domctl(control, &op), 0);
    CHECK_EQ(op.u.getdomaininfo.domain, id);
    CHECK_EQ(op.u.getdomaininfo.tot_pages, 32);
    CHECK_EQ(op.u.getdomaininfo.max_pages, 64);
    return op.u.getdomaininfo.flags;
}

static void shutdowns_are_told(void)
{
    struct sched_shutdown s = {.reason = SHUTDOWN_reboot};
    struct evtchn_bind_virq virq = {.virq = VIRQ_DOM_EXC};
    struct domain *d;
    domid_t id;

    builder_begin();
    CHECK_EQ(world_op(control->vcpu[0], __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq,
                      &virq, sizeof(virq)),
             0);
    id = builder_build(1);
    d = domain_find(id);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    CHECK(!evtchn_is_pending(control, virq.port));
    CHECK_EQ(world_op(d->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_shutdown, &s, sizeof(s)), 0);
    CHECK(evtchn_is_pending(control, virq.port));
    CHECK_EQ(info_flags(id) >> XEN_DOMINF_shutdownshift, SHUTDOWN_reboot);
    CHECK(info_flags(id) & XEN_DOMINF_shutdown);
    CHECK_EQ(builder_command(XEN_DOMCTL_resumedomain, id), 0);
    CHECK(!(info_flags(id) & XEN_DOMINF_shutdown));
    CHECK_EQ(d->vcpu[0]->sched.hold, 0);
    /* The last vCPU halts with interrupts off: power-off. */
    vcpu_hlt(d->vcpu[0], false);
    CHECK(info_flags(id) & XEN_DOMINF_shutdown);
    CHECK_EQ(info_flags(id) >> XEN_DOMINF_shutdownshift, SHUTDOWN_poweroff);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

static void a_crash_ends_one_domain_only(void)
{
    struct domain *d;
    u64 lines;
    domid_t id, other;

    builder_begin();
    id = builder_build(1);
    other = builder_build(1);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, other), 0);
    d = domain_find(id);
    lines = world.log_lines;
    domain_crash(d, "it did %s", "wrong");
    CHECK(world.log_lines > lines + 5); /* registers and all */
    CHECK_EQ(info_flags(id) >> XEN_DOMINF_shutdownshift & 255, SHUTDOWN_crash);
    CHECK(!(info_flags(other) & XEN_DOMINF_shutdown));
    domain_put(d);
    builder_destroy(id);
    builder_destroy(other);
    world_end(control);
}

static void the_unprivileged_may_not(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_pausedomain,
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION};
    struct xen_sysctl sys = {.cmd = XEN_SYSCTL_physinfo,
                             .interface_version = XEN_SYSCTL_INTERFACE_VERSION};
    struct osm_output out = {.len = 1};
    struct domain *d;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    d = domain_find(id);
    world_put(d, WORLD_ARG, &op, sizeof(op));
    CHECK_EQ(world_call(d->vcpu[0], __HYPERVISOR_domctl, WORLD_ARG, 0, 0), -XEN_EPERM);
    world_put(d, WORLD_ARG, &sys, sizeof(sys));
    CHECK_EQ(world_call(d->vcpu[0], __HYPERVISOR_sysctl, WORLD_ARG, 0, 0), -XEN_EPERM);
    CHECK_EQ(world_op(d->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_output, &out, sizeof(out)),
             -XEN_EPERM);
    CHECK_EQ(world_op(d->vcpu[0], __HYPERVISOR_arch_7, OSM_OP_version, &out, sizeof(out)),
             OSM_ABI_VERSION);
    d->vcpu[0]->virt->cpl = 3; /* a process inside the guest */
    CHECK_EQ(world_call(d->vcpu[0], __HYPERVISOR_xen_version, 0, 0, 0), -XEN_EPERM);
    op.interface_version++;
    world_put(control, WORLD_ARG, &op, sizeof(op));
    CHECK_EQ(world_call(control->vcpu[0], __HYPERVISOR_domctl, WORLD_ARG, 0, 0), -XEN_EACCES);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

static void weights_caps_and_affinity_by_domctl(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_scheduler_op};
    u64 cpus = 2;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    op.domain = id;
    op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT;
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
    op.u.scheduler_op.u.credit.weight = 512;
    op.u.scheduler_op.u.credit.cap = 40;
    CHECK_EQ(world_domctl(control, &op), 0);
    op.u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_getinfo;
    op.u.scheduler_op.u.credit.weight = 0;
    CHECK_EQ(world_domctl(control, &op), 0);
    CHECK_EQ(op.u.scheduler_op.u.credit.weight, 512);
    CHECK_EQ(op.u.scheduler_op.u.credit.cap, 40);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_setvcpuaffinity, .domain = id};
    op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
    op.u.vcpuaffinity.cpumap_hard.bitmap.p = (u8 *)0x1800;
    op.u.vcpuaffinity.cpumap_hard.nr_bits = 8;
    world_put(control, 0x1800, &cpus, 8);
    CHECK_EQ(world_domctl(control, &op), 0);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    builder_everybody_picks();
    {
        struct domain *d = domain_find(id);

        CHECK_EQ(d->vcpu[0]->sched.cpu, 1);
        domain_put(d);
    }
    cpus = 0x80;
    world_put(control, 0x1800, &cpus, 8);
    CHECK_EQ(world_domctl(control, &op), -XEN_EINVAL); /* no such CPU is there */
    builder_destroy(id);
    world_end(control);
}

/* Not there, free, a gate, data, a bit too many. */
static void no_task_register_holds_what_is_no_task(void)
{
    static const u16 no_task[] = {0x0b, 0x89, 0x8c, 0x93, 0x108b};
    struct vcpu_hvm_context context = builder_context();
    struct domain *d;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    d = domain_find(id);
    for (u32 i = 0; i < ARRAY_SIZE(no_task); i++) {
        context.cpu_regs.x86_32.tr_ar = no_task[i];
        CHECK_EQ(vcpu_set_context(d->vcpu[0], &context), -XEN_EINVAL);
    }
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

/* Registers go out by gethvmcontext and come back by sethvmcontext unchanged. */
static void contexts_survive_the_round_trip(void)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_gethvmcontext};
    struct guest_regs before;
    struct domain *d;
    domid_t id;

    builder_begin();
    id = builder_build(1);
    d = domain_find(id);
    d->vcpu[0]->regs.rax = 0x1234;
    d->vcpu[0]->regs.r15 = 0x5678;
    before = d->vcpu[0]->regs;
    op.domain = id;
    CHECK_EQ(world_domctl(control, &op), 0);
    CHECK(op.u.hvmcontext.size > 1000);
    op.u.hvmcontext.buffer.p = (u8 *)0x8000;
    CHECK_EQ(world_domctl(control, &op), 0);
    d->vcpu[0]->regs.rax = d->vcpu[0]->regs.r15 = 0;
    op.cmd = XEN_DOMCTL_sethvmcontext;
    CHECK_EQ(world_domctl(control, &op), 0);
    CHECK(!memcmp(&before, &d->vcpu[0]->regs, sizeof(before)));
    CHECK_EQ(d->vcpu[0]->virt->state.cs.attr, 0xc9b);
    op.u.hvmcontext.size -= 8; /* without its END */
    CHECK_EQ(world_domctl(control, &op), -XEN_EINVAL);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

static void watchdogs_bite_the_unfed(void)
{
    struct sched_watchdog w = {.timeout = 1};
    struct domain *d;
    domid_t id;
    s64 dog;

    builder_begin();
    id = builder_build(1);
    d = domain_find(id);
    CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id), 0);
    dog = world_op(d->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_watchdog, &w, sizeof(w));
    CHECK_EQ(dog, 1);
    world.now_ns += 900000000;
    timer_run(0, world.now_ns);
    w = (struct sched_watchdog){.id = 1, .timeout = 1};
    CHECK_EQ(world_op(d->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_watchdog, &w, sizeof(w)), 0);
    world.now_ns += 900000000;
    timer_run(0, world.now_ns);
    CHECK_EQ(d->state, DOMAIN_LIVE);
    world.now_ns += 200000000;
    timer_run(0, world.now_ns);
    CHECK_EQ(d->state, DOMAIN_SHUTDOWN);
    CHECK_EQ(d->shutdown_reason, SHUTDOWN_watchdog);
    w = (struct sched_watchdog){.id = 9, .timeout = 1};
    CHECK_EQ(world_op(d->vcpu[0], __HYPERVISOR_sched_op, SCHEDOP_watchdog, &w, sizeof(w)),
             -XEN_EINVAL);
    domain_put(d);
    builder_destroy(id);
    world_end(control);
}

/* Two that compute: the one is pre-empted at the instants it was armed for, not before, and
 * only while it is on the CPU. */
static void preempted_at_an_instant(void)
{
    struct osm_inject i = {
        .point = OSM_POINT_instant, .vcpu = 0xffff, .after = 100000, .every = 50000};
    struct vcpu *mine, *other;
    domid_t id[2];

    builder_begin();
    vcpu_hold(control->vcpu[0], SCHED_HOLD_PAUSED);
    for (u32 n = 0; n < 2; n++) {
        id[n] = builder_build(1);
        CHECK_EQ(builder_command(XEN_DOMCTL_unpausedomain, id[n]), 0);
    }
    world.cpu = 0;
    mine = vcpu_schedule(world.now_ns);
    CHECK(mine);
    i.domid = mine->domain->id;
    CHECK_EQ(inject_arm(&i), 0);
    vcpu_tick(0, world.now_ns += 99999);
    CHECK(!(mine->attention & VCPU_ATTN_LEAVE));
    vcpu_tick(0, world.now_ns += 1);
    CHECK(mine->attention & VCPU_ATTN_LEAVE);
    other = vcpu_schedule(world.now_ns);
    CHECK(other && other != mine);
    vcpu_tick(0, world.now_ns += 50000);
    CHECK(!(other->attention & VCPU_ATTN_LEAVE));
    i.after = 0;
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(i.fired, 1);
    i = (struct osm_inject){.point = OSM_POINT_instant, .after = 1, .every = 999};
    CHECK_EQ(inject_arm(&i), -XEN_EINVAL);
    for (u32 n = 0; n < 2; n++)
        builder_destroy(id[n]);
    vcpu_schedule(world.now_ns);
    world_end(control);
}

TESTS(CASE(ten_thousand_lives_leave_nothing), CASE(every_allocation_may_fail),
      CASE(a_domain_can_be_made_to_fail), CASE(a_small_domain_costs_little),
      CASE(ports_end_where_the_builder_said), CASE(pauses_count), CASE(shutdowns_are_told),
      CASE(a_crash_ends_one_domain_only), CASE(the_unprivileged_may_not),
      CASE(weights_caps_and_affinity_by_domctl), CASE(no_task_register_holds_what_is_no_task),
      CASE(contexts_survive_the_round_trip), CASE(watchdogs_bite_the_unfed),
      CASE(preempted_at_an_instant))
