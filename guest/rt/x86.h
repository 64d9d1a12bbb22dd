/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The x86 instructions C has no words for.
 */
#ifndef GUEST_RT_X86_H
#define GUEST_RT_X86_H

#include "base/types.h"

struct cpuid {
    u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
    struct cpuid r;

    asm volatile("cpuid"
                 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                 : "0"(leaf), "2"(sub));
    return r;
}

static inline u64 msr_read(u32 msr)
{
    u32 low, high;

    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static inline void msr_write(u32 msr, u64 value)
{
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline void out8(u16 port, u8 value)
{
    asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u16 port)
{
    u8 value;

    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void out32(u16 port, u32 value)
{
    asm volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline u32 in32(u16 port)
{
    u32 value;

    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u64 tsc_read(void)
{
    u32 low, high;

    asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (u64)high << 32 | low;
}

static inline void cpu_relax(void)
{
    asm volatile("pause" : : : "memory");
}

static inline u64 cr3_read(void)
{
    u64 value;

    asm volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cr3_write(u64 value)
{
    asm volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline u64 cr2_read(void)
{
    u64 value;

    asm volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline void tlb_flush_page(const void *at)
{
    asm volatile("invlpg (%0)" : : "r"(at) : "memory");
}

#endif
