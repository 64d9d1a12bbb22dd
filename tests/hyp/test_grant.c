/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants by hypercall (H07): map, unmap, copy, swap, versions, in-use bits, wrong and hostile
 * uses (F22), frames that stay while mapped, handles without a fixed limit, a granter that
 * dies first, and the account of references after everything (XSA-218, -224, -255 classes).
 */
#include "hyp/dom/inject.h"
#include "tests/check.h"
#include "tests/hyp/world.h"

enum { GRANT_GFN = 20, PAGE = 30, PLACE = 40, TABLE_ROOM = 32 };

static struct domain *a, *b, *c;

static struct grant_entry_v1 *table(struct domain *d)
{
    return frame_map(d->grant->frame[0]->frame);
}

static s64 gop(struct domain *d, u64 cmd, void *arg, size_t size)
{
    return world_op(d->vcpu[0], __HYPERVISOR_grant_table_op, cmd, arg, size);
}

static void begin(void)
{
    struct xen_add_to_physmap add = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = GRANT_GFN};

    world_init(2);
    a = world_domain(1, 1, 64);
    b = world_domain(2, 1, 64);
    c = world_domain(3, 1, 64);
    CHECK_EQ(
        world_op(a->vcpu[0], __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add, sizeof(add)),
        0);
}

static void end(void)
{
    world_end(a);
    world_end(b);
    world_end(c);
}

/* As a guest does it, through its own mapping of the table. */
static void grant(u32 ref, domid_t to, u64 gfn, bool readonly)
{
    struct grant_entry_v1 e = {
        .flags = (u16)(GTF_permit_access | (readonly ? GTF_readonly : 0)),
        .domid = to,
        .frame = (u32)gfn};

    world_put(a, GRANT_GFN * PAGE_SIZE + ref * sizeof(e), &e, sizeof(e));
}

static s16 map(struct domain *d, domid_t from, u32 ref, u64 gfn, u32 flags,
               grant_handle_t *handle)
{
    struct gnttab_map_grant_ref m = {.host_addr = gfn * PAGE_SIZE,
                                     .flags = GNTMAP_host_map | flags,
                                     .ref = ref,
                                     .dom = from};

    CHECK_EQ(gop(d, GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
    *handle = m.handle;
    return m.status;
}

static s16 unmap(struct domain *d, grant_handle_t handle, u64 gfn)
{
    struct gnttab_unmap_grant_ref u = {.host_addr = gfn * PAGE_SIZE, .handle = handle};

    CHECK_EQ(gop(d, GNTTABOP_unmap_grant_ref, &u, sizeof(u)), 0);
    return u.status;
}

static s16 unmap_and_replace(struct domain *d, grant_handle_t handle, u64 gfn, u64 with)
{
    struct gnttab_unmap_and_replace r = {
        .host_addr = gfn * PAGE_SIZE, .new_addr = with, .handle = handle};

    CHECK_EQ(gop(d, GNTTABOP_unmap_and_replace, &r, sizeof(r)), 0);
    return r.status;
}

static enum p2m_kind kind_at(struct domain *d, u64 gfn, enum p2m_access *access)
{
    mfn_t frame;

    return p2m_look(d, GFN(gfn), &frame, access);
}

static void a_mapped_page_is_shared(void)
{
    enum p2m_access access;
    grant_handle_t h;
    u64 word = 0x1122334455667788, seen = 0;

    begin();
    grant(9, 2, PAGE, false);
    CHECK_EQ(map(b, 1, 9, PLACE, 0, &h), GNTST_okay);
    CHECK_EQ(table(a)[9].flags, GTF_permit_access | GTF_reading | GTF_writing);
    world_put(b, PLACE * PAGE_SIZE + 8, &word, sizeof(word));
    world_get(a, PAGE * PAGE_SIZE + 8, &seen, sizeof(seen));
    CHECK_EQ(seen, word);
    CHECK_EQ(kind_at(b, PLACE, &access), P2M_GRANT);
    CHECK_EQ(unmap(b, h, PLACE), GNTST_okay);
    CHECK_EQ(table(a)[9].flags, GTF_permit_access);
    CHECK_EQ(kind_at(b, PLACE, &access), P2M_HOLE);
    CHECK_EQ(unmap(b, h, PLACE), GNTST_bad_handle);
    end();
}

static void readonly_is_readonly(void)
{
    enum p2m_access access;
    grant_handle_t h, h2;
    u8 byte = 1;

    begin();
    grant(10, 2, PAGE, true);
    CHECK_EQ(map(b, 1, 10, PLACE, 0, &h), GNTST_general_error);
    CHECK_EQ(table(a)[10].flags, GTF_permit_access | GTF_readonly);
    CHECK_EQ(map(b, 1, 10, PLACE, GNTMAP_readonly, &h), GNTST_okay);
    CHECK_EQ(table(a)[10].flags, GTF_permit_access | GTF_readonly | GTF_reading);
    CHECK_EQ(kind_at(b, PLACE, &access), P2M_GRANT);
    CHECK_EQ(access, P2M_R);
    CHECK(guest_write_phys(b, PLACE * PAGE_SIZE, &byte, 1) != 0);
    CHECK_EQ(guest_read_phys(b, &byte, PLACE * PAGE_SIZE, 1), 0);
    /* It cannot be granted on, nor copied to. */
    CHECK_EQ(map(b, 1, 10, PLACE + 1, GNTMAP_readonly, &h2), GNTST_okay);
    CHECK_EQ(unmap(b, h2, PLACE + 1), GNTST_okay);
    CHECK_EQ(table(a)[10].flags, GTF_permit_access | GTF_readonly | GTF_reading);
    CHECK_EQ(unmap(b, h, PLACE), GNTST_okay);
    CHECK_EQ(table(a)[10].flags, GTF_permit_access | GTF_readonly);
    end();
}

/* Bits fall only with the last use of their kind, in whatever order they go. */
static void in_use_bits_follow_the_uses(void)
{
    grant_handle_t w, r1, r2;

    begin();
    grant(11, 2, PAGE, false);
    CHECK_EQ(map(b, 1, 11, PLACE, GNTMAP_readonly, &r1), GNTST_okay);
    CHECK_EQ(table(a)[11].flags, GTF_permit_access | GTF_reading);
    CHECK_EQ(map(b, 1, 11, PLACE + 1, 0, &w), GNTST_okay);
    CHECK_EQ(map(b, 1, 11, PLACE + 2, GNTMAP_readonly, &r2), GNTST_okay);
    CHECK_EQ(table(a)[11].flags, GTF_permit_access | GTF_reading | GTF_writing);
    CHECK_EQ(unmap(b, w, PLACE + 1), GNTST_okay);
    CHECK_EQ(table(a)[11].flags, GTF_permit_access | GTF_reading);
    CHECK_EQ(unmap(b, r1, PLACE), GNTST_okay);
    CHECK_EQ(table(a)[11].flags, GTF_permit_access | GTF_reading);
    CHECK_EQ(unmap(b, r2, PLACE + 2), GNTST_okay);
    CHECK_EQ(table(a)[11].flags, GTF_permit_access);
    end();
}

static void wrong_uses_are_refused(void)
{
    struct gnttab_map_grant_ref m = {
        .host_addr = PLACE * PAGE_SIZE + 1, .flags = GNTMAP_host_map, .ref = 12, .dom = 1};
    enum p2m_access access;
    grant_handle_t h, h2;

    begin();
    grant(12, 2, PAGE, false);
    CHECK_EQ(map(c, 1, 12, PLACE, 0, &h), GNTST_general_error); /* granted to another */
    CHECK_EQ(map(b, 1, 13, PLACE, 0, &h), GNTST_general_error); /* granted to nobody */
    CHECK_EQ(map(b, 77, 12, PLACE, 0, &h), GNTST_bad_domain);
    CHECK_EQ(map(b, 1, 512, PLACE, 0, &h), GNTST_bad_gntref);
    CHECK_EQ(map(b, 1, ~0u, PLACE, 0, &h), GNTST_bad_gntref);
    grant(14, 2, 5000, false);
    CHECK_EQ(map(b, 1, 14, PLACE, 0, &h), GNTST_bad_page); /* no page there */
    CHECK_EQ(table(a)[14].flags, GTF_permit_access);
    CHECK_EQ(gop(b, GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
    CHECK_EQ(m.status, GNTST_bad_virt_addr);
    m.flags = 0;
    CHECK_EQ(gop(b, GNTTABOP_map_grant_ref, &m, sizeof(m)), 0);
    CHECK(m.status < 0);
    CHECK_EQ(unmap(b, 0, PLACE), GNTST_bad_handle);
    CHECK_EQ(unmap(b, ~0u, PLACE), GNTST_bad_handle);
    CHECK_EQ(map(b, 1, 12, PLACE, 0, &h), GNTST_okay);
    CHECK_EQ(map(b, 1, 12, PLACE, 0, &h2), GNTST_general_error); /* its account would be lost */
    CHECK_EQ(unmap(b, h, PLACE + 1), GNTST_general_error);       /* not where it is mapped */
    CHECK_EQ(kind_at(b, PLACE, &access), P2M_GRANT);
    CHECK_EQ(unmap(c, h, PLACE), GNTST_bad_handle); /* another's handle */
    CHECK_EQ(unmap(b, h, PLACE), GNTST_okay);
    CHECK_EQ(world_call(b->vcpu[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref,
                        WORLD_ARG, 0x80000000),
             -XEN_EINVAL);
    end();
}

/* The granter takes the entry away while it is mapped: the mapping goes on, nobody new comes. */
static void revoked_while_mapped(void)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    grant_handle_t h, h2;
    u64 gfn = PAGE, word = 7, before;
    mfn_t frame;

    begin();
    grant(15, 2, PAGE, false);
    CHECK_EQ(map(b, 1, 15, PLACE, 0, &h), GNTST_okay);
    CHECK_EQ(p2m_get(b, GFN(PLACE), P2M_RW, &frame), 0);
    frame_put(frame);
    grant(15, 2, PAGE + 1, false); /* the entry now names another page */
    CHECK_EQ(map(b, 1, 15, PLACE + 1, 0, &h2), GNTST_okay);
    world_put(b, (PLACE + 1) * PAGE_SIZE, &word, sizeof(word));
    word = 0;
    world_get(a, PAGE * PAGE_SIZE, &word, sizeof(word));
    CHECK_EQ(word, 7); /* one page, the first, until nobody uses the entry */
    CHECK_EQ(unmap(b, h2, PLACE + 1), GNTST_okay);
    /* The granter gives the page back to us: it stays, because it is mapped. */
    world_put(a, 0x1800, &gfn, sizeof(gfn));
    r.extent_start.p = (xen_pfn_t *)0x1800;
    CHECK_EQ(world_op(a->vcpu[0], __HYPERVISOR_memory_op, XENMEM_decrease_reservation, &r,
                      sizeof(r)),
             1);
    CHECK(frame_of(frame)->use == FRAME_RAM);
    CHECK(frame_of(frame)->refs >= 1);
    before = frames_free();
    CHECK_EQ(unmap(b, h, PLACE), GNTST_okay);
    CHECK_EQ(frames_free(), before + 1);
    end();
}

static void the_granter_dies_first(void)
{
    grant_handle_t h;
    u64 word = 99, seen = 0, free_now;
    mfn_t frame;

    begin();
    grant(16, 2, PAGE, false);
    world_put(a, PAGE * PAGE_SIZE, &word, sizeof(word));
    CHECK_EQ(map(b, 1, 16, PLACE, 0, &h), GNTST_okay);
    CHECK_EQ(p2m_get(b, GFN(PLACE), P2M_RW, &frame), 0);
    frame_put(frame);
    world_end(a);
    world_get(b, PLACE * PAGE_SIZE, &seen, sizeof(seen)); /* still readable */
    CHECK_EQ(seen, 99);
    CHECK_EQ(map(b, 1, 16, PLACE + 1, 0, &h), GNTST_bad_domain);
    free_now = frames_free();
    CHECK_EQ(unmap(b, 0, PLACE), GNTST_okay);
    CHECK(frames_free() > free_now);
    domains_reap();
    world_end(b);
    world_end(c);
}

static void the_mapper_dies_first(void)
{
    grant_handle_t h;

    begin();
    for (u32 i = 0; i < 20; i++) {
        grant(20 + i, 2, PAGE, false);
        CHECK_EQ(map(b, 1, 20 + i, PLACE + i, 0, &h), GNTST_okay);
    }
    world_end(b);
    for (u32 i = 0; i < 20; i++)
        CHECK_EQ(table(a)[20 + i].flags, GTF_permit_access);
    world_end(a);
    world_end(c);
}

static void handles_have_no_fixed_limit(void)
{
    struct grant_batch batch = {0};
    u64 before;

    begin();
    grant(17, 2, PAGE, false);
    before = frames_free();
    for (u32 i = 0; i < 5000; i++) {
        struct gnttab_map_grant_ref m = {.flags = GNTMAP_device_map, .ref = 17, .dom = 1};

        grant_map_one(b, &batch, &m);
        CHECK_EQ(m.status, GNTST_okay);
        CHECK_EQ(m.handle, i);
        CHECK_EQ(m.dev_bus_addr, 0); /* machine addresses are for who drives devices */
    }
    grant_batch_end(&batch);
    CHECK(frames_free() < before);
    CHECK(b->overhead > 5000 * sizeof(struct grant_map)); /* charged to the mapper */
    end();
}

/* Without a number they end at, handles end at what the hypervisor keeps for one domain (H23):
 * then nobody else lacks a handle, a port or a frame, and the domain's own given back serve again. */
static void handles_end_before_others_lack_memory(void)
{
    struct gnttab_map_grant_ref m;
    struct evtchn_alloc_unbound u = {.dom = DOMID_SELF, .remote_dom = 1};
    struct gnttab_unmap_grant_ref gone = {.dev_bus_addr = 1, .handle = 100};
    struct grant_batch batch = {0};
    grant_handle_t handle;
    u32 made = 0;

    begin();
    b->frames_max = 64;
    grant(17, 2, PAGE, false);
    grant(18, 3, PAGE + 1, false);
    do {
        m = (struct gnttab_map_grant_ref){.flags = GNTMAP_device_map, .ref = 17, .dom = 1};
        grant_map_one(b, &batch, &m);
        made += m.status == GNTST_okay;
    } while (m.status == GNTST_okay);
    CHECK_EQ(m.status, GNTST_no_space);
    CHECK(made > 100000); /* of 64 pages of its own */
    CHECK(b->overhead <= domain_overhead_most(b) * PAGE_SIZE);
    CHECK(frames_free() > 32 * 256); /* of 64 MiB */
    CHECK_EQ(map(c, 1, 18, PLACE, 0, &handle), GNTST_okay);
    CHECK_EQ(world_op(c->vcpu[0], __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, &u,
                      sizeof(u)),
             0);
    CHECK_EQ(guest_write_phys(c, (PLACE + 10) * PAGE_SIZE, "a frame", 8), 0);
    CHECK_EQ(gop(b, GNTTABOP_unmap_grant_ref, &gone, sizeof(gone)), 0);
    CHECK_EQ(gone.status, GNTST_okay);
    grant_map_one(b, &batch, &m);
    CHECK_EQ(m.status, GNTST_okay);
    CHECK_EQ(m.handle, 100);
    grant_batch_end(&batch);
    end();
}

static void batches_and_copies(void)
{
    struct gnttab_copy one = {.len = 100, .flags = GNTCOPY_source_gref};
    char text[64] = "from one domain to the other", seen[64] = {0};

    begin();
    grant(18, 2, PAGE, true);
    world_put(a, PAGE * PAGE_SIZE + 50, text, sizeof(text));
    one.source.u.ref = 18;
    one.source.domid = 1;
    one.source.offset = 50;
    one.dest.u.gmfn = PAGE;
    one.dest.domid = DOMID_SELF;
    one.dest.offset = 7;
    CHECK_EQ(gop(b, GNTTABOP_copy, &one, sizeof(one)), 0);
    CHECK_EQ(one.status, GNTST_okay);
    world_get(b, PAGE * PAGE_SIZE + 7, seen, sizeof(seen));
    CHECK(!strcmp(text, seen));
    CHECK_EQ(table(a)[18].flags, GTF_permit_access | GTF_readonly);
    one.flags = GNTCOPY_dest_gref; /* to a read-only grant */
    one.dest.u.ref = 18;
    one.dest.domid = 1;
    one.source.u.gmfn = PAGE;
    one.source.domid = DOMID_SELF;
    CHECK_EQ(gop(b, GNTTABOP_copy, &one, sizeof(one)), 0);
    CHECK_EQ(one.status, GNTST_general_error);
    one.source.domid = 1; /* another's page without a grant */
    CHECK_EQ(gop(b, GNTTABOP_copy, &one, sizeof(one)), 0);
    CHECK_EQ(one.status, GNTST_permission_denied);
    one.source.domid = DOMID_SELF;
    one.source.offset = 4000;
    CHECK_EQ(gop(b, GNTTABOP_copy, &one, sizeof(one)), 0);
    CHECK_EQ(one.status, GNTST_bad_copy_arg);
    end();
}

/* Items of one call share what they have in common and nothing else: the same reference of
 * another domain is another page, a refusal in between harms nobody. */
static void a_batch_keeps_its_items_apart(void)
{
    static const char texts[][16] = {"the first", "the second"};
    struct xen_add_to_physmap add = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = GRANT_GFN};
    struct gnttab_copy items[6];
    char seen[16] = {0};

    begin();
    CHECK_EQ(
        world_op(c->vcpu[0], __HYPERVISOR_memory_op, XENMEM_add_to_physmap, &add, sizeof(add)),
        0);
    grant(19, 2, PAGE, true);
    table(c)[19] = (struct grant_entry_v1){.domid = 2, .frame = PAGE + 1};
    __atomic_store_n(&table(c)[19].flags, GTF_permit_access, __ATOMIC_SEQ_CST);
    world_put(a, PAGE * PAGE_SIZE, texts[0], 16);
    world_put(c, (PAGE + 1) * PAGE_SIZE, texts[1], 16);
    for (u32 i = 0; i < ARRAY_SIZE(items); i++) {
        items[i] = (struct gnttab_copy){.len = 16, .flags = GNTCOPY_source_gref};
        items[i].source.u.ref = i == 2 ? 20 : 19;
        items[i].source.domid = i % 2 ? 3 : 1;
        items[i].dest.u.gmfn = PAGE + i / 4;
        items[i].dest.offset = (u16)(16 * i);
        items[i].dest.domid = DOMID_SELF;
    }
    world_put(b, WORLD_ARG, items, sizeof(items));
    CHECK_EQ(world_call(b->vcpu[0], __HYPERVISOR_grant_table_op, GNTTABOP_copy, WORLD_ARG,
                        ARRAY_SIZE(items)),
             0);
    world_get(b, WORLD_ARG, items, sizeof(items));
    for (u32 i = 0; i < ARRAY_SIZE(items); i++) {
        CHECK_EQ(items[i].status, i == 2 ? GNTST_general_error : GNTST_okay);
        world_get(b, (PAGE + i / 4) * PAGE_SIZE + 16 * i, seen, sizeof(seen));
        CHECK(i == 2 || !strcmp(seen, texts[i % 2]));
    }
    CHECK_EQ(table(a)[19].flags, GTF_permit_access | GTF_readonly);
    CHECK_EQ(table(c)[19].flags, GTF_permit_access);
    end();
}

static void batched_unmaps_flush_once(void)
{
    struct gnttab_unmap_grant_ref u[32] = {0};
    grant_handle_t h;
    u64 before;

    begin();
    grant(19, 2, PAGE, false);
    for (u32 i = 0; i < 32; i++) {
        CHECK_EQ(map(b, 1, 19, PLACE + 60 + i, 0, &h), GNTST_okay);
        u[i] = (struct gnttab_unmap_grant_ref){.host_addr = (PLACE + 60 + i) * PAGE_SIZE,
                                               .handle = h};
    }
    world_put(b, WORLD_ARG, u, sizeof(u));
    before = world.flushes;
    CHECK_EQ(world_call(b->vcpu[0], __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref,
                        WORLD_ARG, 32),
             0);
    CHECK_EQ(world.flushes, before + 1);
    world_get(b, WORLD_ARG, u, sizeof(u));
    for (u32 i = 0; i < 32; i++)
        CHECK_EQ(u[i].status, GNTST_okay);
    end();
}

static void the_small_operations(void)
{
    struct gnttab_query_size q = {.dom = DOMID_SELF};
    struct gnttab_set_version sv = {.version = 1};
    struct gnttab_get_version gv = {.dom = DOMID_SELF};
    struct gnttab_swap_grant_ref sw = {.ref_a = 21, .ref_b = 22};
    struct gnttab_setup_table t = {.dom = DOMID_SELF, .nr_frames = 3};
    u64 list[3] = {0};
    grant_handle_t h;

    begin();
    CHECK_EQ(gop(a, GNTTABOP_query_size, &q, sizeof(q)), 0);
    CHECK_EQ(q.status, GNTST_okay);
    CHECK_EQ(q.nr_frames, 1);
    CHECK_EQ(q.max_nr_frames, GRANT_FRAMES_USUAL);
    q = (struct gnttab_query_size){.dom = 2};
    CHECK_EQ(gop(a, GNTTABOP_query_size, &q, sizeof(q)), 0);
    CHECK_EQ(q.status, GNTST_permission_denied);
    CHECK_EQ(gop(a, GNTTABOP_set_version, &sv, sizeof(sv)), 0);
    sv.version = 2;
    CHECK_EQ(gop(a, GNTTABOP_set_version, &sv, sizeof(sv)), -XEN_ENOSYS);
    sv.version = 3;
    CHECK_EQ(gop(a, GNTTABOP_set_version, &sv, sizeof(sv)), -XEN_EINVAL);
    CHECK_EQ(sv.version, 1); /* the one it has */
    CHECK_EQ(gop(a, GNTTABOP_get_version, &gv, sizeof(gv)), 0);
    CHECK_EQ(gv.version, 1);
    grant(21, 2, PAGE, false);
    CHECK_EQ(gop(a, GNTTABOP_swap_grant_ref, &sw, sizeof(sw)), 0);
    CHECK_EQ(sw.status, GNTST_okay);
    CHECK_EQ(table(a)[22].frame, PAGE);
    CHECK_EQ(map(b, 1, 22, PLACE, 0, &h), GNTST_okay);
    CHECK_EQ(gop(a, GNTTABOP_swap_grant_ref, &sw, sizeof(sw)), 0);
    CHECK_EQ(sw.status, GNTST_eagain); /* in use */
    CHECK_EQ(unmap_and_replace(b, h, PLACE, PAGE * PAGE_SIZE), GNTST_general_error);
    CHECK_EQ(unmap_and_replace(b, h, PLACE, 0), GNTST_okay);
    CHECK_EQ(unmap_and_replace(b, h, PLACE, 0), GNTST_bad_handle);
    CHECK_EQ(gop(a, GNTTABOP_swap_grant_ref, &sw, sizeof(sw)), 0);
    CHECK_EQ(sw.status, GNTST_okay); /* no longer */
    CHECK_EQ(gop(a, GNTTABOP_swap_grant_ref, &sw, sizeof(sw)), 0);
    t.frame_list.p = (xen_pfn_t *)0x1800;
    CHECK_EQ(gop(a, GNTTABOP_setup_table, &t, sizeof(t)), 0);
    CHECK_EQ(t.status, GNTST_okay);
    world_get(a, 0x1800, list, sizeof(list));
    CHECK_EQ(list[0], GRANT_GFN);
    CHECK_EQ(list[2], -1); /* not mapped anywhere yet */
    CHECK_EQ(a->grant->frames, 3);
    t.nr_frames = GRANT_FRAMES_USUAL + 1;
    CHECK_EQ(gop(a, GNTTABOP_setup_table, &t, sizeof(t)), 0);
    CHECK_EQ(t.status, GNTST_general_error);
    end();
}

/* F23: the n-th use of one of that granter's entries has no memory, and leaves no trace. */
static void a_grant_can_be_made_to_fail(void)
{
    struct osm_inject i = {.domid = 1, .point = OSM_POINT_fail_grant, .after = 2};
    grant_handle_t h[2];

    begin();
    grant(23, 2, PAGE, false);
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(map(b, 1, 23, PLACE, 0, &h[0]), GNTST_okay);
    CHECK_EQ(unmap(b, h[0], PLACE), GNTST_okay);
    CHECK_EQ(map(b, 1, 23, PLACE, 0, &h[0]), GNTST_no_space);
    CHECK_EQ(table(a)[23].flags, GTF_permit_access);
    CHECK_EQ(map(b, 1, 23, PLACE, 0, &h[1]), GNTST_okay);
    i.after = 0;
    CHECK_EQ(inject_arm(&i), 0);
    CHECK_EQ(i.fired, 1);
    CHECK_EQ(unmap(b, h[1], PLACE), GNTST_okay);
    end();
}

static void nothing_leaks(void)
{
    u64 before;

    begin();
    end();
    before = frames_free();
    revoked_while_mapped();
    the_granter_dies_first();
    the_mapper_dies_first();
    handles_have_no_fixed_limit();
    domains_reap();
    CHECK_EQ(frames_free(), before);
    CHECK_EQ(domain_total(), 0);
}

TESTS(CASE(a_mapped_page_is_shared), CASE(readonly_is_readonly),
      CASE(in_use_bits_follow_the_uses), CASE(wrong_uses_are_refused),
      CASE(revoked_while_mapped), CASE(the_granter_dies_first), CASE(the_mapper_dies_first),
      CASE(handles_have_no_fixed_limit), CASE(handles_end_before_others_lack_memory),
      CASE(batches_and_copies), CASE(a_batch_keeps_its_items_apart),
      CASE(batched_unmaps_flush_once), CASE(the_small_operations),
      CASE(a_grant_can_be_made_to_fail), CASE(nothing_leaks))
