/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens to one domain happens to it alone (H03, H08, H14; F23, F26): a child that
 * leaves its guest for ever is ended, so is one whose state the processor refuses to enter and one
 * that wants memory of which there is no more; exceptions and pre-emption are injected into
 * another that counts, polling the local APIC is no endless loop, and the debug keys show them.
 */
#include "tests/hyp/guests/child.h"

enum {
    PART_ENDLESS = 1, /* executes what may not be executed, for ever */
    PART_COUNT = 2,   /* counts turns and invalid opcodes */
    PART_REFUSED = 3, /* in a code segment that is of 64 and of 32 bits at once */
    PART_GREEDY = 4,  /* touches more than there is */
    APIC_LOOKS = 150000
};

/* Promised to the greedy one: as much as the machine could never give. */
enum { GREEDY_ORDER = 18, GREEDY_PAGES = 1 << GREEDY_ORDER, PAGE = 4096 };
#define GREEDY_FIRST 0x40000000ull

static u8 table[4096] __attribute__((aligned(4096)));
static volatile u64 turns, exceptions;

static void exception(struct trap *t)
{
    (void)t;
    exceptions++;
}

static void count_for_ever(void)
{
    on_trap(6, exception);
    for (;;)
        turns++;
}

/* The grant table is no code: each fetch faults, and no fault served helps. */
static void fetch_for_ever(void)
{
    EXPECT(place_page(XENMAPSPACE_grant_table, table) == 0);
    print("fetching\n");
    ((void (*)(void))(u64)table)();
}

/* QEMU lets a far return go there; VMRUN refuses such a state (AMD APM vol. 2, 15.5.1), and a
 * processor that faults at the return ends this child's verdict otherwise. */
static void be_refused(void)
{
    static const u64 gdt[] = {0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00ef9b000000ffff};
    struct PACKED {
        u16 limit;
        u64 base;
    } pointer = {sizeof(gdt) - 1, (u64)gdt};

    __asm__ volatile(
        "lgdt %0; push $0x18; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:" ::"m"(pointer)
        : "rax", "memory");
    print("refused\n");
    for (;;)
        CALL2(xen_version, XENVER_version, 0);
}

static void touch_all(void)
{
    for (u64 at = GREEDY_FIRST; at < GREEDY_FIRST + (u64)GREEDY_PAGES * PAGE; at += PAGE)
        *(volatile u8 *)at = 1;
}

static u32 flags_of(u16 domid)
{
    xen_domctl_t op = {.cmd = XEN_DOMCTL_getdomaininfo,
                       .domain = domid,
                       .interface_version = XEN_DOMCTL_INTERFACE_VERSION};

    EXPECT(hypercall(__HYPERVISOR_domctl, (u64)&op, 0, 0, 0, 0) == 0 && op.domain == domid);
    return op.u.getdomaininfo.flags;
}

/* With a port of ours that it could bind. */
static u16 start(u32 part)
{
    struct child_task task = {.part = part, .port = 1};
    s64 id = child_start(&task);

    EXPECT(id > 0);
    return (u16)id;
}

/* 100,000 looks at one register from one place are slow, not endless. */
static void look_at_the_apic(void)
{
    volatile const u32 *version = (volatile const u32 *)0xfee00030;
    u32 first = *version, same = 0;

    for (u32 i = 0; i < APIC_LOOKS; i++)
        same += *version == first;
    EXPECT(same == APIC_LOOKS);
}

static u64 inject(u16 domid, u32 point, u64 arg, u64 after)
{
    struct osm_inject i = {
        .domid = domid, .vcpu = 0, .point = point, .after = after, .arg = arg};

    EXPECT(CALL2(arch_7, OSM_OP_inject, &i) == 0);
    return i.fired;
}

static u64 inject_again(u16 domid, u32 point, u64 every)
{
    struct osm_inject i = {
        .domid = domid, .vcpu = 0, .point = point, .after = every, .every = every};

    EXPECT(CALL2(arch_7, OSM_OP_inject, &i) == 0);
    return i.fired;
}

/* Looks again where the host gives the machine no time between two looks. */
static bool goes_on(u16 counter)
{
    u64 before = child_peek(counter, &turns);

    for (u32 i = 0; i < 1000 && child_peek(counter, &turns) == before; i++)
        sleep_ns(10000000);
    return child_peek(counter, &turns) > before;
}

static void injections(u16 counter)
{
    u64 fired;

    EXPECT(goes_on(counter)); /* and has its exceptions handled, however late it came to run */
    /* An occurrence is an entry into the guest: the next one. */
    fired = inject(counter, OSM_POINT_exception, 6, 1);
    sleep_ns(100000000);
    EXPECT(inject(counter, OSM_POINT_exception, 0, 0) == fired + 1);
    EXPECT(child_peek(counter, &exceptions) == 1);
    fired = inject(counter, OSM_POINT_preempt, 0, 1);
    sleep_ns(100000000);
    EXPECT(inject(counter, OSM_POINT_preempt, 0, 0) == fired + 1);
    fired = inject_again(counter, OSM_POINT_instant, 1000000);
    sleep_ns(100000000);
    EXPECT(inject(counter, OSM_POINT_instant, 0, 0) > fired);
    EXPECT(goes_on(counter));
    EXPECT(child_peek(counter, &exceptions) == 1);
}

/* Until it has ended, by whatever reason. */
static u32 end_of(u16 domid)
{
    for (u32 i = 0; i < 1000 && !(flags_of(domid) & XEN_DOMINF_shutdown); i++)
        sleep_ns(10000000);
    return flags_of(domid) >> XEN_DOMINF_shutdownshift & 255;
}

/* Its memory is promised on top of what it starts with, with nothing set aside for it. */
static u16 start_greedy(void)
{
    struct child_task task = {.part = PART_GREEDY};
    xen_pfn_t first = GREEDY_FIRST / PAGE;
    struct xen_memory_reservation r = {
        .nr_extents = 1, .extent_order = GREEDY_ORDER, .mem_flags = XENMEMF_populate_on_demand};
    s64 id = child_start_paused(&task);

    EXPECT(id > 0);
    r.domid = (u16)id;
    set_xen_guest_handle(r.extent_start, &first);
    EXPECT(child_limit((u16)id, GREEDY_PAGES * 2) == 0);
    EXPECT(CALL2(memory_op, XENMEM_populate_physmap, &r) == 1);
    EXPECT(child_command((u16)id, XEN_DOMCTL_unpausedomain) == 0);
    return (u16)id;
}

static void debug_keys(void)
{
    static char keys[] = "hdmegt";
    xen_sysctl_t op = {.cmd = XEN_SYSCTL_debug_keys,
                       .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

    set_xen_guest_handle(op.u.debug_keys.keys, keys);
    op.u.debug_keys.nr_keys = sizeof(keys) - 1;
    EXPECT(hypercall(__HYPERVISOR_sysctl, (u64)&op, 0, 0, 0, 0) == 0);
}

void test_main(const struct hvm_start_info *info)
{
    u16 counter, endless, greedy;

    (void)info;
    if (child_task.part == PART_COUNT)
        count_for_ever();
    if (child_task.part == PART_ENDLESS)
        fetch_for_ever();
    if (child_task.part == PART_REFUSED)
        be_refused();
    if (child_task.part == PART_GREEDY)
        touch_all();
    look_at_the_apic();
    counter = start(PART_COUNT);
    injections(counter);
    endless = start(PART_ENDLESS);
    EXPECT(end_of(endless) == SHUTDOWN_crash);
    EXPECT(end_of(start(PART_REFUSED)) == SHUTDOWN_crash);
    greedy = start_greedy();
    EXPECT(end_of(greedy) == SHUTDOWN_crash);
    EXPECT(child_destroy(greedy) == 0);
    EXPECT(goes_on(counter) && !(flags_of(counter) & XEN_DOMINF_shutdown));
    debug_keys();
}
