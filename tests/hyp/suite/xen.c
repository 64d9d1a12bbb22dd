/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Xen says about itself: leaves, the hypercall page, versions, features.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

enum { STUB = 32, IRET_SLOT = 23, PAGE = 4096, FEATURES_SEEN = 0x12305 };

static u8 spare_page[PAGE] __attribute__((aligned(4096)));

static bool is_stub(const u8 *p, u32 nr)
{
    return p[0] == 0xb8 && p[1] == nr && !p[2] && !p[3] && !p[4];
}

static void check_page(u32 msr)
{
    u32 good = 0;
    u64 value = 1;

    for (u32 i = 0; i < 64; i++)
        good += i == IRET_SLOT || is_stub(hypercall_page + i * STUB, i);
    CHECK_EQ("xen: each stub begins by loading its number", good, 64);
    CHECK("xen: the stub of iret is undefined",
          hypercall_page[IRET_SLOT * STUB] == 0x0f &&
              hypercall_page[IRET_SLOT * STUB + 1] == 0x0b);
    CHECK("xen: the page's register reads as 0", read_msr(msr, &value) && !value);
    CHECK("xen: there is no second page", !write_msr(msr, (word)spare_page + 1));
    CHECK("xen: no page where there is no memory", !write_msr(msr, 0xd0000000));
    CHECK("xen: a second copy is the same",
          write_msr(msr, (word)spare_page) && !memcmp(spare_page, hypercall_page, 64 * STUB));
    CHECK("xen: the register behind is none", !read_msr(msr + 1, &value));
}

static void check_leaves(u32 base)
{
    u32 r[4], none = 0;

    get_cpuid(base, 0, r);
    CHECK("xen: leaves up to 4 at least", r[0] - base >= 4 && r[0] - base < 0x100);
    get_cpuid(base + 1, 0, r);
    CHECK_EQ("xen: leaf 1 is the version", r[0], CALL2(xen_version, XENVER_version, 0));
    get_cpuid(base + 4, 0, r);
    CHECK_EQ("xen: leaf 4 names this vCPU", r[0] & 8 ? r[1] : ~0u, 0);
    CHECK("xen: leaf 4 offers upcall vectors", r[0] & 1u << 6);
    get_cpuid(0x40000000, 0, r);
    CHECK("xen: no Viridian leaves", r[1] == 0x566e6558);
    for (u32 leaf = base + 6; leaf < base + 0x100; leaf++) {
        get_cpuid(leaf, 0, r);
        none += !r[0] && !r[1] && !r[2] && !r[3];
    }
    CHECK_EQ("xen: leaves beyond are empty", none, 0xfa);
    get_cpuid(1, 0, r);
    CHECK("cpuid: there is a hypervisor", r[2] >> 31);
}

/* A text in a buffer of fixed size: it ends, and nothing stands behind its end. */
static void check_text(const char *name, u32 op, u32 size)
{
    static char text[1100];
    u32 end, clean;

    memset(text, 0x5a, sizeof(text));
    CHECK_EQ(name, CALL2(xen_version, op, text), 0);
    end = (u32)strnlen(text, sizeof(text));
    for (clean = end; clean < size && !text[clean];)
        clean++;
    verdict(end < size && clean == size && text[size] == 0x5a, name,
            "length %u of %u, zeroes up to %u, behind it %x", end, size, clean, (u8)text[size]);
}

static void check_versions(void)
{
    struct xen_feature_info features = {.submap_idx = 0};
    struct xen_compile_info built;
    xen_capabilities_info_t able;
    xen_domain_handle_t handle = {0};
    xen_commandline_t line;

    check_text("version: extraversion", XENVER_extraversion, sizeof(xen_extraversion_t));
    check_text("version: changeset", XENVER_changeset, sizeof(xen_changeset_info_t));
    check_text("version: capabilities", XENVER_capabilities, sizeof(able));
    memset(&built, 0x5a, sizeof(built));
    CHECK_EQ("version: compile_info", CALL2(xen_version, XENVER_compile_info, &built), 0);
    CHECK("version: compile_info's texts end",
          strnlen(built.compiler, sizeof(built.compiler)) < sizeof(built.compiler) &&
              strnlen(built.compile_by, sizeof(built.compile_by)) < sizeof(built.compile_by) &&
              strnlen(built.compile_date, sizeof(built.compile_date)) <
                  sizeof(built.compile_date));
    CHECK_EQ("version: command line", CALL2(xen_version, XENVER_commandline, line), 0);
    CHECK("version: the command line is not shown", !strncmp(line, "<denied>", 9));
    CHECK_EQ("version: build id", CALL2(xen_version, XENVER_build_id, 0), -XEN_EPERM);
    CHECK_EQ("version: page size", CALL2(xen_version, XENVER_pagesize, 0), PAGE);
    CHECK_EQ("version: handle", CALL2(xen_version, XENVER_guest_handle, handle), 0);
    CHECK_EQ("version: features", CALL2(xen_version, XENVER_get_features, &features), 0);
    CHECK_EQ("version: features of PVH guests", features.submap, FEATURES_SEEN);
    features.submap_idx = 1;
    CHECK_EQ("version: no second features", CALL2(xen_version, XENVER_get_features, &features),
             -XEN_EINVAL);
    CHECK_EQ("version: unknown question", CALL2(xen_version, 100, &features), -XEN_ENOSYS);
#if LEVELS
    map_large(0x40000000, 0);
    CHECK_EQ("version: nowhere to put it", CALL2(xen_version, XENVER_extraversion, 0x40000000),
             -XEN_EFAULT);
#endif
}

void check_xen(u32 base, u32 page_msr)
{
    check_page(page_msr);
    check_leaves(base);
    check_versions();
}
