/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests (F22, F27, H23): three domains make any calls with any arguments, structures
 * made of the fuzzer's bytes with small numbers in likely places; one of them is destroyed
 * now and then. After each input everything is destroyed and every frame must be back; a
 * bystander's page must never change.
 */
#include <stdlib.h>
#include <string.h>
#include "hyp/dom/inject.h"
#include "hyp/dom/timer.h"
#include "tests/hyp/hostile.h"
#include "tests/hyp/world.h"

enum { DOMAINS = 3, PAGES = 24, BYSTANDER = 9, STEPS = 2000 };

static struct domain *domain[DOMAINS], *bystander;
static const u8 *at, *end;

static u64 byte(void)
{
    return at < end ? *at++ : 0;
}

static u64 number(void)
{
    static const u64 edges[] = {0,         ~0ull,  1ull << 31, 1ull << 32, 1ull << 63,
                                0xfff,     0x1000, DOMID_SELF, DOMID_XEN,  0x7fffffff,
                                BYSTANDER, 4095,   4096,       131071};
    u64 kind = byte(), value = 0;

    switch (kind & 7) {
    case 0: return edges[byte() % ARRAY_SIZE(edges)];
    case 1:
        for (u32 i = 0; i < 8; i++)
            value = value << 8 | byte();
        return value;
    case 2: return byte() << 12;
    case 3: return WORLD_ARG + byte() * 8;
    default: return byte() % (kind & 8 ? 256 : 8);
    }
}

static void make_bystander(void)
{
    u8 page[PAGE_SIZE];

    memset(page, 0x5a, sizeof(page));
    bystander = world_domain(BYSTANDER, 1, PAGES);
    for (u64 gfn = 0; gfn < PAGES; gfn++)
        world_put(bystander, gfn << 12, page, sizeof(page));
}

static void check_bystander(void)
{
    u8 page[PAGE_SIZE];

    for (u64 gfn = 0; gfn < PAGES; gfn++) {
        world_get(bystander, gfn << 12, page, sizeof(page));
        for (u32 i = 0; i < PAGE_SIZE; i++)
            if (page[i] != 0x5a)
                abort();
    }
}

/* Fields of all widths at the argument's place; grants and handles get small values often. */
static void fill_argument(struct domain *d)
{
    u32 fields = (u32)(byte() % 12);
    u64 place = WORLD_ARG;

    for (u32 i = 0; i < fields; i++) {
        u64 value = number();
        u32 width = 1u << (byte() & 3);

        if (guest_write_phys(d, place, &value, width))
            return;
        place += width;
    }
}

static void call(struct domain *d)
{
    struct vcpu *v = d->vcpu[byte() % d->vcpu_count];
    u64 nr = byte() & 1 ? number() : byte() % 56;
    u64 a[5] = {byte() % 16, WORLD_ARG, number(), number(), number()};
    u32 stays = 0;

    if (byte() & 1)
        fill_argument(d);
    for (u32 i = 0; i < 5; i++)
        if (!(byte() & 7))
            a[i] = number();
    if (nr == __HYPERVISOR_vcpu_op) {
        a[1] = number() % 4;
        a[2] = WORLD_ARG;
    }
    if (nr == __HYPERVISOR_arch_7 && (u32)a[0] == OSM_OP_finish)
        return; /* the control domain may end the run, and this program with it */
    v->virt->bits = byte() & 3 ? 64 : 32;
    v->regs.rax = nr;
    if (v->virt->bits == 64) {
        v->regs.rdi = a[0], v->regs.rsi = a[1], v->regs.rdx = a[2];
        v->regs.r10 = a[3], v->regs.r8 = a[4];
    } else {
        v->regs.rbx = a[0], v->regs.rcx = a[1], v->regs.rdx = a[2];
        v->regs.rsi = a[3], v->regs.rdi = a[4];
    }
    world.current = v;
    while (!hypercall_dispatch(v) && ++stays < 64)
        ;
}

/* --- calls that are nearly right ------------------------------------------------------------- */

static u32 small(u32 below)
{
    return (u32)(byte() % below);
}

static domid_t somebody(void)
{
    return small(8) ? (domid_t)(1 + small(DOMAINS)) : (domid_t)number();
}

static u64 some_gfn(void)
{
    return small(16) ? small(PAGES + 16) : number();
}

static s64 operate(struct domain *d, u64 nr, u64 cmd, const void *arg, size_t size, u64 count)
{
    struct vcpu *v = d->vcpu[small(d->vcpu_count)];

    if (guest_write_phys(d, WORLD_ARG, arg, size))
        return -1;
    v->virt->bits = 64;
    return world_call(v, nr, cmd, WORLD_ARG, count);
}

static void events(struct domain *d)
{
    u32 words[6] = {0};
    u32 op = small(14);

    for (u32 i = 0; i < 6; i++)
        words[i] = small(12) ? small(i ? 16 : 40) : (u32)number();
    if (op == EVTCHNOP_alloc_unbound)
        words[0] = (small(4) ? DOMID_SELF : somebody()) | (u32)somebody() << 16;
    if (op == EVTCHNOP_bind_interdomain)
        words[0] = somebody();
    if (op == EVTCHNOP_init_control || op == EVTCHNOP_expand_array)
        words[0] = (u32)some_gfn(), words[1] = 0, words[2] = small(64) * 8, words[3] = small(3);
    operate(d, __HYPERVISOR_event_channel_op, op, words, sizeof(words), 0);
}

static void write_entry(struct domain *d, u32 ref)
{
    struct grant_entry_v1 *table;

    if (!d->grant->frames)
        return;
    table = frame_map(d->grant->frame[0]->frame);
    table[ref] = (struct grant_entry_v1){
        .flags = (u16)(GTF_permit_access | (small(3) ? 0 : GTF_readonly)),
        .domid = (domid_t)(1 + small(DOMAINS)),
        .frame = (u32)some_gfn()};
}

static void map_grants(struct domain *d)
{
    struct gnttab_map_grant_ref m[4];
    u32 count = 1 + small(4);

    for (u32 i = 0; i < count; i++)
        m[i] = (struct gnttab_map_grant_ref){
            .host_addr = some_gfn() << 12,
            .ref = small(8),
            .dom = somebody(),
            .flags = small(8) ? GNTMAP_host_map | (small(2) ? GNTMAP_readonly : 0) : small(32)};
    operate(d, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, m, sizeof(m), count);
}

static void unmap_grants(struct domain *d)
{
    struct gnttab_unmap_grant_ref u[8];
    u32 count = 1 + small(8);

    for (u32 i = 0; i < count; i++) {
        u32 handle = small(12);
        const struct grant_map *held = handle < d->grant->map_room
                                           ? &d->grant->maps[0][0][handle]
                                           : NULL;

        u[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = held && held->granter && small(4) ? held->gfn << 12 : some_gfn() << 12,
            .handle = handle,
            .dev_bus_addr = small(2)};
    }
    operate(d, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, u, sizeof(u), count);
}

static void copy_grants(struct domain *d)
{
    struct gnttab_copy c = {.len = (u16)number(), .flags = (u16)small(4)};

    c.source.u.ref = small(8), c.source.domid = somebody(), c.source.offset = (u16)small(200);
    c.dest.u.ref = small(8), c.dest.domid = somebody(), c.dest.offset = (u16)small(200);
    if (!(c.flags & GNTCOPY_source_gref))
        c.source.u.gmfn = some_gfn(), c.source.domid = DOMID_SELF;
    if (!(c.flags & GNTCOPY_dest_gref))
        c.dest.u.gmfn = some_gfn(), c.dest.domid = DOMID_SELF;
    operate(d, __HYPERVISOR_grant_table_op, GNTTABOP_copy, &c, sizeof(c), 1);
}

static void place_pages(struct domain *d)
{
    struct xen_add_to_physmap a = {.domid = small(4) ? DOMID_SELF : somebody(),
                                   .size = (u16)small(4),
                                   .space = small(5),
                                   .idx = some_gfn(),
                                   .gpfn = some_gfn()};

    if (a.space < XENMAPSPACE_gmfn)
        a.idx = small(3);
    operate(d, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &a, sizeof(a), 0);
}

static void foreign_pages(struct domain *d)
{
    struct xen_add_to_physmap_batch b = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 2};
    u64 lists[4] = {some_gfn(), some_gfn(), some_gfn(), some_gfn()};

    b.u.foreign_domid = somebody();
    b.idxs.p = (xen_ulong_t *)0x1800;
    b.gpfns.p = (xen_pfn_t *)0x1810;
    b.errs.p = (int *)0x1820;
    guest_write_phys(d, 0x1800, lists, sizeof(lists));
    operate(d, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, &b, sizeof(b), 0);
}

static void give_and_take(struct domain *d)
{
    struct xen_memory_reservation r = {
        .nr_extents = 1 + small(4), .extent_order = small(3), .domid = DOMID_SELF};
    u64 list[4] = {some_gfn(), some_gfn(), some_gfn(), some_gfn()};

    r.extent_start.p = (xen_pfn_t *)0x1800;
    guest_write_phys(d, 0x1800, list, sizeof(list));
    operate(d, __HYPERVISOR_memory_op,
            small(2) ? XENMEM_populate_physmap : XENMEM_decrease_reservation, &r, sizeof(r), 0);
}

static void take_away(struct domain *d)
{
    struct xen_remove_from_physmap r = {.domid = small(4) ? DOMID_SELF : somebody(),
                                        .gpfn = some_gfn()};

    operate(d, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, &r, sizeof(r), 0);
}

static void control(struct domain *d)
{
    struct xen_domctl op = {.cmd = small(90),
                            .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
                            .domain = somebody()};

    for (u32 i = 0; i < 40; i++)
        op.u.pad[i] = (u8)(small(2) ? small(4) : small(256));
    if (op.cmd == XEN_DOMCTL_createdomain) {
        op.domain = 0;
        op.u.createdomain = (struct xen_domctl_createdomain){.flags = XEN_DOMCTL_CDF_hvm,
                                                             .max_vcpus = small(5),
                                                             .max_grant_frames = (s32)small(9) -
                                                                                 1,
                                                             .max_evtchn_port = (u32)number()};
    }
    /* Its own vCPUs must go on, or there is nobody to control; the others are renewed by
     * hostile_run, so they are not destroyed behind its back. */
    if (op.domain == d->id || (op.cmd == XEN_DOMCTL_destroydomain && op.domain <= BYSTANDER))
        return;
    operate(d, __HYPERVISOR_domctl, 0, &op, sizeof(op), 0);
    world_call(d->vcpu[0], __HYPERVISOR_domctl, WORLD_ARG, 0, 0);
}

static void vcpus(struct domain *d)
{
    struct vcpu_register_vcpu_info r = {.mfn = some_gfn(), .offset = small(80) * 8};
    struct vcpu_set_singleshot_timer t = {.timeout_abs_ns = world.now_ns + small(200) * 10000};
    u64 area = number();
    struct vcpu *v = d->vcpu[small(d->vcpu_count)];
    const void *arg = small(2) ? (void *)&r : small(2) ? (void *)&t : (void *)&area;

    guest_write_phys(d, WORLD_ARG, arg, arg == &area ? 8 : 16);
    world_call(v, __HYPERVISOR_vcpu_op, small(14), small(3), WORLD_ARG);
}

static void nearly_right(struct domain *d)
{
    static void (*const what[])(struct domain *) = {
        events,       events,      events,      map_grants,    map_grants,
        unmap_grants, copy_grants, place_pages, foreign_pages, give_and_take,
        take_away,    vcpus,       control};

    if (small(2))
        write_entry(d, small(8));
    what[small(ARRAY_SIZE(what))](d);
}

static void time_passes(void)
{
    world.now_ns += byte() * 100000;
    for (world.cpu = 0; world.cpu < world.cpus; world.cpu++) {
        vcpu_tick(world.cpu, world.now_ns);
        vcpu_schedule(world.now_ns);
    }
    world.cpu = 0;
}

static void interrupts(struct domain *d)
{
    for (u32 i = 0; i < d->vcpu_count; i++) {
        int vector = interrupt_pending(d->vcpu[i]);

        if (vector >= 0)
            interrupt_taken(d->vcpu[i], vector);
    }
}

/* A guest that writes its shared pages as it likes. */
static void scribble(struct domain *d)
{
    u64 value = number();

    memcpy((u8 *)d->shared + (byte() << 4), &value, sizeof(value));
    if (d->grant->frames) {
        u8 *table = frame_map(d->grant->frame[0]->frame);
        struct grant_entry_v1 e = {.flags = (u16)byte(),
                                   .domid = (domid_t)(1 + byte() % DOMAINS),
                                   .frame = (u32)(byte() % 32)};

        memcpy(table + (byte() % 16) * sizeof(e), &e, sizeof(e));
    }
}

/* A control domain may have armed faults, which would hit this program's own set-up. */
static void disarm(void)
{
    for (u32 point = 0; point < OSM_POINTS; point++)
        inject_arm(&(struct osm_inject){.point = point});
}

static void renew(u32 i)
{
    bool privileged = domain[i]->privileged;

    disarm();
    world_end(domain[i]);
    domain[i] = world_domain((domid_t)(i + 1), 2, PAGES);
    domain[i]->privileged = privileged;
}

static void end_everybody(void)
{
    struct domain *d;

    while ((d = domain_next(0))) {
        domain_put(d);
        world_end(d);
    }
    domains_reap();
}

void hostile_run(const u8 *data, size_t size)
{
    static u64 frames;
    bool privileged = size & 1; /* half of the inputs have a control domain among them */

    world_init(2);
    at = data;
    end = data + size;
    if (!frames)
        frames = frames_free();
    disarm();
    make_bystander();
    for (u32 i = 0; i < DOMAINS; i++)
        domain[i] = world_domain((domid_t)(i + 1), 2, PAGES);
    domain[0]->privileged = privileged;
    for (u32 step = 0; step < STEPS && at < end; step++) {
        u32 i = (u32)(byte() % DOMAINS), what = (u32)byte() & 31;

        if (domain[i]->state >= DOMAIN_SHUTDOWN)
            renew(i);
        switch (what) {
        case 0: time_passes(); break;
        case 1: interrupts(domain[i]); break;
        case 2: scribble(domain[i]); break;
        case 3: renew(i); break;
        default: (what & 1 ? call : nearly_right)(domain[i]); break;
        }
    }
    if (!privileged)
        check_bystander();
    end_everybody();
    if (frames_free() != frames || domain_total())
        abort();
}
