/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first domain starts as PVH says it should: start information, memory map, Xen's and
 * our CPUID signatures, a hypercall (H01, H02, H05).
 */
#include "tests/hyp/guests/guest.h"
#include "base/memory.h"

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
    EXPECT(!(r[2] & 8) && !(r[3] & 1u << 12)); /* neither MONITOR nor MTRR */
    version = CALL2(xen_version, XENVER_version, 0);
    EXPECT(version == (4 << 16 | 17));
    for (u32 i = 0; i < 1000; i++) /* all of memory is there, and zero */
        EXPECT(*(volatile u64 *)(0x1000000ull + i * 4096) == 0);
    EXPECT(hypercall(62, 0, 0, 0, 0, 0) == -XEN_ENOSYS);
}
