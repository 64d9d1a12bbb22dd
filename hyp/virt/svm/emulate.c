/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPUID, RDMSR and WRMSR, XSETBV, RDTSC and RDTSCP when they are intercepted.
 */
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/lapic.h"
#include "hyp/virt/cpuid.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/svm/svm.h"

enum {
    MSR_TSC = 0x10,
    MSR_UCODE = 0x8b,
    MSR_VM_CR_DISABLED = 0x10,
    HYPERCALL_PAGE = 0x40000000
};

/* What reads as a constant and ignores writes: registers that guests touch although CPUID
 * says there is nothing behind them (MTRRs, machine checks, old performance counters). */
static const struct quiet {
    u32 first, last;
    u64 value;
} quiet[] = {
    {MSR_UCODE, MSR_UCODE, 0},
    {0xfe, 0xfe, 0},             /* MTRRcap */
    {0x119, 0x119, 0},           /* BBL_CR_CTL */
    {0x179, 0x17b, 0},           /* MCG_CAP, STATUS, CTL */
    {0x1a0, 0x1a0, 0},           /* MISC_ENABLE */
    {0x1d9, 0x1de, 0},           /* DebugCtl and last branches */
    {0x200, 0x20f, 0},           /* variable MTRRs */
    {0x250, 0x26f, 0},           /* fixed MTRRs */
    {0x2ff, 0x2ff, 0},           /* MTRR default type */
    {0x400, 0x47f, 0},           /* machine check banks */
    {0xc0010000, 0xc0010007, 0}, /* performance counters */
    {0xc0010010, 0xc0010010, 0}, /* SYSCFG */
    {0xc0010015, 0xc0010015, 0}, /* HWCR */
    {0xc001001a, 0xc001001a, 0}, /* TOP_MEM */
    {0xc001001d, 0xc001001d, 0}, /* TOP_MEM2 */
    {0xc001001f, 0xc001001f, 0}, /* NB_CFG */
    {0xc0010114, 0xc0010114, MSR_VM_CR_DISABLED},
    {0xc0011029, 0xc0011029, 2}, /* DE_CFG: LFENCE waits for all before it */
};

static const struct quiet *find_quiet(u32 msr)
{
    for (u32 i = 0; i < ARRAY_SIZE(quiet); i++)
        if (msr >= quiet[i].first && msr <= quiet[i].last)
            return &quiet[i];
    return NULL;
}

static bool read_msr(struct vcpu *v, u32 msr, u64 *value)
{
    struct vmcb *b = v->virt->vmcb;
    const struct quiet *q = find_quiet(msr);

    if (q) {
        *value = q->value;
        return true;
    }
    if (msr == LAPIC_MSR_BASE || (msr >= LAPIC_MSR_X2 && msr < LAPIC_MSR_X2 + 0x100))
        return lapic_rdmsr(v, msr, value);
    switch (msr) {
    case HYPERCALL_PAGE: *value = 0; return true; /* as Xen's: it is written only */
    case MSR_EFER: *value = b->efer & ~EFER_SVME; return true;
    case MSR_PAT: *value = b->pat; return true;
    case MSR_TSC_AUX: *value = v->virt->tsc_aux; return svm.rdtscp;
    case MSR_TSC:
        *value = v->domain->virt->tsc_intercepted ? clock_trapped_tsc()
                                                  : rdtsc() + b->tsc_offset;
        return true;
    default: return false;
    }
}

/* LMA follows LME and paging; the guest cannot change LME while paging is on. */
static bool write_efer(struct vcpu *v, u64 value)
{
    struct vmcb *b = v->virt->vmcb;

    if (value & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR))
        return false;
    if ((b->cr0 & CR0_PG) && ((value ^ b->efer) & EFER_LME))
        return false;
    b->efer = (value & ~EFER_LMA) | (b->efer & EFER_LMA) | EFER_SVME;
    svm_dirty(v, CLEAN_CR);
    return true;
}

static bool write_pat(struct vcpu *v, u64 value)
{
    for (u32 i = 0; i < 64; i += 8) {
        u32 type = value >> i & 0xff;

        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    v->virt->vmcb->pat = value;
    svm_dirty(v, CLEAN_NP);
    return true;
}

static bool write_msr(struct vcpu *v, u32 msr, u64 value)
{
    if (find_quiet(msr))
        return true;
    if (msr == LAPIC_MSR_BASE || (msr >= LAPIC_MSR_X2 && msr < LAPIC_MSR_X2 + 0x100))
        return lapic_wrmsr(v, msr, value);
    switch (msr) {
    case HYPERCALL_PAGE: return hypercall_page_write(v, value);
    case MSR_EFER: return write_efer(v, value);
    case MSR_PAT: return write_pat(v, value);
    case MSR_TSC:
        if (!v->domain->virt->tsc_intercepted)
            virt_set_tsc_offset(v, value - rdtsc());
        return true;
    case MSR_TSC_AUX:
        if (!svm.rdtscp || value >> 32)
            return false;
        v->virt->tsc_aux = value;
        wrmsr(MSR_TSC_AUX, value);
        return true;
    default: return false;
    }
}

void svm_msr(struct vcpu *v, bool write)
{
    u32 msr = (u32)v->regs.rcx;
    u64 value = (v->regs.rdx << 32) | (u32)v->regs.rax;

    if (write ? !write_msr(v, msr, value) : !read_msr(v, msr, &value)) {
        svm_fault(v);
        return;
    }
    if (!write) {
        v->regs.rax = (u32)value;
        v->regs.rdx = value >> 32;
    }
    svm_skip(v, 2);
}

struct cpuid svm_guest_cpuid(struct vcpu *v, u32 leaf, u32 sub)
{
    struct cpuid_view view = {
        .xcr0 = svm.xcr0,
        .os_xsave = v->virt->vmcb->cr4 & CR4_OSXSAVE,
        .tsc_trapped = v->domain->virt->tsc_intercepted,
        .rdtscp = svm.rdtscp,
    };
    return cpuid_for(v, &view, leaf, sub);
}

void svm_cpuid(struct vcpu *v)
{
    struct cpuid r = svm_guest_cpuid(v, (u32)v->regs.rax, (u32)v->regs.rcx);

    v->regs.rax = r.eax;
    v->regs.rbx = r.ebx;
    v->regs.rcx = r.ecx;
    v->regs.rdx = r.edx;
    svm_skip(v, 2);
}

void svm_xsetbv(struct vcpu *v)
{
    u64 value = (v->regs.rdx << 32) | (u32)v->regs.rax, avx512 = value & 0xe0;

    if ((u32)v->regs.rcx != 0 || virt_cpl(v) || !(value & 1) || value & ~svm.xcr0 ||
        (value & 6) == 4 || (avx512 && (avx512 != 0xe0 || (value & 7) != 7))) {
        svm_fault(v);
        return;
    }
    v->virt->xcr0 = value;
    xsetbv(0, value);
    svm_skip(v, 3);
}

/* RDTSC is 0f 31, RDTSCP 0f 01 f9; QEMU gives both the former's exit code. */
void svm_tsc(struct vcpu *v)
{
    u64 now = clock_trapped_tsc();
    u8 code[2] = {0};
    bool p = v->virt->vmcb->exit_code == EXIT_RDTSCP;

    if (!p && insn_fetch(v, code, 2) == 2)
        p = code[0] == 0x0f && code[1] == 0x01;
    v->regs.rax = (u32)now;
    v->regs.rdx = now >> 32;
    if (p)
        v->regs.rcx = (u32)v->virt->tsc_aux;
    svm_skip(v, p ? 3 : 2);
}
