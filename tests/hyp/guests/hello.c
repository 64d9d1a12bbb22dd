/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first domain starts as PVH says it should: start information, memory map, Xen's and
 * our CPUID signatures, what CPUID hides, a hypercall (H01, H02, H05). The word "all" says that the
 * processor has whatever QEMU can do, so that what is missing is hidden.
 */
#include "tests/hyp/guests/guest.h"
#include "base/memory.h"

/* What no guest may see: it is not switched, not emulated, or would be our own. */
static void look_for_hidden(void)
{
    u32 r[4];

    get_cpuid(1, 0, r);
    EXPECT(!(r[2] & (1u << 3 | 1u << 24)));                       /* MONITOR, TSC deadline */
    EXPECT(!(r[3] & (1u << 7 | 1u << 12 | 1u << 14 | 1u << 21))); /* MCE, MTRR, MCA, DS */
    get_cpuid(0x80000001, 0, r);
    EXPECT(!(r[2] & 1u << 2));                          /* SVM */
    EXPECT(!(r[2] & (1u << 23 | 1u << 24 | 1u << 28))); /* performance counters */
    EXPECT(!(r[3] & (1u << 7 | 1u << 12 | 1u << 14)));
    get_cpuid(10, 0, r); /* and Intel's */
    EXPECT(!r[0] && !r[1] && !r[2] && !r[3]);
    get_cpuid(0x8000000a, 0, r); /* SVM's own leaf */
    EXPECT(!r[0] && !r[1] && !r[2] && !r[3]);
}

/* Seeded runs have no numbers from elsewhere; QEMU's SMAP is wrong under nested paging. */
static void look_for_all(void)
{
    bool random;
    u32 r[4];

    get_cpuid(OSM_CPUID_BASE + 1, 0, r);
    random = r[1] == OSM_CLOCK_REAL;
    get_cpuid(1, 0, r);
    EXPECT((r[2] >> 30 & 1) == random); /* RDRAND */
    get_cpuid(7, 0, r);
    EXPECT(random || !(r[1] >> 18 & 1)); /* RDSEED */
    EXPECT(r[1] >> 7 & 1);               /* SMEP is there */
    EXPECT(!(r[1] >> 20 & 1));           /* SMAP */
}

void test_main(const struct hvm_start_info *info)
{
    const struct hvm_memmap_table_entry *map;
    u32 r[4];
    s64 version;

    print("hello from a PVH guest\n");
    EXPECT(info->magic == XEN_HVM_START_MAGIC_VALUE);
    EXPECT(info->version == 1);
    EXPECT(info->flags == (SIF_PRIVILEGED | SIF_INITDOMAIN));
    EXPECT(info->memmap_entries == 2);
    map = (const void *)info->memmap_paddr;
    for (u32 i = 0; i < info->memmap_entries; i++)
        print("memory %lx-%lx type %u\n", map[i].addr, map[i].addr + map[i].size - 1,
              map[i].type);
    print("command line: %s\n", (const char *)info->cmdline_paddr);
    get_cpuid(0x40000000, 0, r);
    EXPECT(memcmp(r + 1, "XenVMMXenVMM", 12) == 0);
    get_cpuid(OSM_CPUID_BASE, 0, r);
    EXPECT(memcmp(r + 1, OSM_SIGNATURE, 12) == 0);
    get_cpuid(1, 0, r);
    EXPECT(r[2] >> 31);
    look_for_hidden();
    if (memcmp((const char *)info->cmdline_paddr, "all", 4) == 0)
        look_for_all();
    version = CALL2(xen_version, XENVER_version, 0);
    EXPECT(version == (4 << 16 | 17));
    for (u32 i = 0; i < 1000; i++) /* all of memory is there, and zero */
        EXPECT(*(volatile u64 *)(0x1000000ull + i * 4096) == 0);
    EXPECT(hypercall(62, 0, 0, 0, 0, 0) == -XEN_ENOSYS);
}
