/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A seeded run in small: waits at READY, takes plan and seed, and writes what it sees (the
 * plan, the seed, its clocks, when timers fire) to the output ring. Must give the same
 * bytes from a fresh boot with the plan as a module and from a restored machine.
 */
#include "base/format.h"
#include "tests/hyp/guests/guest.h"
#include <stdarg.h>

enum { VECTOR = 0x40, ROUNDS = 200 };

static struct shared_info shared __attribute__((aligned(4096)));
static volatile u32 upcalls;

static void upcall(struct trap *t)
{
    (void)t;
    shared.vcpu_info[0].evtchn_upcall_pending = 0;
    shared.vcpu_info[0].evtchn_pending_sel = 0;
    shared.evtchn_pending[0] = 0;
    upcalls++;
}

static void say(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void say(const char *fmt, ...)
{
    char line[160];
    va_list args;
    struct osm_output o = {.buffer = (u64)line, .stream = OSM_STREAM_RESULT};

    va_start(args, fmt);
    o.len = (u32)vformat(line, sizeof(line), fmt, args);
    va_end(args);
    EXPECT(CALL2(arch_7, OSM_OP_output, &o) == 0);
}

static u64 now_ns(void)
{
    struct osm_clock_info c;

    EXPECT(CALL2(arch_7, OSM_OP_clock, &c) == 0);
    return c.now_ns;
}

/* In its states it has been since time began, and not longer. */
static void say_states(void)
{
    struct vcpu_runstate_info r;
    u64 in_all = 0, before = now_ns();

    EXPECT(hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, (u64)&r, 0, 0) == 0);
    for (u32 i = 0; i < 4; i++)
        in_all += r.time[i];
    EXPECT(in_all >= before && in_all <= now_ns() && r.state_entry_time <= before);
    say("ran for %lu, waited for %lu\n", r.time[RUNSTATE_running], r.time[RUNSTATE_blocked]);
}

void test_main(const struct hvm_start_info *info)
{
    static char text[4096];
    struct osm_plan plan = {.buffer = (u64)text, .len = sizeof(text) - 1};
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = (u64)&shared >> 12};
    struct xen_hvm_param callback = {
        .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | VECTOR};
    struct evtchn_bind_virq bind = {.virq = VIRQ_TIMER};
    struct osm_finish done = {.status = 0, .text = (u64) "planned", .len = 7};

    (void)info;
    on_trap(VECTOR, upcall);
    EXPECT(CALL2(memory_op, XENMEM_add_to_physmap, &map) == 0);
    EXPECT(CALL2(hvm_op, HVMOP_set_param, &callback) == 0);
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_virq, &bind) == 0);
    EXPECT(CALL2(arch_7, OSM_OP_ready, 0) == 0);
    EXPECT(CALL2(arch_7, OSM_OP_plan, &plan) == 0);
    say("plan \"%s\" of %u bytes, seed %lu\n", text, plan.size, plan.seed);
    say_states();
    for (u32 i = 0; i < ROUNDS; i++) {
        u32 before = upcalls;

        hypercall(__HYPERVISOR_set_timer_op, now_ns() + 1000 * (1 + (plan.seed + i) % 97), 0, 0,
                  0, 0);
        while (upcalls == before)
            __asm__ volatile("sti; hlt; cli" ::: "memory");
        say("round %u at %lu, TSC %lu\n", i, now_ns(), read_tsc());
    }
    say_states();
    CALL2(arch_7, OSM_OP_finish, &done);
}
