/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op as guests and builders use it (H02): RAM given, taken and moved, shared pages at
 * one place only, foreign pages for the control domain alone, limits kept, the account of
 * pages right, 32-bit layouts; and devices, which are never RAM.
 */
#include "base/keyed.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

static struct domain *control, *guest;

static void begin(void)
{
    world_init(2);
    control = world_domain(0, 1, 64);
    guest = world_domain(1, 1, 64);
    guest->frames_max = 100;
}

static void end(void)
{
    world_end(guest);
    world_end(control);
}

static s64 op(struct domain *d, u64 cmd, void *arg, size_t size)
{
    return world_op(d->vcpu[0], __HYPERVISOR_memory_op, cmd, arg, size);
}

static s64 extents(struct domain *by, domid_t whom, u64 cmd, u64 first, u64 count, u32 order)
{
    struct xen_memory_reservation r = {
        .nr_extents = count, .extent_order = order, .domid = whom};

    for (u64 i = 0; i < count && i < 256; i++) {
        u64 gfn = first + (i << order);

        world_put(by, 0x2000 + i * 8, &gfn, 8);
    }
    r.extent_start.p = (xen_pfn_t *)0x2000;
    return op(by, cmd, &r, sizeof(r));
}

static s64 reservation(struct domain *d, u64 cmd)
{
    domid_t self = DOMID_SELF;

    return op(d, cmd, &self, sizeof(self));
}

static enum p2m_kind kind_at(struct domain *d, u64 gfn)
{
    enum p2m_access access;
    mfn_t frame;

    return p2m_look(d, GFN(gfn), &frame, &access);
}

static void ram_comes_and_goes(void)
{
    u8 byte = 1;

    begin();
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 64);
    CHECK_EQ(reservation(guest, XENMEM_maximum_reservation), 100);
    CHECK_EQ(reservation(guest, XENMEM_maximum_gpfn), 63);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_populate_physmap, 200, 10, 0), 10);
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 74);
    CHECK_EQ(guest_write_phys(guest, 205 << 12, &byte, 1), 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_populate_physmap, 200, 10, 0),
             10); /* again: no change */
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 74);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_decrease_reservation, 200, 12, 0),
             10); /* two holes */
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 64);
    CHECK(guest_write_phys(guest, 205 << 12, &byte, 1) != 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_populate_physmap, 512, 3, 4),
             2); /* 100 is the limit */
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 96);
    CHECK_EQ(extents(guest, 0, XENMEM_populate_physmap, 300, 1, 0), 0); /* not the guest's */
    CHECK_EQ(extents(guest, 77, XENMEM_populate_physmap, 300, 1, 0), 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_populate_physmap, 1ull << 52, 1, 0), 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_increase_reservation, 0, 2, 0), 2);
    CHECK_EQ(op(guest, XENMEM_exchange, &(u64){0}, 8), -XEN_EOPNOTSUPP);
    CHECK_EQ(extents(control, 1, XENMEM_decrease_reservation, 512, 16, 0), 16);
    CHECK_EQ(reservation(guest, XENMEM_current_reservation), 82);
    end();
}

/* A page of ones under a hole serves reads; to every call, and to memory that comes there
 * later, it is a hole still. */
static void holes_read_as_ones(void)
{
    u8 byte = 0;

    begin();
    CHECK_EQ(p2m_fault(guest, 200 << 12, false), -XEN_EFAULT);
    CHECK_EQ(p2m_void(guest, GFN(200)), 0);
    CHECK_EQ(p2m_void(guest, GFN(201)), 0);
    CHECK_EQ(p2m_void(guest, GFN(5)), 0); /* RAM stays what it is */
    CHECK_EQ(kind_at(guest, 5), P2M_PROMISED);
    CHECK_EQ(p2m_fault(guest, 200 << 12, false), 0);
    CHECK_EQ(p2m_fault(guest, 200 << 12, true), -XEN_EACCES);
    CHECK_EQ(kind_at(guest, 200), P2M_HOLE);
    CHECK(guest_read_phys(guest, &byte, 200 << 12, 1) != 0);
    CHECK(guest_write_phys(guest, 200 << 12, &byte, 1) != 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_decrease_reservation, 200, 1, 0), 0);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_populate_physmap, 200, 1, 0), 1);
    CHECK_EQ(guest_read_phys(guest, &byte, 200 << 12, 1), 0);
    CHECK_EQ(byte, 0);
    end();
}

/* The builder's map is the guest's to read, in the room it has. */
static void the_memory_map_is_the_builders(void)
{
    const struct e820_entry drawn[2] = {{0, 0xa0000, 1}, {0x100000, 0x700000, 1}};
    struct xen_foreign_memory_map set = {.domid = 1, .map.nr_entries = 2};
    struct xen_memory_map get = {.nr_entries = 8};
    struct e820_entry seen[2] = {{0}};

    begin();
    set.map.buffer.p = get.buffer.p = (void *)0x4000;
    world_put(control, 0x4000, drawn, sizeof(drawn));
    CHECK_EQ(op(guest, XENMEM_memory_map, &get, sizeof(get)), -XEN_ENOSYS);
    CHECK_EQ(op(guest, XENMEM_set_memory_map, &set, sizeof(set)), -XEN_EPERM);
    CHECK_EQ(op(control, XENMEM_set_memory_map, &set, sizeof(set)), -XEN_EBUSY); /* it runs */
    guest->started = false;
    CHECK_EQ(op(control, XENMEM_set_memory_map, &set, sizeof(set)), 0);
    get.nr_entries = 8;
    CHECK_EQ(op(guest, XENMEM_memory_map, &get, sizeof(get)), 0);
    CHECK_EQ(get.nr_entries, 2);
    world_get(guest, 0x4000, seen, sizeof(seen));
    CHECK(!memcmp(seen, drawn, sizeof(seen)));
    set.map.nr_entries = 100000;
    CHECK_EQ(op(control, XENMEM_set_memory_map, &set, sizeof(set)), -XEN_EINVAL);
    CHECK_EQ(world_call(guest->vcpu[0], __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0),
             (s64)frames_total() - 1);
    end();
}

/* A map that is scattered by reads of holes far apart takes tables until the domain's own end,
 * not the machine's (H23). */
static void tables_end_before_others_lack_memory(void)
{
    const u64 apart = 1ull << 18; /* two tables each */
    u64 at = apart, byte = 1;
    int error;

    begin();
    for (error = 0; !error && at >> 36 == 0; at += apart)
        error = p2m_void(guest, GFN(at));
    CHECK_EQ(error, -XEN_ENOMEM);
    CHECK(guest->overhead <= domain_overhead_most(guest) * PAGE_SIZE);
    CHECK(frames_free() > 32 * 256);
    CHECK_EQ(p2m_void(guest, GFN(apart + 1)), 0); /* where a table is */
    CHECK_EQ(guest_write_phys(guest, 5 << 12, &byte, 1), 0);
    CHECK_EQ(guest_write_phys(control, 6 << 12, &byte, 1), 0);
    CHECK_EQ(p2m_void(control, GFN(apart)), 0);
    CHECK_EQ(p2m_void(guest, GFN(1ull << 40)), -XEN_EFAULT);
    end();
}

static void long_calls_are_preempted_and_finish(void)
{
    begin();
    guest->frames_max = 10000;
    CHECK_EQ(extents(control, 1, XENMEM_populate_physmap, 4096, 12, 9), 12);
    CHECK_EQ(guest->pages, 64 + 12 * 512);
    CHECK_EQ(extents(control, 1, XENMEM_decrease_reservation, 4096, 12, 9), 12);
    CHECK_EQ(guest->pages, 64);
    end();
}

static s64 add(struct domain *d, u32 space, u64 idx, u64 gfn)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gfn};

    return op(d, XENMEM_add_to_physmap, &a, sizeof(a));
}

static void shared_pages_have_one_place(void)
{
    struct shared_info s;

    begin();
    CHECK_EQ(add(guest, XENMAPSPACE_shared_info, 0, 30), 0); /* over RAM, which goes */
    CHECK_EQ(guest->pages, 63);
    world_get(guest, 30 << 12, &s, sizeof(s));
    CHECK_EQ(s.wc_sec, 1704067200);
    CHECK_EQ(add(guest, XENMAPSPACE_shared_info, 0, 70), 0);
    CHECK_EQ(kind_at(guest, 30), P2M_HOLE);
    CHECK_EQ(guest->pages, 63);
    CHECK_EQ(add(guest, XENMAPSPACE_shared_info, 1, 31), -XEN_EINVAL);
    CHECK_EQ(add(guest, XENMAPSPACE_grant_table, 0, 71), 0);
    CHECK_EQ(add(guest, XENMAPSPACE_grant_table, 5, 72), 0);
    CHECK_EQ(guest->grant->frames, 6);
    CHECK_EQ(add(guest, XENMAPSPACE_grant_table, 64, 73), -XEN_EINVAL);
    CHECK_EQ(add(guest, XENMAPSPACE_gmfn_foreign, 0, 73), -XEN_EINVAL);
    CHECK_EQ(add(guest, 9, 0, 73), -XEN_EINVAL);
    /* It is not RAM to be given back, but it can be taken out of the map. */
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_decrease_reservation, 70, 1, 0), 0);
    CHECK_EQ(op(guest, XENMEM_remove_from_physmap,
                &(struct xen_remove_from_physmap){.domid = DOMID_SELF, .gpfn = 70},
                sizeof(struct xen_remove_from_physmap)),
             0);
    CHECK_EQ(kind_at(guest, 70), P2M_HOLE);
    CHECK_EQ(guest->pages, 63);
    end();
}

static void pages_move(void)
{
    u64 label = 0xabcdef;

    begin();
    world_put(guest, 20 << 12, &label, sizeof(label));
    CHECK_EQ(add(guest, XENMAPSPACE_gmfn, 20, 90), 0);
    label = 0;
    world_get(guest, 90 << 12, &label, sizeof(label));
    CHECK_EQ(label, 0xabcdef);
    CHECK_EQ(kind_at(guest, 20), P2M_HOLE);
    CHECK_EQ(guest->pages, 64);
    CHECK_EQ(add(guest, XENMAPSPACE_gmfn, 90, 21), 0); /* onto RAM: that RAM goes */
    CHECK_EQ(guest->pages, 63);
    CHECK_EQ(add(guest, XENMAPSPACE_gmfn, 500, 22), -XEN_EINVAL);
    end();
}

static s64 foreign(struct domain *by, domid_t whose, u64 idx, u64 gfn, s32 *error)
{
    struct xen_add_to_physmap_batch b = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 1};
    u64 lists[3] = {idx, gfn, 0x5555};
    s64 result;

    b.u.foreign_domid = whose;
    b.idxs.p = (xen_ulong_t *)0x1800;
    b.gpfns.p = (xen_pfn_t *)0x1808;
    b.errs.p = (int *)0x1810;
    world_put(by, 0x1800, lists, sizeof(lists));
    result = op(by, XENMEM_add_to_physmap_batch, &b, sizeof(b));
    world_get(by, 0x1810, error, sizeof(*error));
    return result;
}

static void foreign_pages_are_for_builders(void)
{
    u64 label = 0x600d;
    s32 error;

    begin();
    CHECK_EQ(foreign(guest, 0, 3, 80, &error), -XEN_EPERM);
    CHECK_EQ(foreign(control, 1, 3, 80, &error), 0);
    CHECK_EQ(error, 0);
    world_put(control, 80 << 12, &label, sizeof(label));
    label = 0;
    world_get(guest, 3 << 12, &label, sizeof(label));
    CHECK_EQ(label, 0x600d);
    CHECK_EQ(control->pages, 64);
    CHECK_EQ(foreign(control, 1, 5000, 81, &error), 0);
    CHECK_EQ(error, -XEN_EINVAL);
    CHECK_EQ(foreign(control, 0, 3, 82, &error), -XEN_EINVAL); /* oneself is not foreign */
    CHECK_EQ(foreign(control, 42, 3, 82, &error), -XEN_ESRCH);
    /* The guest ends first; the page stays as long as it is mapped. */
    world_end(guest);
    world_get(control, 80 << 12, &label, sizeof(label));
    CHECK_EQ(label, 0x600d);
    world_end(control);
    domains_reap();
}

static void narrow_callers_use_narrow_structures(void)
{
    struct {
        u32 list, count, order, flags;
        u16 domid, pad;
    } r = {0x2000, 3, 0, 0, DOMID_SELF, 0};
    struct {
        u16 domid, size;
        u32 space, idx, gpfn;
    } a = {DOMID_SELF, 0, XENMAPSPACE_shared_info, 0, 95};
    u32 list[3] = {120, 121, 122};

    begin();
    guest->vcpu[0]->virt->bits = 32;
    world_put(guest, 0x2000, list, sizeof(list));
    CHECK_EQ(op(guest, XENMEM_populate_physmap, &r, sizeof(r)), 3);
    CHECK_EQ(kind_at(guest, 122), P2M_PROMISED);
    CHECK_EQ(kind_at(guest, 123), P2M_HOLE);
    CHECK_EQ(op(guest, XENMEM_add_to_physmap, &a, sizeof(a)), 0);
    CHECK_EQ(guest->shared_gfn, 95);
    end();
}

static s64 domctl(struct xen_domctl *o)
{
    o->domain = 1;
    return world_domctl(control, o);
}

static void devices_are_not_ram(void)
{
    struct xen_domctl p = {.cmd = XEN_DOMCTL_iomem_permission},
                      m = {.cmd = XEN_DOMCTL_memory_mapping};
    u64 device = 1 << 20; /* above all RAM of the stand-in */

    begin();
    m.u.memory_mapping = (struct xen_domctl_memory_mapping){
        .first_gfn = 1000, .first_mfn = device, .nr_mfns = 4, .add_mapping = 1};
    CHECK_EQ(domctl(&m), -XEN_EPERM); /* not permitted yet */
    p.u.iomem_permission = (struct xen_domctl_iomem_permission){
        .first_mfn = 50, .nr_mfns = 4, .allow_access = 1};
    CHECK_EQ(domctl(&p), -XEN_EINVAL); /* RAM */
    p.u.iomem_permission.first_mfn = device;
    CHECK_EQ(domctl(&p), 0);
    CHECK_EQ(domctl(&m), 0);
    CHECK_EQ(kind_at(guest, 1003), P2M_DEVICE);
    CHECK_EQ(extents(guest, DOMID_SELF, XENMEM_decrease_reservation, 1000, 1, 0), 0);
    CHECK_EQ(add(guest, XENMAPSPACE_shared_info, 0, 1001), -XEN_EBUSY);
    m.u.memory_mapping.add_mapping = 0;
    CHECK_EQ(domctl(&m), 0);
    CHECK_EQ(kind_at(guest, 1003), P2M_HOLE);
    end();
}

/* Entries of 1 GiB and 2 MiB: made whole, looked through, and split where a page goes; what is
 * left leads where it led. */
static void large_pages_are_split(void)
{
    enum { GIB = 1 << 18 };
    const u64 device = 4 * GIB, at = GIB;
    enum p2m_access access;
    u64 before;
    mfn_t m;

    begin();
    CHECK_EQ(p2m_map(guest, GFN(at + 512), MFN(device), 18, P2M_DEVICE, P2M_RW), -XEN_EINVAL);
    CHECK_EQ(p2m_map(guest, GFN(at), MFN(device + 1), 18, P2M_DEVICE, P2M_RW), -XEN_EINVAL);
    CHECK_EQ(p2m_map(guest, GFN(at), MFN(device), 17, P2M_DEVICE, P2M_RW), -XEN_EINVAL);
    CHECK_EQ(p2m_map(guest, GFN(at), MFN(device), 18, P2M_DEVICE, P2M_RW), 0);
    CHECK_EQ(p2m_look(guest, GFN(at + 123456), &m, &access), P2M_DEVICE);
    CHECK(m.n == device + 123456 && access == P2M_RW);
    CHECK_EQ(p2m_look(guest, GFN(at + GIB), &m, &access), P2M_HOLE);
    before = guest->overhead;
    CHECK_EQ(p2m_unmap(guest, GFN(at + 1000)), 0);
    CHECK(guest->overhead > before); /* the tables of its pieces */
    for (u64 i = 0; i < GIB; i += i < 2048 ? 1 : 511) {
        enum p2m_kind kind = p2m_look(guest, GFN(at + i), &m, &access);

        CHECK_EQ(kind, i == 1000 ? P2M_HOLE : P2M_DEVICE);
        CHECK(i == 1000 || (m.n == device + i && access == P2M_RW));
    }
    CHECK_EQ(p2m_map(guest, GFN(at + 5), MFN(1), 0, P2M_GRANT, P2M_R), -XEN_EBUSY);
    before = guest->frames;
    CHECK_EQ(p2m_promise(guest, GFN(at + GIB), GIB), 0); /* one entry, no table more */
    CHECK_EQ(kind_at(guest, at + 2 * GIB - 1), P2M_PROMISED);
    CHECK_EQ(guest->frames, before);
    CHECK_EQ(p2m_get(guest, GFN(at + GIB + 777), P2M_RW, &m), 0);
    frame_put(m);
    CHECK(guest->frames > before && guest->frames <= before + 16);
    CHECK_EQ(kind_at(guest, at + GIB + 777), P2M_RAM);
    CHECK_EQ(kind_at(guest, at + GIB + 1777), P2M_PROMISED);
    guest->frames_max = 16384; /* a domain whose memory comes in pieces of 2 MiB */
    CHECK_EQ(p2m_get(guest, GFN(at + GIB + 5 * 512 + 3), P2M_RW, &m), 0);
    frame_put(m);
    CHECK(guest->frames > 512);
    before = guest->frames;
    CHECK_EQ(p2m_unmap(guest, GFN(at + GIB + 5 * 512 + 4)), 0);
    CHECK_EQ(guest->frames, before - 1);
    CHECK_EQ(kind_at(guest, at + GIB + 5 * 512 + 4), P2M_HOLE);
    CHECK_EQ(p2m_look(guest, GFN(at + GIB + 5 * 512 + 3), &m, &access), P2M_RAM);
    CHECK(frame_of(m)->refs == 1);
    end();
}

static void nothing_leaks(void)
{
    u64 before;

    begin();
    end();
    before = frames_free();
    ram_comes_and_goes();
    shared_pages_have_one_place();
    pages_move();
    foreign_pages_are_for_builders();
    CHECK_EQ(frames_free(), before);
}

TESTS(CASE(ram_comes_and_goes), CASE(holes_read_as_ones),
      CASE(tables_end_before_others_lack_memory), CASE(the_memory_map_is_the_builders),
      CASE(long_calls_are_preempted_and_finish), CASE(shared_pages_have_one_place),
      CASE(pages_move), CASE(foreign_pages_are_for_builders),
      CASE(narrow_callers_use_narrow_structures), CASE(devices_are_not_ram),
      CASE(large_pages_are_split), CASE(nothing_leaks))
