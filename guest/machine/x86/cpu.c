/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processor set-up (AMD APM volume 2: 3.1 control registers, 5.5 process-context ids, 6.1
 * SYSCALL; Intel SDM volume 3: 4.10, 4.6 for SMEP and SMAP).
 */
#include "guest/machine/x86/cpu.h"
#include "base/memory.h"
#include "guest/machine/protocol.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { EFER = 0xc0000080, STAR = 0xc0000081, LSTAR, CSTAR, SFMASK, SYSENTER_CS = 0x174 };
enum { EFER_SCE = 1, EFER_NXE = 0x800 };
enum { RFLAGS_OFF = 0x47700 }; /* TF IF DF NT AC IOPL */
enum {
    CR4_TSD = 1 << 2,
    CR4_PGE = 1 << 7,
    CR4_UMIP = 1 << 11,
    CR4_PCIDE = 1 << 17,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
};
enum { HAS_PCID = 1 << 17, HAS_SMEP = 1 << 7, HAS_SMAP = 1 << 20, HAS_UMIP = 1 << 2 };
enum { PCIDS = 4096 };
#define CR3_KEEP (1ull << 63)

static bool has_pcid;
static u32 next_pcid, round_now;
const struct cpu_space *cpu_space_current;
bool cpu_smap;

static u64 cr4_read(void)
{
    u64 value;

    asm volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void cr4_write(u64 value)
{
    asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* QEMU's emulator before 8 lets IRET and far returns of ring 3 fault under SMAP. */
static bool emulated(void)
{
    struct cpuid r = cpuid(0x40000000, 0);

    return r.ebx == 0x54474354 && r.ecx == 0x43544743 && r.edx == 0x47435447; /* TCGTCGTCGTCG */
}

static void protections_init(void)
{
    struct cpuid seven = {0};
    u64 cr4 = cr4_read() | CR4_TSD;

    if (cpuid(0, 0).eax >= 7)
        seven = cpuid(7, 0);
    if (seven.ebx & HAS_SMEP)
        cr4 |= CR4_SMEP;
    cpu_smap = (seven.ebx & HAS_SMAP) && !emulated();
    if (cpu_smap)
        cr4 |= CR4_SMAP;
    if (seven.ecx & HAS_UMIP)
        cr4 |= CR4_UMIP;
    has_pcid = (cpuid(1, 0).ecx & HAS_PCID) != 0;
    if (has_pcid)
        cr4 |= CR4_PCIDE;
    cr4_write(cr4);
    next_pcid = 1;
    round_now = 1;
}

u64 cpu_features(void)
{
    u64 cr4 = cr4_read();

    return (cr4 & CR4_SMEP ? 1u << MACHINE_SMEP : 0u) |
           (cr4 & CR4_SMAP ? 1u << MACHINE_SMAP : 0u) |
           (cr4 & CR4_UMIP ? 1u << MACHINE_UMIP : 0u) |
           (cr4 & CR4_PCIDE ? 1u << MACHINE_PCID : 0u) |
           (cpu_float_has_upper() ? 1u << MACHINE_AVX : 0u);
}

static void syscall_init(void)
{
    msr_write(STAR, (u64)(RT_USER32 | 3) << 48 | (u64)RT_CODE << 32);
    msr_write(LSTAR, (u64)x86_syscall);
    msr_write(CSTAR, (u64)x86_syscall32);
    msr_write(SFMASK, RFLAGS_OFF);
    msr_write(SYSENTER_CS, 0);
    msr_write(EFER, msr_read(EFER) | EFER_SCE | EFER_NXE);
}

void cpu_init(void)
{
    protections_init();
    syscall_init();
    cpu_float_init();
}

/* A number for the space; when they run out, all are given out anew, each flushed at its
 * first use. Space 0 is the runtime's. */
static void number(struct cpu_space *s)
{
    if (s->pcid && s->round == round_now)
        return;
    if (next_pcid == PCIDS) {
        next_pcid = 1;
        round_now++;
    }
    s->pcid = next_pcid++;
    s->round = round_now;
    s->stale = true;
}

void cpu_space_load(struct cpu_space *s)
{
    u64 cr3;

    if (cpu_space_is_current(s))
        return;
    cpu_space_current = s;
    if (!s) {
        cr3_write(rt_physical(rt_map_root()));
        return;
    }
    cr3 = s->root;
    if (has_pcid) {
        number(s);
        cr3 |= s->pcid | (s->stale ? 0 : CR3_KEEP);
        s->stale = false;
    }
    cr3_write(cr3);
}

void cpu_space_flush(struct cpu_space *s, u64 va)
{
    if (cpu_space_is_current(s))
        tlb_flush_page((const void *)va);
    else
        s->stale = true;
}

void cpu_space_forget(struct cpu_space *s)
{
    if (cpu_space_is_current(s))
        cpu_space_load(NULL);
}
