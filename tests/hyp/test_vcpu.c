/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs as guests see them (H05, H15): the local APIC in both forms, IPIs, INIT and SIPI, its
 * timer; vcpu_info registered elsewhere; pvclock and runstate areas in both widths; up, down
 * and initialise; periodic timers that do not drift.
 */
#include "hyp/dev/lapic.h"
#include "hyp/dom/timer.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

static struct domain *d;
static struct vcpu *v0, *v1;
static u64 v0_made_ns;
#define MINUTE_NS 60000000000ull

static void begin(void)
{
    world_init(2);
    d = world_domain(1, 2, 64);
    v0 = d->vcpu[0];
    v1 = d->vcpu[1];
    v0_made_ns = v0->runstate_since;
    world.current = v0;
}

static void end(void)
{
    world_end(d);
}

static u32 reg(struct vcpu *v, u32 offset)
{
    u32 value;

    CHECK(lapic_read(v, offset, &value));
    return value;
}

static void apics_are_named_and_enabled(void)
{
    u64 base;
    u32 value;

    begin();
    CHECK_EQ(reg(v0, 0x20), 0);
    CHECK_EQ(reg(v1, 0x20), 2u << 24); /* twice the vCPU, as Xen numbers them */
    CHECK_EQ(reg(v0, 0x30) & 0xff, 0x14);
    CHECK(lapic_rdmsr(v0, 0x1b, &base));
    CHECK_EQ(base, 0xfee00900);
    CHECK(lapic_rdmsr(v1, 0x1b, &base));
    CHECK_EQ(base, 0xfee00800);
    CHECK(!lapic_rdmsr(v0, 0x802, &base)); /* not in x2APIC mode yet */
    CHECK(lapic_wrmsr(v1, 0x1b, base | 0x400));
    CHECK(lapic_rdmsr(v1, 0x802, &base));
    CHECK_EQ(base, 2);
    CHECK(lapic_rdmsr(v1, 0x80d, &base));
    CHECK_EQ(base, 1 << 2);                    /* cluster 0, bit 2 */
    CHECK(!lapic_wrmsr(v1, 0x1b, 0xfee00800)); /* not straight back */
    CHECK(!lapic_wrmsr(v0, 0x1b, 0xfee00500)); /* x2 without enable */
    CHECK(!lapic_wrmsr(v0, 0x1b, 0xfed00900)); /* not moved */
    CHECK(!lapic_wrmsr(v1, 0x80b, 1));         /* EOI takes only 0 */
    CHECK(!lapic_wrmsr(v1, 0x8ff, 0));
    CHECK(!lapic_read(v0, 0x40, &value)); /* reserved */
    CHECK(!lapic_write(v0, 0x3f0, 0x40)); /* self IPI is x2APIC's */
    end();
}

static void priorities_and_end_of_interrupt(void)
{
    begin();
    lapic_raise(v0, 0x40);
    CHECK_EQ(lapic_pending(v0->lapic), -1); /* software-disabled */
    lapic_write(v0, 0xf0, 0x1ff);
    lapic_raise(v0, 0x40);
    lapic_raise(v0, 0x81);
    lapic_raise(v0, 0x5); /* no such vector */
    CHECK_EQ(interrupt_pending(v0), 0x81);
    interrupt_taken(v0, 0x81);
    CHECK_EQ(interrupt_pending(v0), -1); /* 0x40 is below what is served */
    lapic_raise(v0, 0x8f);
    CHECK_EQ(interrupt_pending(v0), -1); /* same class */
    lapic_raise(v0, 0x90);
    CHECK_EQ(interrupt_pending(v0), 0x90);
    interrupt_taken(v0, 0x90);
    lapic_write(v0, 0xb0, 0);
    CHECK_EQ(interrupt_pending(v0), -1);
    lapic_write(v0, 0xb0, 0);
    CHECK_EQ(interrupt_pending(v0), 0x8f);
    interrupt_taken(v0, 0x8f);
    lapic_write(v0, 0xb0, 0);
    lapic_set_tpr(v0, 0x40);
    CHECK_EQ(interrupt_pending(v0), -1);
    lapic_set_tpr(v0, 0x30);
    CHECK_EQ(interrupt_pending(v0), 0x40);
    end();
}

static void interrupts_between_processors(void)
{
    begin();
    lapic_write(v0, 0xf0, 0x1ff);
    lapic_write(v1, 0xf0, 0x1ff);
    lapic_write(v0, 0x310, 2u << 24);
    lapic_write(v0, 0x300, 0x4050);
    CHECK_EQ(lapic_pending(v1->lapic), 0x50);
    CHECK_EQ(lapic_pending(v0->lapic), -1);
    lapic_write(v0, 0x300, 0xc4060); /* all but self */
    CHECK_EQ(lapic_pending(v1->lapic), 0x60);
    lapic_write(v0, 0x300, 0x44061); /* self */
    CHECK_EQ(lapic_pending(v0->lapic), 0x61);
    lapic_write(v0, 0x300, 0x84070); /* all */
    CHECK_EQ(lapic_pending(v0->lapic), 0x70);
    CHECK_EQ(lapic_pending(v1->lapic), 0x70);
    lapic_write(v1, 0xd0, 0x02000000); /* logical, flat */
    lapic_write(v0, 0x310, 0x02000000);
    lapic_write(v0, 0x300, 0x4880);
    CHECK_EQ(lapic_pending(v1->lapic), 0x80);
    CHECK_EQ(lapic_pending(v0->lapic), 0x70);
    lapic_write(v0, 0x300, 0x4003); /* a vector that cannot be sent */
    lapic_write(v0, 0x280, 0);
    CHECK_EQ(reg(v0, 0x280), 1 << 5);
    end();
}

static void processors_start_by_init_and_sipi(void)
{
    begin();
    CHECK_EQ(d->online, 2);
    lapic_write(v0, 0x310, 2u << 24);
    lapic_write(v0, 0x300, 0x4500); /* INIT */
    CHECK(v1->sched.hold & SCHED_HOLD_DOWN);
    CHECK_EQ(d->online, 1);
    CHECK_EQ(d->state, DOMAIN_LIVE); /* no power-off */
    lapic_write(v0, 0x300, 0x0500);  /* level de-assert: nothing */
    lapic_write(v0, 0x300, 0x4699);  /* SIPI */
    CHECK(!(v1->sched.hold & SCHED_HOLD_DOWN));
    CHECK(v1->attention & VCPU_ATTN_RESET);
    vcpu_apply_reset(v1);
    CHECK_EQ(v1->regs.rip, 0x99000); /* the stand-in's real mode */
    CHECK(!(v1->attention & VCPU_ATTN_RESET));
    CHECK_EQ(d->online, 2);
    v1->regs.rip = 1;
    lapic_write(v0, 0x300, 0x4642); /* a second SIPI is ignored */
    CHECK(!(v1->attention & VCPU_ATTN_RESET));
    end();
}

static void the_apic_timer(void)
{
    begin();
    world.now_ns = 1000000;
    lapic_write(v0, 0xf0, 0x1ff);
    lapic_write(v0, 0x3e0, 0xb);         /* divide by 1 */
    lapic_write(v0, 0x320, 0x200e0 | 0); /* periodic, vector 0xe0 */
    lapic_write(v0, 0x380, 500000);
    CHECK_EQ(reg(v0, 0x390), 500000);
    world.now_ns += 100000;
    CHECK_EQ(reg(v0, 0x390), 400000);
    for (u32 i = 1; i <= 5; i++) {
        world.now_ns = 1000000 + i * 500000;
        timer_run(v0->cpu, world.now_ns);
        CHECK_EQ(interrupt_pending(v0), 0xe0);
        interrupt_taken(v0, 0xe0);
        lapic_write(v0, 0xb0, 0);
    }
    lapic_write(v0, 0x380, 0);
    timer_run(v0->cpu, world.now_ns + 10000000);
    CHECK_EQ(interrupt_pending(v0), -1);
    lapic_write(v0, 0x320, 0xe1); /* one shot, divided by two */
    lapic_write(v0, 0x3e0, 0);
    lapic_write(v0, 0x380, 1000);
    timer_run(v0->cpu, world.now_ns + 1999);
    CHECK_EQ(interrupt_pending(v0), -1);
    timer_run(v0->cpu, world.now_ns + 2000);
    CHECK_EQ(interrupt_pending(v0), 0xe1);
    end();
}

static void upcalls_by_vector_go_through_the_apic(void)
{
    struct xen_hvm_evtchn_upcall_vector u = {.vcpu = 0, .vector = 0xf3};
    struct evtchn_bind_ipi i = {.vcpu = 0};
    struct evtchn_send s;

    begin();
    lapic_write(v0, 0xf0, 0x1ff);
    CHECK_EQ(world_op(v0, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
             0);
    u.vector = 3;
    CHECK_EQ(world_op(v0, __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, &u, sizeof(u)),
             -XEN_EINVAL);
    CHECK_EQ(world_op(v0, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, &i, sizeof(i)), 0);
    s.port = i.port;
    CHECK_EQ(world_op(v0, __HYPERVISOR_event_channel_op, EVTCHNOP_send, &s, sizeof(s)), 0);
    CHECK_EQ(interrupt_pending(v0), 0xf3);
    interrupt_taken(v0, 0xf3);
    CHECK_EQ(interrupt_pending(v0), -1);
    CHECK_EQ(reg(v0, 0x170), 1u << (0xf3 & 31)); /* in service until the guest says so */
    end();
}

static void vcpu_info_moves_once(void)
{
    struct vcpu_register_vcpu_info r = {.mfn = 10, .offset = 128};
    struct vcpu_info seen;

    begin();
    r.offset = 4096 - 60;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 0, &r, sizeof(r)), -XEN_ENXIO);
    r.offset = 128;
    r.mfn = 5000;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 0, &r, sizeof(r)), -XEN_EINVAL);
    r.mfn = 10;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 1, &r, sizeof(r)),
             -XEN_EINVAL); /* it runs */
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 0, &r, sizeof(r)), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 0, &r, sizeof(r)), -XEN_EINVAL);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_info, 9, &r, sizeof(r)), -XEN_ENOENT);
    world_get(d, (10 << 12) + 128, &seen, sizeof(seen));
    CHECK_EQ(seen.evtchn_upcall_pending, 1); /* look everywhere: nothing was lost */
    CHECK_EQ(seen.evtchn_pending_sel, -1);
    CHECK(seen.time.version && !(seen.time.version & 1));
    CHECK_EQ(seen.time.tsc_to_system_mul, 1u << 31);
    end();
}

static void runstates_add_up_in_both_widths(void)
{
    struct vcpu_register_runstate_memory_area a = {.addr.p = 0x3000};
    struct vcpu_runstate_info r;
    u64 sum = 0, narrow[5];

    begin();
    world.now_ns += 1000;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
    for (u32 i = 0; i < 10; i++) {
        world.now_ns += 12345;
        vcpu_runstate(v0, (u8)(i & 3), world.now_ns);
    }
    vcpu_get_runstate(v0, &r, world.now_ns);
    for (u32 i = 0; i < 4; i++)
        sum += r.time[i];
    CHECK(sum >= 10 * 12345 && sum <= world.now_ns);
    vcpu_runstate(v0, RUNSTATE_blocked, world.now_ns);
    vcpu_runstate(v0, RUNSTATE_running, world.now_ns);
    world_get(d, 0x3000, &r, sizeof(r));
    CHECK_EQ(r.state, RUNSTATE_running);
    CHECK_EQ(r.state_entry_time, world.now_ns);
    memset(&r, 0, sizeof(r));
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_get_runstate_info, 0, &r, sizeof(r)), 0);
    CHECK_EQ(r.state, RUNSTATE_running);
    CHECK_EQ(r.time[0] + r.time[1] + r.time[2] + r.time[3], world.now_ns - v0_made_ns);
    v0->virt->bits = 32;
    a.addr.p = 0x3800;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
    world_get(d, 0x3804, narrow, sizeof(narrow));
    CHECK_EQ(narrow[0], world.now_ns); /* right behind the state: i386 aligns to four */
    end();
}

/* With the flag asked for, whoever reads while it is written sees that it is: what is written
 * first has the flag, and its second half lies in a page that is not there. */
static void runstate_updates_are_flagged(void)
{
    struct vcpu_register_runstate_memory_area a = {.addr.p = 0x3000};
    u64 gfn = 64, edge = (gfn << PAGE_SHIFT) - 16;
    struct vcpu_runstate_info r;
    u64 entered;

    begin();
    CHECK_EQ(world_call(v0, __HYPERVISOR_vm_assist, VMASST_CMD_enable,
                        VMASST_TYPE_runstate_update_flag, 0),
             0);
    CHECK_EQ(world_call(v0, __HYPERVISOR_vm_assist, VMASST_CMD_enable, 3, 0), -XEN_EINVAL);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
    world_get(d, 0x3000, &r, sizeof(r));
    CHECK_EQ(r.state_entry_time, v0->runstate_since); /* done: no flag is left */
    a.addr.p = edge;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
    world_get(d, edge + 8, &entered, sizeof(entered));
    CHECK(entered & XEN_RUNSTATE_UPDATE);
    CHECK_EQ(v0->runstate_linear, 0); /* and no second try */
    CHECK_EQ(world_call(v0, __HYPERVISOR_vm_assist, VMASST_CMD_disable,
                        VMASST_TYPE_runstate_update_flag, 0),
             0);
    a.addr.p = edge;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_runstate_memory_area, 0, &a, sizeof(a)), 0);
    world_get(d, edge + 8, &entered, sizeof(entered));
    CHECK(!(entered & XEN_RUNSTATE_UPDATE));
    end();
}

static void time_areas_follow_the_clock(void)
{
    struct vcpu_register_time_memory_area a = {.addr.p = 0x3000};
    struct vcpu_time_info first, second, other = {0};

    begin();
    world.now_ns = 5000;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_time_memory_area, 0, &a, sizeof(a)), 0);
    world_get(d, 0x3000, &first, sizeof(first));
    CHECK(first.version && !(first.version & 1));
    CHECK_EQ(first.system_time, 5000);
    CHECK_EQ(first.tsc_to_system_mul, 1u << 31);
    CHECK(first.flags & XEN_PVCLOCK_TSC_STABLE_BIT);
    world.now_ns = 9000;
    vcpu_update_time(v0);
    world_get(d, 0x3000, &second, sizeof(second));
    CHECK_EQ(second.system_time, 9000);
    CHECK(second.version > first.version && !(second.version & 1));
    a.addr.p = 0x3800; /* another's is written when that one runs */
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_time_memory_area, 1, &a, sizeof(a)), 0);
    world_get(d, 0x3800, &other, sizeof(other));
    CHECK_EQ(other.version, 0);
    vcpu_update_time(v1);
    world_get(d, 0x3800, &other, sizeof(other));
    CHECK_EQ(other.system_time, 9000);
    a.addr.p = 0xff000000; /* nowhere: forgotten, not tried for ever */
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_register_vcpu_time_memory_area, 0, &a, sizeof(a)), 0);
    CHECK_EQ(v0->time_linear, 0);
    end();
}

/* The clock goes on for who is paused, as on Xen: what was due meanwhile comes at once, once, and
 * then in step with the start. */
static void time_goes_on_in_a_pause(void)
{
    struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};
    struct vcpu_set_periodic_timer p = {.period_ns = 10000000};
    struct vcpu_runstate_info before, after;
    u64 start;

    begin();
    CHECK_EQ(world_op(v0, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &b, sizeof(b)), 0);
    start = world.now_ns;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), 0);
    domain_pause(d);
    vcpu_get_runstate(v0, &before, world.now_ns);
    world.now_ns += 1000000000;
    timer_run(v0->cpu, world.now_ns);
    CHECK(evtchn_is_pending(d, b.port));
    CHECK_EQ(domain_unpause(d), 0);
    vcpu_get_runstate(v0, &after, world.now_ns);
    CHECK_EQ(after.time[RUNSTATE_running], before.time[RUNSTATE_running]);
    vcpu_update_time(v0);
    CHECK_EQ(v0->info->time.system_time, start + 1000000000);
    CHECK_EQ(timer_next(v0->cpu), start + 1010000000);
    end();
}

static void the_small_operations(void)
{
    begin();
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_get_physid, 0, NULL, 0), -XEN_EINVAL); /* not pinned */
    CHECK(!(v1->attention & VCPU_ATTN_NMI));
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_send_nmi, 1, NULL, 0), 0);
    CHECK(v1->attention & VCPU_ATTN_NMI);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_send_nmi, 2, NULL, 0), -XEN_ENOENT);
    end();
}

static void vcpus_go_down_and_come_up(void)
{
    struct vcpu_hvm_context c = {.mode = VCPU_HVM_MODE_64B};

    begin();
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_is_up, 1, NULL, 0), 1);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_initialise, 1, &c, sizeof(c)), -XEN_EEXIST);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_down, 1, NULL, 0), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_is_up, 1, NULL, 0), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_up, 1, NULL, 0), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_is_up, 1, NULL, 0), 1);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_up, 7, NULL, 0), -XEN_ENOENT);
    v1->initialised = false;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_down, 1, NULL, 0), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_up, 1, NULL, 0), -XEN_EINVAL);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_initialise, 1, &c, sizeof(c)),
             -XEN_EINVAL); /* no paging */
    c.cpu_regs.x86_64 = (struct vcpu_hvm_x86_64){
        .cr0 = 0x80000011, .cr4 = 0x20, .efer = 0x100, .rip = 0x1234};
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_initialise, 1, &c, sizeof(c)), 0);
    CHECK_EQ(v1->regs.rip, 0x1234);
    CHECK_EQ(v1->virt->state.efer & 0x500, 0x500);
    CHECK_EQ(d->state, DOMAIN_LIVE);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_down, 0, NULL, 0), 0); /* the last one */
    CHECK_EQ(d->state, DOMAIN_SHUTDOWN);
    end();
}

static void periodic_timers_do_not_drift(void)
{
    struct evtchn_bind_virq b = {.virq = VIRQ_TIMER};
    struct vcpu_set_periodic_timer p = {.period_ns = 999999};
    u64 start;

    begin();
    CHECK_EQ(world_op(v0, __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, &b, sizeof(b)), 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), -XEN_EINVAL);
    p.period_ns = 3000000;
    start = world.now_ns;
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_set_periodic_timer, 0, &p, sizeof(p)), 0);
    for (u32 i = 1; i <= MINUTE_NS / p.period_ns; i++) {
        CHECK_EQ(timer_next(v0->cpu), start + i * 3000000ull);
        world.now_ns = start + i * 3000000ull + i % 100 * 1000; /* always a little late */
        timer_run(v0->cpu, world.now_ns);
    }
    world.now_ns += 100 * 3000000ull; /* asleep for long: no flood of missed ones */
    timer_run(v0->cpu, world.now_ns);
    CHECK(timer_next(v0->cpu) > world.now_ns);
    CHECK_EQ((timer_next(v0->cpu) - start) % 3000000, 0);
    CHECK_EQ(world_vcpu_op(v0, VCPUOP_stop_periodic_timer, 0, NULL, 0), 0);
    CHECK_EQ(timer_next(v0->cpu), TIMER_NEVER);
    end();
}

TESTS(CASE(apics_are_named_and_enabled), CASE(priorities_and_end_of_interrupt),
      CASE(interrupts_between_processors), CASE(processors_start_by_init_and_sipi),
      CASE(the_apic_timer), CASE(upcalls_by_vector_go_through_the_apic),
      CASE(vcpu_info_moves_once), CASE(runstates_add_up_in_both_widths),
      CASE(runstate_updates_are_flagged), CASE(time_areas_follow_the_clock),
      CASE(time_goes_on_in_a_pause), CASE(the_small_operations),
      CASE(vcpus_go_down_and_come_up), CASE(periodic_timers_do_not_drift))
