/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state a vCPU starts with (xen/hvm/hvm_vcpu.h): checked as a whole, then set as a whole.
 */
#include "hyp/dom/hypercall.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/virt.h"

enum {
    CR0_PE = 1,
    CR4_PAE = 1 << 5,
    EFER_SCE = 1,
    EFER_LME = 1 << 8,
    EFER_LMA = 1 << 10,
    EFER_NXE = 1 << 11,
    AR_PRESENT = 1 << 7,
    AR_CODE_DATA = 1 << 4,
    AR_LONG = 1 << 9,
};
#define CR0_PG     (1ull << 31)
#define CR0_KNOWN  0xe005003full
#define CR0_FIXED  0x10u /* ET reads as one */
#define CR4_KNOWN  0x3ff7ffull
#define EFER_KNOWN (EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE)

static struct virt_segment segment(u64 base, u32 limit, u16 ar)
{
    return (struct virt_segment){.base = base, .limit = limit, .attr = (u16)(ar & 0xfff)};
}

/* Type and present bits as a loaded segment register must have them. */
static bool good_segment(u16 ar, bool code)
{
    if (ar & 0xf000 || !(ar & AR_PRESENT))
        return !ar && !code; /* an unusable data segment */
    return ar & AR_CODE_DATA && !(ar & 8) == !code;
}

/* Of a task register: a busy 32-bit or 64-bit TSS, as Xen asks; 0: one is made up. */
static bool good_task(u16 ar)
{
    return !ar || (!(ar & 0xf000) && (ar & 0x9f) == 0x8b);
}

static int from_32(struct vcpu *v, const struct vcpu_hvm_x86_32 *r, struct virt_state *s)
{
    if (r->pad1 || r->pad2[0] || r->pad2[1] || r->pad2[2])
        return -XEN_EINVAL;
    if (!good_segment(r->cs_ar, true) || r->cs_ar & AR_LONG || !good_segment(r->ds_ar, false) ||
        !good_segment(r->ss_ar, false) || !good_segment(r->es_ar, false) ||
        !good_task(r->tr_ar))
        return -XEN_EINVAL;
    if (r->efer & EFER_LMA && !(r->efer & EFER_LME && r->cr4 & CR4_PAE && r->cr0 & CR0_PG))
        return -XEN_EINVAL;
    v->regs = (struct guest_regs){.rax = r->eax,
                                  .rbx = r->ebx,
                                  .rcx = r->ecx,
                                  .rdx = r->edx,
                                  .rsi = r->esi,
                                  .rdi = r->edi,
                                  .rbp = r->ebp,
                                  .rsp = r->esp,
                                  .rip = r->eip,
                                  .rflags = r->eflags | 2};
    s->cr0 = r->cr0;
    s->cr3 = r->cr3;
    s->cr4 = r->cr4;
    s->efer = r->efer;
    s->cs = segment(r->cs_base, r->cs_limit, r->cs_ar);
    s->ds = segment(r->ds_base, r->ds_limit, r->ds_ar);
    s->ss = segment(r->ss_base, r->ss_limit, r->ss_ar);
    s->es = segment(r->es_base, r->es_limit, r->es_ar);
    s->tr = segment(r->tr_base, r->tr_limit, r->tr_ar ? r->tr_ar : 0x8b);
    return 0;
}

static int from_64(struct vcpu *v, const struct vcpu_hvm_x86_64 *r, struct virt_state *s)
{
    if (!(r->cr0 & CR0_PG) || !(r->cr4 & CR4_PAE) || !(r->efer & EFER_LME))
        return -XEN_EINVAL;
    v->regs = (struct guest_regs){.rax = r->rax,
                                  .rbx = r->rbx,
                                  .rcx = r->rcx,
                                  .rdx = r->rdx,
                                  .rsi = r->rsi,
                                  .rdi = r->rdi,
                                  .rbp = r->rbp,
                                  .rsp = r->rsp,
                                  .rip = r->rip,
                                  .rflags = r->rflags | 2};
    s->cr0 = r->cr0;
    s->cr3 = r->cr3;
    s->cr4 = r->cr4;
    s->efer = r->efer | EFER_LMA;
    s->cs = segment(0, ~0u, 0xa9b);
    s->ds = s->es = s->ss = segment(0, ~0u, 0xc93);
    s->tr = segment(0, 0x67, 0x8b);
    return 0;
}

int vcpu_set_context(struct vcpu *v, const struct vcpu_hvm_context *c)
{
    struct virt_state s = {.dr6 = 0xffff0ff0, .dr7 = 0x400};
    struct guest_regs before = v->regs;
    int error;

    if (c->pad)
        return (int)fail(-XEN_EINVAL);
    switch (c->mode) {
    case VCPU_HVM_MODE_32B: error = from_32(v, &c->cpu_regs.x86_32, &s); break;
    case VCPU_HVM_MODE_64B: error = from_64(v, &c->cpu_regs.x86_64, &s); break;
    default: error = -XEN_EINVAL; break;
    }
    s.cr0 |= CR0_FIXED;
    s.fs = s.gs = s.ds;
    s.ldtr = segment(0, 0, 0x82);
    if (!error && (s.cr0 & ~CR0_KNOWN || s.cr4 & ~CR4_KNOWN || s.efer & ~(u64)EFER_KNOWN ||
                   (s.cr0 & CR0_PG && !(s.cr0 & CR0_PE))))
        error = -XEN_EINVAL;
    if (!error)
        error = virt_set_state(v, &s);
    if (error)
        v->regs = before;
    return error ? (int)fail(error) : 0;
}
