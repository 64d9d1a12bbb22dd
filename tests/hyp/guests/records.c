/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor writes down (H24): a record of each kind, with who and what; two CPUs'
 * records drained in the order of time; what a full ring overwrote counted. At last the output
 * ring, of 64 KiB, is filled: what has no room is lost and counted, until its reader makes room.
 * "clock=real output=64K", two CPUs.
 */
#include "tests/hyp/guests/child.h"

enum {
    PART_CALL = 1, /* makes hypercalls for ever */
    RECORDS = 8192,
    RING_RECORDS = 2048, /* of one CPU */
    FLOOD = 3 * RING_RECORDS,
    SCHEDULE = 1 << (OSM_T_run >> 8),
    EXITS = 1 << (OSM_T_exit >> 8),
    CALLS = 1 << (OSM_T_hypercall >> 8),
    ALL = 0xff,
    REF = 8,
    HOLE = 0x90000, /* frame numbers without RAM, within the identity map */
    LENGTH = 100,
    NESTED_FAULT = 0x400, /* exit codes: AMD APM vol. 2, appendix C */
    VMMCALL = 0x81,
    FRAME_BYTES = 2048,
    FRAMES = 100
};

static struct osm_record record[RECORDS];
static u32 count; /* how many of them were drained */
static struct grant_entry_v1 table[512] __attribute__((aligned(4096)));
static u8 page[2][4096] __attribute__((aligned(4096)));

static void trace_classes(u32 classes)
{
    struct osm_trace_ctl t = {.domid = OSM_ALL_DOMAINS, .classes = classes};

    EXPECT(CALL2(arch_7, OSM_OP_trace_ctl, &t) == 0);
}

/* All there is; how many were lost before. */
static u64 drain(void)
{
    struct osm_trace_drain t = {.buffer = (u64)record, .capacity = RECORDS};

    EXPECT(CALL2(arch_7, OSM_OP_trace_drain, &t) == 0);
    EXPECT(t.count < RECORDS);
    count = t.count;
    return t.lost;
}

static void null_call(void)
{
    CALL2(xen_version, XENVER_version, 0);
}

/* --- each kind -------------------------------------------------------------------------------- */

/* Where it is among those drained; `count` if it is not. */
static u32 find(u16 type, u32 who, u64 a, u64 b)
{
    for (u32 i = 0; i < count; i++)
        if (record[i].type == type && record[i].domid == 0 && record[i].who == who &&
            record[i].a == a && record[i].b == b)
            return i;
    failure("no record %x of %u: %lx %lx", type, who, a, b);
    return count;
}

static bool is_there(u16 type, u64 a)
{
    for (u32 i = 0; i < count; i++)
        if (record[i].type == type && record[i].domid == 0 && record[i].who == 0 &&
            record[i].a == a)
            return true;
    return false;
}

static evtchn_port_t send_to_self(evtchn_port_t *other)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};
    struct evtchn_send send;
    struct evtchn_close close;

    EXPECT(CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a) == 0);
    b.remote_port = *other = a.port;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_interdomain, &b) == 0);
    close.port = send.port = b.local_port;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_send, &send) == 0);
    EXPECT(CALL2(event_channel_op, EVTCHNOP_close, &close) == 0);
    return b.local_port;
}

/* Of a page that we grant ourselves. */
static void map_copy_unmap(void)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = (u64)HOLE << 12, .dom = DOMID_SELF, .flags = GNTMAP_host_map, .ref = REF};
    struct gnttab_copy c = {.len = LENGTH, .flags = GNTCOPY_source_gref};
    struct gnttab_unmap_grant_ref u = {.host_addr = m.host_addr};

    EXPECT(place_page(XENMAPSPACE_grant_table, table) == 0);
    table[REF] = (struct grant_entry_v1){.frame = (u32)((u64)page[0] >> 12)};
    table[REF].flags = GTF_permit_access;
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (u64)&m, 1, 0, 0) ==
           0);
    EXPECT(m.status == GNTST_okay);
    c.source.u.ref = REF;
    c.source.domid = c.dest.domid = DOMID_SELF;
    c.dest.u.gmfn = (u64)page[1] >> 12;
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (u64)&c, 1, 0, 0) == 0);
    EXPECT(c.status == GNTST_okay);
    u.handle = m.handle;
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (u64)&u, 1, 0, 0) ==
           0);
    EXPECT(u.status == GNTST_okay);
}

static void one_of_each(void)
{
    evtchn_port_t port, other;
    u32 map, copy, unmap;

    trace_classes(ALL);
    null_call();
    EXPECT(CALL2(xen_version, 99, 0) == -XEN_ENOSYS);
    port = send_to_self(&other);
    map_copy_unmap();
    EXPECT(*(volatile u64 *)((u64)(HOLE + 1) << 12) == ~0ull);
    EXPECT(CALL2(sched_op, SCHEDOP_yield, NULL) == 0);
    sleep_ns(100000000); /* long enough to be slept also where the host is slow */
    trace_classes(0);
    EXPECT(drain() == 0);
    EXPECT(is_there(OSM_T_hypercall, __HYPERVISOR_xen_version));
    EXPECT(is_there(OSM_T_hypercall, __HYPERVISOR_grant_table_op));
    EXPECT(!is_there(OSM_T_hypercall, __HYPERVISOR_mmu_update));
    EXPECT(is_there(OSM_T_exit, NESTED_FAULT) && !is_there(OSM_T_exit, VMMCALL));
    EXPECT(is_there(OSM_T_error, (u64)-XEN_ENOSYS));
    find(OSM_T_fault, 0, (u64)(HOLE + 1) << 12, 0);
    find(OSM_T_send, port, 0, other);
    EXPECT(find(OSM_T_close, port, 0, 0) > find(OSM_T_send, port, 0, other));
    map = find(OSM_T_map, REF, 0, HOLE);
    copy = find(OSM_T_copy, LENGTH, DOMID_SELF, DOMID_SELF);
    unmap = find(OSM_T_unmap, REF, 0, HOLE);
    EXPECT(map < copy && copy < unmap);
    find(OSM_T_yield, 0, 0, 0);
    find(OSM_T_block, 0, 0, 0);
}

/* --- two CPUs ----------------------------------------------------------------------------------- */

static bool ordered(void)
{
    for (u32 i = 1; i < count; i++)
        if (record[i].ns < record[i - 1].ns)
            return false;
    return true;
}

/* How often the next record is of another domain. */
static u32 turns(void)
{
    u32 n = 0;

    for (u32 i = 1; i < count; i++)
        n += record[i].domid != record[i - 1].domid;
    return n;
}

/* The child calls, while we sleep and call; then it stands still, so that nothing is written while
 * we look. */
static void both_at_work(u16 child)
{
    EXPECT(child_command(child, XEN_DOMCTL_unpausedomain) == 0);
    for (u32 i = 0; i < 20; i++) {
        sleep_ns(20000);
        null_call();
    }
    EXPECT(child_command(child, XEN_DOMCTL_pausedomain) == 0);
}

/* Where QEMU's threads share one processor, one of them may do nothing for long. */
static void two_cpus_in_the_order_of_time(void)
{
    struct child_task task = {.part = PART_CALL};
    u32 records = 0, changes = 0, cpus = 0;
    s64 child = child_start_paused(&task);

    EXPECT(child > 0);
    for (u32 i = 0; i < 1000 && (changes < 100 || cpus != 3); i++) {
        trace_classes(SCHEDULE | CALLS);
        both_at_work((u16)child);
        trace_classes(0);
        drain();
        EXPECT(ordered());
        records += count;
        changes += turns();
        for (u32 k = 0; k < count; k++)
            cpus |= record[k].type == OSM_T_run ? 1u << record[k].a : 0;
    }
    print("%u records, %u times of the other domain\n", records, changes);
    EXPECT(changes >= 100 && cpus == 3);
    EXPECT(child_destroy((u16)child) == 0);
}

/* --- what has no room ----------------------------------------------------------------------------- */

static void full_trace(void)
{
    u64 lost;

    drain();
    trace_classes(CALLS);
    for (u32 i = 0; i < FLOOD; i++)
        null_call();
    trace_classes(0);
    lost = drain();
    print("%u records, %lu lost\n", count, lost);
    EXPECT(count >= RING_RECORDS && lost > 0 && count + lost >= FLOOD);
    EXPECT(ordered());
    EXPECT(drain() == 0 && count == 0);
}

static s64 output_one(u32 stream)
{
    static u8 bytes[FRAME_BYTES];
    struct osm_output o = {.buffer = (u64)bytes, .len = sizeof(bytes), .stream = stream};

    return CALL2(arch_7, OSM_OP_output, &o);
}

static void full_output(void)
{
    u32 lost = 0;

    for (u32 i = 0; i < FRAMES; i++)
        lost += output_one(OSM_STREAM_RESULT) == -XEN_ENOSPC;
    EXPECT(lost > FRAMES / 2 && lost < FRAMES);
    print("%u frames lost\n", lost);
    for (u32 i = 0; i < 1000 && output_one(OSM_STREAM_CAPTURE); i++)
        sleep_ns(10000000);
    EXPECT(output_one(OSM_STREAM_CAPTURE) == 0);
}

void test_main(const struct hvm_start_info *info)
{
    (void)info;
    while (child_task.part == PART_CALL)
        null_call();
    one_of_each();
    two_cpus_in_the_order_of_time();
    full_trace();
    full_output();
}
