/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes of CR0 and CR4: those that must fault, do. A processor checks its reserved bits
 * itself, emulators do not, and neither knows which features CPUID hides from this guest.
 * AMD APM vol. 2, 3.1, 15.8.1, 15.9.
 */
#include "hyp/cpu/x86.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/svm/svm.h"

/* VME to PCE, OSFXSR, OSXMMEXCPT: every processor with SVM has them. */
#define CR4_ALWAYS 0x7ffull
enum { CR4_UMIP = 1 << 11, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20 };
enum { CR4_SMAP = 1 << 21, CR4_PKE = 1 << 22 };
enum { EBX = 1, ECX = 2, MOV_MOST = 7 };
/* PE MP EM TS, NE, WP, AM, NW CD PG. */
#define CR0_WRITABLE 0xe005002full

static const struct {
    u32 bit, leaf;
    u8 reg, shift;
} offered[] = {
    {CR4_UMIP, 7, ECX, 2},     {CR4_FSGSBASE, 7, EBX, 0}, {CR4_PCIDE, 1, ECX, 17},
    {CR4_OSXSAVE, 1, ECX, 26}, {CR4_SMEP, 7, EBX, 7},     {CR4_SMAP, 7, EBX, 20},
    {CR4_PKE, 7, ECX, 3},
};

/* The bits of CR4 for which CPUID, as this guest sees it, has a feature. */
static u64 cr4_allowed(struct vcpu *v)
{
    u64 allowed = CR4_ALWAYS;

    for (u32 i = 0; i < ARRAY_SIZE(offered); i++) {
        struct cpuid r = svm_guest_cpuid(v, offered[i].leaf, 0);

        if ((offered[i].reg == EBX ? r.ebx : r.ecx) >> offered[i].shift & 1)
            allowed |= offered[i].bit;
    }
    return allowed;
}

static bool cr4_is_good(struct vcpu *v, u64 value)
{
    const struct vmcb *b = v->virt->vmcb;
    bool pcide = value & CR4_PCIDE && !(b->cr4 & CR4_PCIDE);

    if (value & ~cr4_allowed(v))
        return false;
    if (b->efer & EFER_LMA && !(value & CR4_PAE))
        return false;
    return !pcide || (b->efer & EFER_LMA && !(b->cr3 & 0xfff));
}

static bool cr0_is_good(const struct vcpu *v, u64 value)
{
    const struct vmcb *b = v->virt->vmcb;
    bool on = value & CR0_PG && !(b->cr0 & CR0_PG), off = !(value & CR0_PG) && b->cr0 & CR0_PG;

    if (value >> 32 || (value & CR0_NW && !(value & CR0_CD)) ||
        (value & CR0_PG && !(value & CR0_PE)))
        return false;
    if (on && b->efer & EFER_LME && (!(b->cr4 & CR4_PAE) || b->cs.attr & 0x200))
        return false;
    return !off || !(virt_code_bits(v) == 64 || b->cr4 & CR4_PCIDE);
}

/* The general register a MOV to a control register reads, and its length; -1: it is another
 * instruction. */
static int source_of(struct vcpu *v, u32 *len)
{
    u8 code[MOV_MOST], rex = 0;
    u32 got = insn_fetch(v, code, sizeof(code)), at = 0;

    while (at < got && (code[at] == 0x66 || code[at] == 0x67 || code[at] == 0xf2 ||
                        code[at] == 0xf3 || (code[at] & 0xe7) == 0x26))
        at++; /* prefixes that mean nothing here */
    if (at < got && virt_code_bits(v) == 64 && (code[at] & 0xf0) == 0x40)
        rex = code[at++];
    if (at + 3 > got || code[at] != 0x0f || code[at + 1] != 0x22)
        return -1;
    *len = at + 3;
    return (code[at + 2] & 7) | (rex & 1) << 3;
}

void svm_watch_control(struct vcpu *v, bool on)
{
    struct vmcb *b = v->virt->vmcb;

    v->virt->control_unwatched = !on;
    b->cr_writes = on ? 1u << 4 : 0;
    b->intercept1 = on ? b->intercept1 | INTERCEPT1_CR0_OTHER
                       : b->intercept1 & ~INTERCEPT1_CR0_OTHER;
    svm_dirty(v, CLEAN_INTERCEPTS);
}

/* Writes that turn modes are the processor's own, with all that goes with them; until the
 * next exit it is not watched. LMSW and CLTS cannot write anything wrong. */
static bool turns_mode(const struct vmcb *b, u64 value, bool cr4)
{
    return cr4 ? (value ^ b->cr4) & CR4_PAE : (value ^ b->cr0) & (CR0_PE | CR0_PG);
}

void svm_control(struct vcpu *v, bool cr4)
{
    struct vmcb *b = v->virt->vmcb;
    u32 len = 0;
    int source = source_of(v, &len);
    u64 value = source < 0 ? 0 : insn_register(&v->regs, (u32)source);

    if (virt_code_bits(v) != 64)
        value = (u32)value;
    if (source >= 0 && (cr4 ? !cr4_is_good(v, value) : !cr0_is_good(v, value))) {
        svm_fault(v);
    } else if (source < 0 || turns_mode(b, value, cr4)) {
        svm_watch_control(v, false);
    } else {
        if (cr4)
            b->cr4 = value;
        else
            b->cr0 = (value & CR0_WRITABLE) | CR0_ET;
        v->virt->asid_generation = 0; /* what was translated by the old value is forgotten */
        svm_dirty(v, CLEAN_CR);
        svm_skip(v, len);
    }
}
