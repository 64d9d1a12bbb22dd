/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thousand times: set a one-shot timer, STI, HLT. Each must wake the guest exactly by its
 * upcall, however the physical interrupt falls between STI and HLT (QEMU's VMRUN forgets
 * the interrupt shadow: a wake-up lost there hangs this guest). A loop that only looks at the clock
 * ends, in `event` after as many looks as there are microseconds; where instructions are counted, so
 * are exits: an upcall into a running guest costs one. H06, H15.
 */
#include "tests/hyp/guests/guest.h"

enum { VECTOR = 0x40, ROUNDS = 1000, GAP_NS = 50000, POLLED_NS = 1000000 };

static struct shared_info shared __attribute__((aligned(4096)));
static volatile u32 upcalls;

static void upcall(struct trap *t)
{
    struct vcpu_info *v = &shared.vcpu_info[0];

    (void)t;
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
    shared.evtchn_pending[0] = 0;
    upcalls++;
}

static u64 now_ns(void)
{
    const volatile struct vcpu_time_info *t = &shared.vcpu_info[0].time;
    u64 delta = read_tsc() - t->tsc_timestamp;

    delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
    return t->system_time + (u64)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
}

static u32 clock_mode(void)
{
    u32 r[4];

    get_cpuid(OSM_CPUID_BASE + 1, 0, r);
    return r[1];
}

static void poll_the_clock(void)
{
    u64 start = now_ns(), looks = 0;

    while (now_ns() < start + POLLED_NS)
        looks++;
    print("%lu looks\n", looks);
    if (clock_mode() == OSM_CLOCK_EVENT)
        EXPECT(looks >= POLLED_NS / 1000 - 2 && looks <= POLLED_NS / 1000);
}

static u64 exits(void)
{
    struct osm_counters c = {.domid = DOMID_SELF, .vcpu = 0xffff};

    EXPECT(CALL2(arch_7, OSM_OP_counters, &c) == 0);
    return c.exits;
}

/* Exits from setting the timer until `upcalls` has grown so far, without a HLT. */
static u64 exits_of(u64 deadline_ns, u32 until)
{
    u64 before = exits();

    EXPECT(hypercall(__HYPERVISOR_set_timer_op, deadline_ns, 0, 0, 0, 0) == 0);
    __asm__ volatile("sti");
    while (upcalls < until)
        ;
    __asm__ volatile("cli");
    return exits() - before;
}

static void count_exits_of_an_upcall(void)
{
    u64 without = exits_of(0, upcalls);

    EXPECT(exits_of(now_ns() + GAP_NS, upcalls + 1) == without + 1);
    EXPECT(exits_of(now_ns() + GAP_NS, upcalls + 1) == without + 1);
}

void test_main(const struct hvm_start_info *info)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (u64)&shared >> 12};
    struct xen_hvm_param callback = {
        .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | VECTOR};
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    u64 start, last = 0;

    (void)info;
    on_trap(VECTOR, upcall);
    EXPECT(CALL2(memory_op, XENMEM_add_to_physmap, &map) == 0);
    EXPECT(CALL2(hvm_op, HVMOP_set_param, &callback) == 0);
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_virq, &bind) == 0);
    start = now_ns();
    for (u32 i = 0; i < ROUNDS; i++) {
        u32 before = upcalls;
        u64 at = now_ns() + GAP_NS;

        EXPECT(hypercall(__HYPERVISOR_set_timer_op, at, 0, 0, 0, 0) == 0);
        while (upcalls == before)
            __asm__ volatile("sti; hlt; cli" ::: "memory");
        EXPECT(now_ns() >= at && now_ns() >= last);
        last = now_ns();
    }
    EXPECT(last - start >= ROUNDS * (u64)GAP_NS);
    print("%u upcalls\n", upcalls);
    EXPECT(upcalls == ROUNDS);
    print("wall %lu\n",
          shared.wc_sec + ((u64)shared.xen_wc_sec_hi << 32) + now_ns() / 1000000000);
    poll_the_clock();
    if (clock_mode() == OSM_CLOCK_COUNT)
        count_exits_of_an_upcall();
}
