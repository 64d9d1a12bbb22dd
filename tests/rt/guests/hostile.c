/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest (H23, F27): calls every hypercall with random and edge arguments, from
 * rings 0 and 3, from every vCPU it has at once, while others of its vCPUs rewrite the
 * arguments that are being read. calls=N (that many are made, by all vCPUs together), seed=N,
 * vcpus=N. What it must not reach is its own end before it has made its calls: calls that would
 * stop or unmap itself are left out by name below, and not counted. With watch=NS it also says for how long it was kept from running at most.
 * Ends by power-off with "Test result: SUCCESS" on port 0xE9 and the console.
 */
#include "base/keyed.h"
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/event.h"
#include "guest/rt/frame.h"
#include "guest/rt/hypercall.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/time.h"
#include "guest/rt/trap.h"
#include "guest/rt/vcpu.h"
#include "guest/rt/x86.h"
#include "tests/rt/guests/ring3.h"
#include "tests/rt/guests/watch.h"

enum {
    AREA_FRAMES = 32,
    AREA_WORDS = 2048,
    NUMBERS = 64,
    FIRST_PORT = 8,
    IN_RING3 = 8,
    FEW = 8
};

#define PATIENCE_NS 50000000ull

static u64 *area;       /* arguments lie here, and whoever likes writes into it */
static u64 seed, calls; /* each vCPU makes */
static u64 refused, served, unknown, outer, outer_served;
static u32 running;

/* Numbers that are edges of something. */
static u64 edge(u64 r)
{
    static const u64 edges[] = {0,
                                1,
                                2,
                                0x7f,
                                0xff,
                                0x7ff0,
                                0x7ff4,
                                0xffff,
                                0x10000,
                                0xfffff,
                                0x100000,
                                0x7fffffff,
                                0x80000000,
                                0xffffffff,
                                0x100000000,
                                0x7fffffffffff,
                                0x800000000000,
                                0xffff7fffffffffff,
                                0x7fffffffffffffff,
                                0x8000000000000000,
                                0xffffffffffffffff,
                                0xfee00000,
                                0xfef80000,
                                0xc0000000,
                                0xfeffc,
                                0xfefff};

    return edges[r % ARRAY_SIZE(edges)];
}

static u64 argument(u64 r)
{
    switch (r & 7) {
    case 0: return edge(r >> 8);
    case 1: return r >> 40;
    case 2: return r >> 60;
    case 3: return r;
    default:
        return (u64)&area[(r >> 16) % AREA_WORDS]; /* a place it can read, with room behind */
    }
}

/* Calls that end or stop the caller, or take the page away that it runs on. */
static bool suicidal(u32 nr, u64 op, u64 arg)
{
    static const struct {
        u8 nr, op;
    } list[] = {
        {__HYPERVISOR_sched_op, SCHEDOP_block},
        {__HYPERVISOR_sched_op, SCHEDOP_shutdown},
        {__HYPERVISOR_sched_op, SCHEDOP_poll},
        {__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown},
        {__HYPERVISOR_sched_op, SCHEDOP_watchdog},
        {__HYPERVISOR_vcpu_op, VCPUOP_down},
        {__HYPERVISOR_vcpu_op, VCPUOP_initialise},
        {__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info},
        {__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area},
        {__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area},
        {__HYPERVISOR_memory_op, XENMEM_decrease_reservation},
        {__HYPERVISOR_memory_op, XENMEM_add_to_physmap},
        {__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch},
        {__HYPERVISOR_memory_op, XENMEM_remove_from_physmap},
        {__HYPERVISOR_event_channel_op, EVTCHNOP_reset},
        {__HYPERVISOR_event_channel_op, EVTCHNOP_init_control},
        {RT_HYPERCALL_OSMOSIS, OSM_OP_notify_block},
    };

    if (nr == __HYPERVISOR_event_channel_op && op == EVTCHNOP_close)
        return *(volatile u32 *)arg < FIRST_PORT;
    for (u32 i = 0; i < ARRAY_SIZE(list); i++)
        if (list[i].nr == nr && (list[i].op == (op & 0x3f) || list[i].op == op))
            return true;
    return false;
}

/* Results land where the area is; so do results of grant copies and mappings. */
static void scribble(u64 r)
{
    u64 *at = &area[(r >> 8) % AREA_WORDS];

    *at = r & 1 ? edge(r >> 32) : r & 2 ? r >> 48 : (u64)area + (r >> 50);
}

/* Those that exist are called more often, with about as many sub-operations as they have. */
static const struct {
    u8 nr, ops;
} real[] = {{__HYPERVISOR_memory_op, 28},
            {__HYPERVISOR_set_timer_op, 1},
            {__HYPERVISOR_xen_version, 12},
            {__HYPERVISOR_console_io, 2},
            {__HYPERVISOR_grant_table_op, 13},
            {__HYPERVISOR_grant_table_op, 13},
            {__HYPERVISOR_vm_assist, 5},
            {__HYPERVISOR_vcpu_op, 14},
            {__HYPERVISOR_sched_op, 9},
            {__HYPERVISOR_event_channel_op, 15},
            {__HYPERVISOR_event_channel_op, 15},
            {__HYPERVISOR_physdev_op, 34},
            {__HYPERVISOR_hvm_op, 26},
            {__HYPERVISOR_domctl, 1},
            {__HYPERVISOR_sysctl, 1},
            {RT_HYPERCALL_OSMOSIS, 18}};

static void count(u64 *what)
{
    __atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

/* From ring 3 nothing is served, whatever it is. */
static void call_from_ring3(u32 vcpu, u32 nr, const u64 arg[5])
{
    count(&outer);
    if (ring3_call(vcpu, nr, arg) != -XEN_EPERM)
        count(&outer_served);
}

/* False when it was better not made. */
static bool one_call(u64 key, u64 n)
{
    u64 r = keyed_random(seed, key, n * 8), arg[5];
    u32 at = (u32)(r % ARRAY_SIZE(real)), nr = r >> 16 & 7 ? real[at].nr : (u32)(r % NUMBERS);
    long result;

    for (u32 i = 0; i < 5; i++)
        arg[i] = argument(keyed_random(seed, key, n * 8 + 1 + i));
    if (r >> 32 & 3)
        arg[0] = (r >> 48) % (real[at].ops + 1u); /* a sub-operation that may exist */
    if (r >> 34 & 0xff) { /* thousands take their time, and teach nothing new */
        if (nr == __HYPERVISOR_grant_table_op)
            arg[2] %= FEW;
        if (nr == __HYPERVISOR_console_io)
            arg[1] %= FEW;
    }
    for (u32 i = 0; i < 4; i++)
        scribble(keyed_random(seed, key ^ 0x5c, n * 4 + i));
    if (nr == __HYPERVISOR_event_channel_op && arg[1] - (u64)area >= AREA_WORDS * 8)
        arg[1] = (u64)area;
    if (n % IN_RING3 == 0) {
        call_from_ring3((u32)key, nr, arg);
        return true;
    }
    if (suicidal(nr, arg[0], arg[1]))
        return false;
    watch_begin(nr, arg[0]);
    result = rt_hypercall(nr, arg[0], arg[1], arg[2], arg[3], arg[4]);
    watch_end();
    count(result == -XEN_ENOSYS ? &unknown : result < 0 ? &refused : &served);
    return true;
}

static void attack(u64 key)
{
    u64 made = 0;

    ring3_load((u32)key);
    for (u64 n = 0; made < calls; n++)
        made += one_call(key, n);
}

/* The area is the last memory taken: long results run into what nobody uses. */
static void other(void *arg)
{
    while (!__atomic_load_n(&area, __ATOMIC_ACQUIRE))
        cpu_relax();
    attack((u64)arg);
    __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
    for (;;)
        cpu_relax();
}

/* By the port: its console's event channel may have been one of the victims. What the calls
 * have printed may have used up what one may print at a time. */
static void say(const char *text)
{
    u64 until = rt_now_ns() + PATIENCE_NS;

    while (rt_now_ns() < until)
        cpu_relax();
    for (const char *at = text; *at; at++)
        out8(0xe9, (u8)*at);
}

static void ignore(struct rt_frame *f)
{
    (void)f;
}

static bool as_it_should_be(void)
{
    return served && refused && unknown && outer && !outer_served;
}

int rt_main(const struct rt_start *start)
{
    u32 vcpus = (u32)rt_option_number("vcpus", 1);
    u64 *mine;

    (void)start;
    seed = rt_option_number("seed", 1);
    rt_assert(vcpus && vcpus <= RING3_VCPUS);
    calls = (rt_option_number("calls", 1000000) + vcpus - 1) / vcpus;
    rt_map_root()[0] = 0; /* small numbers shall not be addresses of our own memory */
    cr3_write(cr3_read());
    rt_trap_set(2, ignore); /* VCPUOP_send_nmi is one of the calls */
    rt_assert(ring3_init());
    running = vcpus - 1;
    for (u32 i = 1; i < vcpus; i++)
        if (rt_vcpu_start(i, other, (void *)(u64)i))
            rt_panic("vCPU %u does not start", i);
    mine = rt_frames(AREA_FRAMES);
    rt_assert(mine);
    if (rt_option_number("watch", 0))
        watch_start(rt_option_number("watch", 0));
    __atomic_store_n(&area, mine, __ATOMIC_RELEASE);
    attack(0);
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
        cpu_relax();
    watch_stop();
    rt_printf(
        "%lu calls made: %lu served, %lu refused, %lu unknown, %lu of %lu from ring 3 served\n",
        served + refused + unknown + outer, served, refused, unknown, outer_served, outer);
    watch_report();
    say(as_it_should_be() ? "\nTest result: SUCCESS\n" : "\nTest result: FAILURE\n");
    return 0;
}
