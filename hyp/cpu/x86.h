/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that C has no words for, and the register numbers that go with them.
 */
#ifndef HYP_CPU_X86_H
#define HYP_CPU_X86_H

#include "base/types.h"

#define MSR_APIC_BASE    0x0000001bu
#define MSR_EFER         0xc0000080u
#define MSR_STAR         0xc0000081u
#define MSR_LSTAR        0xc0000082u
#define MSR_CSTAR        0xc0000083u
#define MSR_SFMASK       0xc0000084u
#define MSR_FS_BASE      0xc0000100u
#define MSR_GS_BASE      0xc0000101u
#define MSR_KERNEL_GS    0xc0000102u
#define MSR_TSC_AUX      0xc0000103u
#define MSR_SYSENTER_CS  0x00000174u
#define MSR_SYSENTER_ESP 0x00000175u
#define MSR_SYSENTER_EIP 0x00000176u
#define MSR_PAT          0x00000277u
#define MSR_VM_CR        0xc0010114u
#define MSR_VM_HSAVE_PA  0xc0010117u

#define EFER_SCE         0x001ull
#define EFER_LME         0x100ull
#define EFER_LMA         0x400ull
#define EFER_NXE         0x800ull
#define EFER_SVME        0x1000ull
#define EFER_LMSLE       0x2000ull
#define EFER_FFXSR       0x4000ull

#define CR0_PE           0x00000001ull
#define CR0_ET           0x00000010ull
#define CR0_NW           0x20000000ull
#define CR0_CD           0x40000000ull
#define CR0_PG           0x80000000ull

#define CR4_PAE          0x00000020ull
#define CR4_OSXSAVE      0x00040000ull

#define RFLAGS_TF        0x00000100ull
#define RFLAGS_IF        0x00000200ull
#define RFLAGS_VM        0x00020000ull

static inline void outb(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline void outl(u16 port, u32 value)
{
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
    u8 value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u32 inl(u16 port)
{
    u32 value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline u64 rdmsr(u32 msr)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u64 rdtsc(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

struct cpuid {
    u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
    struct cpuid r;

    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(sub));
    return r;
}

/* QEMU's emulator, which names itself and has gaps that silicon has not: up to now, all of it
 * breaks IRET and far returns under SMAP, and delivers interrupts twice (svm/run.c). */
static inline bool cpu_is_tcg(void)
{
    struct cpuid r = cpuid(0x40000000, 0);

    return r.ebx == 0x54474354 && r.ecx == 0x43544743 && r.edx == 0x47435447; /* TCGTCGTCGTCG */
}

static inline void xsetbv(u32 index, u64 value)
{
    __asm__ volatile("xsetbv" ::"c"(index), "a"((u32)value), "d"((u32)(value >> 32)));
}

#define READ_CR(n)                                               \
    ({                                                           \
        u64 cr_value;                                            \
        __asm__ volatile("mov %%cr" #n ", %0" : "=r"(cr_value)); \
        cr_value;                                                \
    })
#define WRITE_CR(n, value) __asm__ volatile("mov %0, %%cr" #n ::"r"((u64)(value)) : "memory")

static inline void flush_page(const void *at)
{
    __asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
}

static inline void halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

#endif
