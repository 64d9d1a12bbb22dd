/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's figures between two domains on one CPU, as lines of JSON for the bench
 * (P1-P6, P24-P26, P28, H14): instructions are TSC ticks under clock=count at shift 0, the callers'
 * included and the empty loop taken off; X, F and C are the hypervisor's own counters over all domains. Each
 * operation runs TURNS times, twice, and the second pass counts.
 */
#include "base/memory.h"
#include "tests/hyp/guests/child.h"

enum {
    TURNS = 2000,
    BATCH = 32,
    FIRST_REF = 8,
    HOLE = 0x140000, /* frame numbers without RAM */
    CROWD = 1000,    /* domains for the growth of creation */
    CROWD_PAGES = 4,
    FRESH = 0x1800000, /* RAM that nobody has touched: a page for each turn of both passes */
    FRESH_PAGES = 2 * TURNS,
    PART_POLL = 1,       /* answers with send and poll */
    PART_BLOCK = 2,      /* with one notify_block */
    IDLE_NS = 1000000000 /* the idle node's second */
};

static struct shared_info shared __attribute__((aligned(4096)));
static struct grant_entry_v1 table[512] __attribute__((aligned(4096)));
static u8 page[BATCH][4096] __attribute__((aligned(4096)));
static u8 target[4096] __attribute__((aligned(4096)));
static evtchn_port_t port;
static u16 partner;

static void set_up(void)
{
    EXPECT(place_page(XENMAPSPACE_shared_info, &shared) == 0);
    EXPECT(place_page(XENMAPSPACE_grant_table, table) == 0);
}

/* A call of two arguments in line, as a driver that counts would make it. */
static inline s64 call(u64 nr, u64 a, const void *b)
{
    __asm__ volatile("vmmcall"
                     : "+a"(nr), "+D"(a), "+S"(b)
                     :
                     : "rdx", "r10", "r8", "r9", "memory");
    return (s64)nr;
}

/* --- both sides of a round trip ----------------------------------------------------------- */

static bool take_event(void)
{
    return __atomic_fetch_and(&shared.evtchn_pending[port / 64], ~(1ul << port % 64),
                              __ATOMIC_SEQ_CST) >>
               port % 64 &
           1;
}

/* As a driver that polls: the port is masked. */
static void send_and_poll(u32 i)
{
    struct evtchn_send send = {.port = port};
    struct sched_poll poll = {.nr_ports = 1};

    (void)i;
    set_xen_guest_handle(poll.ports, &port);
    call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
    do {
        call(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
    } while (!take_event());
}

/* As a node that has nothing else to do: both in one call. */
static void notify_and_block(u32 i)
{
    (void)i;
    shared.vcpu_info[0].evtchn_upcall_pending = 0;
    shared.vcpu_info[0].evtchn_pending_sel = 0;
    call(__HYPERVISOR_arch_7, OSM_OP_notify_block, &port);
    EXPECT(take_event());
}

static void mask(bool masked)
{
    if (masked)
        shared.evtchn_mask[port / 64] |= 1ul << port % 64;
    else
        shared.evtchn_mask[port / 64] &= ~(1ul << port % 64);
}

/* --- the partner ----------------------------------------------------------------------------- */

static void answer(void)
{
    struct evtchn_bind_interdomain b = {.remote_dom = 0, .remote_port = child_task.port};

    set_up();
    for (u32 i = 0; i < BATCH; i++) {
        table[FIRST_REF + i] = (struct grant_entry_v1){.domid = 0,
                                                       .frame = (u32)((u64)page[i] >> 12)};
        page[i][0] = (u8)i;
        table[FIRST_REF + i].flags = GTF_permit_access;
    }
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_interdomain, &b) == 0);
    port = b.local_port;
    mask(child_task.part == PART_POLL);
    take_event();
    for (;;)
        (child_task.part == PART_POLL ? send_and_poll : notify_and_block)(0);
}

static void start_partner(u32 part)
{
    struct child_task task = {part, 1};
    struct sched_poll poll = {.nr_ports = 1};
    s64 id = child_start(&task);

    EXPECT(id > 0);
    partner = (u16)id;
    port = child_task.port;
    mask(part == PART_POLL);
    set_xen_guest_handle(poll.ports, &port);
    while (!take_event()) /* its first word */
        call(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll);
}

/* --- measuring --------------------------------------------------------------------------------- */

static struct osm_counters counters(u16 domid)
{
    struct osm_counters c = {.domid = domid, .vcpu = 0xffff};

    EXPECT(CALL2(arch_7, OSM_OP_counters, &c) == 0);
    return c;
}

static void print_row(const char *row, const char *name, u64 hundredths, const char *more)
{
    print("{\"row\": \"%s\", \"name\": \"%s\", \"value\": %lu.%02lu%s}\n", row, name,
          hundredths / 100, hundredths % 100, more);
}

static u64 empty_loop;

static void nothing(u32 i)
{
    (void)i;
}

static u64 time_loop(void (*turn)(u32 i))
{
    u64 start = read_tsc();

    for (u32 i = 0; i < TURNS; i++)
        turn(i);
    return read_tsc() - start;
}

/* --- the operations ---------------------------------------------------------------------------- */

static void null_call(u32 i)
{
    (void)i;
    call(__HYPERVISOR_xen_version, XENVER_version, NULL);
}

static evtchn_port_t own_port;

static void send_to_self(u32 i)
{
    struct evtchn_send send = {.port = own_port};

    (void)i;
    shared.evtchn_pending[0] = 0;
    call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, &send);
}

/* The receiver runs: it is the sender. */
static void connect_self(void)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_bind_interdomain b = {.remote_dom = DOMID_SELF};

    EXPECT(CALL2(event_channel_op, EVTCHNOP_alloc_unbound, &a) == 0);
    b.remote_port = a.port;
    EXPECT(CALL2(event_channel_op, EVTCHNOP_bind_interdomain, &b) == 0);
    own_port = b.local_port;
}

static u64 map_ticks;

static void map_and_unmap(u32 count)
{
    static struct gnttab_map_grant_ref m[BATCH];
    static struct gnttab_unmap_grant_ref u[BATCH];
    u64 start;

    for (u32 k = 0; k < count; k++)
        m[k] = (struct gnttab_map_grant_ref){.host_addr = (u64)(HOLE + k) << 12,
                                             .dom = partner,
                                             .flags = GNTMAP_host_map,
                                             .ref = FIRST_REF + k};
    start = read_tsc();
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, (u64)m, count, 0, 0);
    map_ticks += read_tsc() - start;
    for (u32 k = 0; k < count; k++) {
        EXPECT(m[k].status == GNTST_okay);
        u[k] = (struct gnttab_unmap_grant_ref){.host_addr = m[k].host_addr,
                                               .handle = m[k].handle};
    }
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, (u64)u, count, 0, 0);
    EXPECT(u[count - 1].status == GNTST_okay);
}

static void map_one(u32 i)
{
    (void)i;
    map_and_unmap(1);
}

static void map_batch(u32 i)
{
    if (!i)
        map_ticks = 0;
    map_and_unmap(BATCH);
}

static void copy_batch(u32 i)
{
    static struct gnttab_copy c[BATCH];

    (void)i;
    for (u32 k = 0; k < BATCH; k++) {
        c[k] = (struct gnttab_copy){.len = 1024, .flags = GNTCOPY_source_gref};
        c[k].source.u.ref = FIRST_REF + k;
        c[k].source.domid = partner;
        c[k].dest.u.gmfn = (u64)target >> 12;
        c[k].dest.domid = DOMID_SELF;
    }
    hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, (u64)c, BATCH, 0, 0);
    EXPECT(c[BATCH - 1].status == GNTST_okay && target[0] == BATCH - 1);
}

/* A page of RAM comes into the nested page table when it is touched first; after that the second
 * level of paging costs no instruction and no exit. */
static void touch(u32 i)
{
    static u32 touched;

    (void)i;
    *(volatile u8 *)(FRESH + (u64)touched++ % FRESH_PAGES * 4096) = 1;
}

/* --- domains ------------------------------------------------------------------------------------- */

static u64 free_frames(void)
{
    xen_sysctl_t op = {.cmd = XEN_SYSCTL_physinfo,
                       .interface_version = XEN_SYSCTL_INTERFACE_VERSION};

    EXPECT(hypercall(__HYPERVISOR_sysctl, (u64)&op, 0, 0, 0, 0) == 0);
    return op.u.physinfo.free_pages;
}

/* From the call that creates it to the first instruction of a domain, its image copied. */
static void creation(void)
{
    u64 before = free_frames(), start = read_tsc(), taken;

    start_partner(PART_BLOCK);
    taken = before - free_frames() - child_pages();
    print_row("P24", "a domain of 1.2 MiB from creation to its first instruction",
              (child_peek(partner, &child_first) - start) * 100, "");
    print_row("P26", "frames taken for one domain beyond its own memory", taken * 4096 * 100,
              ", \"unit\": \"bytes\"");
}

/* The cost of one more domain when there are few, and when there are CROWD. */
static void growth(void)
{
    static u16 ids[CROWD];
    u64 first = 0, last = 0, start;

    for (u32 i = 0; i < CROWD; i++) {
        start = read_tsc();
        if (child_create(&ids[i], CROWD_PAGES)) {
            failure("domain %u could not be made", i);
            return;
        }
        last = read_tsc() - start;
        first = i == 1 ? last : first; /* the very first one warms up */
    }
    print("{\"row\": \"P25\", \"name\": \"creation of domain %u against domain 2\", "
          "\"value\": %lu.%03lu, \"unit\": \"ratio\"}\n",
          CROWD, last / first, last * 1000 / first % 1000);
    for (u32 i = 0; i < CROWD; i++)
        EXPECT(child_destroy(ids[i]) == 0);
}

static void idleness(void)
{
    struct osm_counters before = counters(partner), after;

    sleep_ns(IDLE_NS);
    after = counters(partner);
    print("{\"row\": \"P28\", \"name\": \"idle node, per second\", \"value\": %lu, \"X\": %lu, "
          "\"unit\": \"I\"}\n",
          after.run_ns - before.run_ns, after.exits - before.exits);
}

/* --- which of them ----------------------------------------------------------------------------- */

static const struct operation {
    const char *row, *name;
    void (*turn)(u32 i);
    u32 each;
    u32 part; /* which partner it needs */
} operations[] = {
    {"P1", "null hypercall", null_call, 1, PART_BLOCK},
    {"P2b", "round trip by one notify-and-block each", notify_and_block, 1, PART_BLOCK},
    {"P2", "event channel round trip, two domains", send_and_poll, 1, PART_POLL},
    {"P3", "send to a running peer", send_to_self, 1, PART_POLL},
    {"P4", "grant map and unmap, single", map_one, 1, PART_POLL},
    {"P5b", "grant map and unmap, per page in a batch of 32", map_batch, BATCH, PART_POLL},
    {"P6", "grant copy of 1 KiB, batch of 32", copy_batch, BATCH, PART_POLL},
    {"H14", "first touch of a page of RAM", touch, 1, PART_POLL},
    {"H14", "touch of a page that is there", touch, 1, PART_POLL},
};

static void measure(const struct operation *o)
{
    struct osm_counters before, after;
    u64 spent = 0, x, f, c;
    u64 n = (u64)TURNS * o->each;

    for (u32 pass = 0; pass < 2; pass++) {
        before = counters(OSM_ALL_DOMAINS);
        spent = time_loop(o->turn) - empty_loop;
        after = counters(OSM_ALL_DOMAINS);
    }
    x = (after.exits - before.exits - 1) * 1000 / n; /* the second look is an exit as well */
    f = (after.flushes - before.flushes) * 1000 / n;
    c = (after.copied_bytes - before.copied_bytes) / n;
    print("{\"row\": \"%s\", \"name\": \"%s\", \"value\": %lu.%02lu, \"X\": %lu.%03lu, "
          "\"F\": %lu.%03lu, \"C\": %lu, \"n\": %u}\n",
          o->row, o->name, spent * 100 / n / 100, spent * 100 / n % 100, x / 1000, x % 1000,
          f / 1000, f % 1000, c, TURNS);
}

static void measure_with(u32 part)
{
    for (u32 i = 0; i < ARRAY_SIZE(operations); i++)
        if (operations[i].part == part)
            measure(&operations[i]);
}

/* For whoever traces the instructions of one operation. */
static void repeat(const char *row)
{
    for (u32 i = 0; i < ARRAY_SIZE(operations); i++) {
        if (strcmp(operations[i].row, row) != 0)
            continue;
        start_partner(operations[i].part);
        print("repeating %s\n", row);
        for (;;)
            operations[i].turn(1);
    }
    failure("there is no operation %s", row);
}

void test_main(const struct hvm_start_info *info)
{
    const char *words;

    if (child_task.part)
        answer(); /* which has no start info */
    words = (const char *)info->cmdline_paddr;
    set_up();
    connect_self();
    if (words && *words) {
        repeat(words);
        return;
    }
    empty_loop = time_loop(nothing);
    creation();
    measure_with(PART_BLOCK);
    idleness();
    EXPECT(child_destroy(partner) == 0);
    start_partner(PART_POLL);
    measure_with(PART_POLL);
    print_row("P5", "grant map, per page in a batch of 32", map_ticks * 100 / TURNS / BATCH,
              "");
    growth();
}
