/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels and grants inside one domain, right and costed (P3-P6, H06, H07): a channel
 * from the domain to itself, its own grants mapped and copied, in instructions (clock=count
 * at shift=0, the empty loop taken off) and world switches per operation.
 */
#include "tests/hyp/guests/guest.h"

enum { TURNS = 500, BATCH = 32, HOLE = 0x100000 /* a frame number without RAM */ };

static struct shared_info shared __attribute__((aligned(4096)));
static struct grant_entry_v1 table[512] __attribute__((aligned(4096)));
static u8 page[BATCH][4096] __attribute__((aligned(4096)));
static u8 target[4096] __attribute__((aligned(4096)));
static evtchn_port_t near_end, far_end;

static s64 place(u32 space, u64 idx, void *at)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = (u64)at >> 12};

    return CALL2(memory_op, XENMEM_add_to_physmap, &a);
}

static u64 switches(void)
{
    struct osm_counters c = {.domid = DOMID_SELF, .vcpu = 0xffff};

    EXPECT(CALL2(arch_7, OSM_OP_counters, &c) == 0);
    return c.exits;
}

/* Runs `turn` TURNS times, twice; reports the second pass per `each` operations. */
static void measure(const char *what, void (*turn)(u32 i), u32 each)
{
    u64 start, spent = 0, exits = 0;

    for (u32 pass = 0; pass < 2; pass++) {
        exits = switches();
        start = read_tsc();
        for (u32 i = 0; i < TURNS; i++)
            turn(i);
        spent = read_tsc() - start;
        exits = switches() - exits - 1;
    }
    print("%s instructions %lu.%02lu switches %lu.%03lu\n", what, spent / TURNS / each,
          spent * 100 / TURNS / each % 100, exits / TURNS / each,
          exits * 1000 / TURNS / each % 1000);
}

static void send(u32 i)
{
    struct evtchn_send s = {.port = near_end};

    (void)i;
    shared.evtchn_pending[0] = 0;
    hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (u64)&s, 0, 0, 0);
}

static void map_and_unmap(u32 i, u32 count)
{
    static struct gnttab_map_grant_ref m[BATCH];
    static struct gnttab_unmap_grant_ref u[BATCH];

    for (u32 k = 0; k < count; k++)
        m[k] = (struct gnttab_map_grant_ref){.host_addr = (u64)(HOLE + k) << 12,
                                             .dom = DOMID_SELF,
                                             .flags = GNTMAP_host_map,
                                             .ref = 8 + k};
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (u64)m, count, 0, 0);
    for (u32 k = 0; k < count; k++)
        u[k] = (struct gnttab_unmap_grant_ref){.host_addr = m[k].host_addr,
                                               .handle = m[k].handle};
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (u64)u, count, 0, 0);
    if (i == 0)
        for (u32 k = 0; k < count; k++)
            EXPECT(m[k].status == GNTST_okay && u[k].status == GNTST_okay);
}

static void map_one(u32 i)
{
    map_and_unmap(i, 1);
}

static void map_batch(u32 i)
{
    map_and_unmap(i, BATCH);
}

static void copy_batch(u32 i)
{
    static struct gnttab_copy c[BATCH];

    for (u32 k = 0; k < BATCH; k++) {
        c[k] = (struct gnttab_copy){.len = 1024, .flags = GNTCOPY_source_gref};
        c[k].source.u.ref = 8 + k;
        c[k].source.domid = DOMID_SELF;
        c[k].dest.u.gmfn = (u64)target >> 12;
        c[k].dest.domid = DOMID_SELF;
    }
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (u64)c, BATCH, 0, 0);
    if (i == 0)
        EXPECT(c[BATCH - 1].status == GNTST_okay);
}

static void connect(void)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

    EXPECT(CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a) == 0);
    b.remote_port = a.port;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_interdomain, &b) == 0);
    far_end = a.port;
    near_end = b.local_port;
}

static void events_arrive(void)
{
    struct evtchn_send s = {.port = near_end};

    shared.evtchn_pending[0] = 0;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_send, &s) == 0);
    EXPECT(shared.evtchn_pending[0] == 1ul << far_end);
    s.port = 4000;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_send, &s) == -XEN_EINVAL);
}

static void grants_work(void)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = (u64)HOLE << 12, .dom = DOMID_SELF, .flags = GNTMAP_host_map, .ref = 8};
    struct gnttab_unmap_grant_ref u = {.host_addr = (u64)HOLE << 12};
    struct gnttab_copy c = {.len = 4096, .flags = GNTCOPY_source_gref};

    for (u32 i = 0; i < 4096; i++)
        page[0][i] = (u8)(i * 13);
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (u64)&m, 1, 0, 0) ==
           0);
    EXPECT(m.status == GNTST_okay);
    EXPECT(table[8].flags == (GTF_permit_access | GTF_reading | GTF_writing));
    u.handle = m.handle;
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (u64)&u, 1, 0, 0) ==
           0);
    EXPECT(u.status == GNTST_okay && table[8].flags == GTF_permit_access);
    c.source.u.ref = 8;
    c.source.domid = DOMID_SELF;
    c.dest.u.gmfn = (u64)target >> 12;
    c.dest.domid = DOMID_SELF;
    EXPECT(hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (u64)&c, 1, 0, 0) == 0);
    EXPECT(c.status == GNTST_okay);
    for (u32 i = 0; i < 4096; i++)
        EXPECT(target[i] == (u8)(i * 13));
}

void test_main(const struct hvm_start_info *info)
{
    (void)info;
    EXPECT(place(XENMAPSPACE_shared_info, 0, &shared) == 0);
    EXPECT(place(XENMAPSPACE_grant_table, 0, table) == 0);
    for (u32 i = 0; i < BATCH; i++) {
        page[i][0] = (u8)i;
        table[8 + i] = (struct grant_entry_v1){.domid = 0, .frame = (u32)((u64)page[i] >> 12)};
        table[8 + i].flags = GTF_permit_access;
    }
    connect();
    events_arrive();
    grants_work();
    measure("P3 send", send, 1);
    measure("P4 map and unmap", map_one, 1);
    measure("P5 map and unmap in a batch, per page", map_batch, BATCH);
    measure("P6 copy of 1 KiB", copy_batch, BATCH);
}
