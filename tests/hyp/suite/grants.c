/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Grants between a domain and itself, and what is refused.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

enum { REF = 8, PAGE = 4096, OTHER_DOMAIN = 0x7000 };

static struct grant_entry_v1 table[PAGE / sizeof(struct grant_entry_v1)]
    __attribute__((aligned(4096)));
static u8 granted[PAGE] __attribute__((aligned(4096)));
static u8 window[PAGE] __attribute__((aligned(4096)));

static long grant(u32 op, void *arg)
{
    return CALL3(grant_table_op, op, arg, 1);
}

static void check_versions(void)
{
    struct gnttab_set_version set = {.version = 1};
    struct gnttab_get_version get = {.dom = DOMID_SELF};
    struct gnttab_query_size size = {.dom = DOMID_SELF};
    static xen_pfn_t frames[8];
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 100000};

    CHECK_EQ("grant: version 1", grant(GNTTABOP_set_version, &set), 0);
    CHECK_EQ("grant: which version", grant(GNTTABOP_get_version, &get), 0);
    CHECK_EQ("grant: it is 1", get.version, 1);
    set.version = 3;
    CHECK_EQ("grant: there is no version 3", grant(GNTTABOP_set_version, &set), -XEN_EINVAL);
    CHECK_EQ("grant: size", grant(GNTTABOP_query_size, &size), 0);
    CHECK_EQ("grant: size's status", size.status, GNTST_okay);
    CHECK("grant: room", size.nr_frames >= 1 && size.max_nr_frames >= size.nr_frames);
    set_xen_guest_handle(setup.frame_list, frames);
    CHECK_EQ("grant: more frames than there can be", grant(GNTTABOP_setup_table, &setup), 0);
    CHECK_EQ("grant: is no success", setup.status, GNTST_general_error);
    CHECK_EQ("grant: unknown operation", grant(99, &setup), -XEN_ENOSYS);
    CHECK_EQ("grant: nothing to do", CALL3(grant_table_op, GNTTABOP_map_grant_ref, &setup, 0),
             0);
}

static struct gnttab_map_grant_ref mapped(u32 ref, u16 dom, u32 flags)
{
    struct gnttab_map_grant_ref map = {
        .host_addr = (word)window, .flags = flags, .ref = ref, .dom = dom};

    CHECK_EQ("grant: the call itself succeeds", grant(GNTTABOP_map_grant_ref, &map), 0);
    return map;
}

static void check_refusals(u16 self)
{
    struct gnttab_unmap_grant_ref unmap = {.host_addr = (word)window, .handle = 0x7777};

    CHECK_EQ("grant: no such domain", mapped(REF, OTHER_DOMAIN, GNTMAP_host_map).status,
             GNTST_bad_domain);
    CHECK_EQ("grant: no such reference", mapped(1u << 30, self, GNTMAP_host_map).status,
             GNTST_bad_gntref);
    CHECK_EQ("grant: a reference that grants nothing",
             mapped(REF + 1, self, GNTMAP_host_map).status, GNTST_general_error);
    CHECK_EQ("grant: unmap of nothing", grant(GNTTABOP_unmap_grant_ref, &unmap), 0);
    CHECK_EQ("grant: that handle is bad", unmap.status, GNTST_bad_handle);
}

static void offer(u16 to)
{
    table[REF] = (struct grant_entry_v1){.domid = to, .frame = (u32)((word)granted >> 12)};
    __asm__ volatile("" ::: "memory");
    table[REF].flags = GTF_permit_access;
}

static void check_map(u16 self)
{
    struct gnttab_map_grant_ref map;
    struct gnttab_unmap_grant_ref unmap = {.host_addr = (word)window};

    offer(self);
    granted[5] = 0x42;
    map = mapped(REF, self, GNTMAP_host_map);
    CHECK_EQ("grant: one's own page", map.status, GNTST_okay);
    CHECK_EQ("grant: it is that page", *(volatile u8 *)&window[5], 0x42);
    CHECK("grant: marked as used",
          (table[REF].flags & (GTF_reading | GTF_writing)) == (GTF_reading | GTF_writing));
    unmap.handle = map.handle;
    CHECK_EQ("grant: and back", grant(GNTTABOP_unmap_grant_ref, &unmap), 0);
    CHECK_EQ("grant: and back, its status", unmap.status, GNTST_okay);
    CHECK("grant: no longer used", !(table[REF].flags & (GTF_reading | GTF_writing)));
    CHECK_EQ("grant: a second time", grant(GNTTABOP_unmap_grant_ref, &unmap), 0);
    CHECK("grant: fails", unmap.status < 0);
}

static struct gnttab_copy copy(u32 from, u32 to, u32 len, u16 self)
{
    struct gnttab_copy c = {.source = {.u.gmfn = (word)granted >> 12, .domid = DOMID_SELF},
                            .dest = {.u.ref = REF, .domid = self},
                            .flags = GNTCOPY_dest_gref};

    c.source.offset = (u16)from;
    c.dest.offset = (u16)to;
    c.len = (u16)len;
    CHECK_EQ("grant: a copy's call succeeds", grant(GNTTABOP_copy, &c), 0);
    return c;
}

static void check_copy(u16 self)
{
    offer(self);
    memset(granted, 0, PAGE);
    memcpy(granted, "twenty-four bytes of it", 24);
    CHECK_EQ("grant: copy", copy(0, 1000, 24, self).status, GNTST_okay);
    CHECK("grant: copied", !memcmp(granted + 1000, "twenty-four bytes of it", 24) &&
                               !granted[999] && !granted[1024]);
    CHECK_EQ("grant: copy over a page's end", copy(0, PAGE - 8, 24, self).status,
             GNTST_bad_copy_arg);
    CHECK_EQ("grant: copy of nothing", copy(0, 0, 0, self).status, GNTST_okay);
    table[REF].flags = 0;
    CHECK("grant: copy where nothing is granted", copy(0, 0, 8, self).status < 0);
}

void check_grants(u32 base)
{
    struct xen_add_to_physmap map = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = (word)table >> 12};
    u32 r[4];

    check_versions();
    CHECK_EQ("grant: the table", CALL2(memory_op, XENMEM_add_to_physmap, &map), 0);
    get_cpuid(base + 4, 0, r);
    CHECK("grant: leaf 4 names this domain", r[0] & 16);
    check_refusals((u16)r[2]);
    check_copy((u16)r[2]);
    check_map((u16)r[2]); /* last: on Xen it moves the page */
}
