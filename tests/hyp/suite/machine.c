/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor as checks use it: registers that may fault, CPUID, and mappings.
 */
#include "tests/hyp/suite/suite.h"

SNIPPET(do_rdmsr, "rdmsr");
SNIPPET(do_wrmsr, "wrmsr");

bool read_msr(u32 msr, u64 *value)
{
    struct outcome o = try_snippet(do_rdmsr, &(struct registers){.cx = msr}, 0);

    *value = (u64)(u32)o.out.dx << 32 | (u32)o.out.ax;
    return !o.count;
}

bool write_msr(u32 msr, u64 value)
{
    struct registers in = {.cx = msr, .ax = (u32)value, .dx = (u32)(value >> 32)};
    struct outcome o = try_snippet(do_wrmsr, &in, 0);

    return !o.count;
}

void get_cpuid(u32 leaf, u32 sub, u32 r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

word read_cr(u32 n)
{
    word value = 0;

    switch (n) {
    case 0: __asm__ volatile("mov %%cr0, %0" : "=r"(value)); break;
    case 2: __asm__ volatile("mov %%cr2, %0" : "=r"(value)); break;
    case 3: __asm__ volatile("mov %%cr3, %0" : "=r"(value)); break;
    case 4: __asm__ volatile("mov %%cr4, %0" : "=r"(value)); break;
    default: break;
    }
    return value;
}

/* The page of 2 or 4 MiB at an address is what `entry` says; 0: nothing. */
void map_large(word at, u32 entry)
{
#if LEVELS >= 3
    extern u64 directories[];

    directories[at >> 21] = entry;
#elif LEVELS == 2
    extern u32 root[];

    root[at >> 22] = entry;
#else
    (void)entry;
#endif
    __asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
}

bool feature(u32 leaf, u32 reg, u32 bit)
{
    u32 r[4];

    get_cpuid(leaf, 0, r);
    return r[reg] >> bit & 1;
}
