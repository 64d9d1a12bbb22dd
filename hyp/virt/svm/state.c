/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's processor state: the control block, what VMLOAD and VMSAVE switch, debug and
 * floating-point registers. Half of it stays in the processor until another vCPU comes.
 */
#include "base/memory.h"
#include "base/x87.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/x86.h"
#include "hyp/dom/access.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/svm/svm.h"

enum { FPU_ALIGN = 64, RFLAGS_FIXED = 2, FPU_CONTROL = 0x37f, FPU_MXCSR = 0x1f80 };
enum { EXCEPTION_DB = 1, EXCEPTION_AC = 17, EXCEPTION_MC = 18 };
#define PAT_RESET 0x0007040600070406ull

int virt_domain_init(struct domain *d)
{
    d->virt = domain_alloc(d, sizeof(*d->virt));
    if (!d->virt)
        return -XEN_ENOMEM;
    d->virt->io_map = MFN_NONE;
    d->virt->tsc_intercepted = clock_mode() == OSM_CLOCK_EVENT;
    return 0;
}

void virt_domain_destroy(struct domain *d)
{
    if (d->virt && mfn_valid(d->virt->io_map))
        for (u64 i = 0; i < 4; i++)
            frame_put(MFN(d->virt->io_map.n + i));
}

static void set_intercepts(struct vcpu *v)
{
    struct vmcb *b = v->virt->vmcb;

    b->dr_reads = b->dr_writes = 0xffff;
    /* #DB and #AC: a guest can make their delivery loop for ever inside the processor. */
    b->exceptions = 1u << EXCEPTION_DB | 1u << EXCEPTION_AC | 1u << EXCEPTION_MC;
    b->intercept1 = INTERCEPT1_INTR | INTERCEPT1_NMI | INTERCEPT1_INIT | INTERCEPT1_RDPMC |
                    INTERCEPT1_CPUID | INTERCEPT1_INVD | INTERCEPT1_HLT | INTERCEPT1_INVLPGA |
                    INTERCEPT1_IO | INTERCEPT1_MSR | INTERCEPT1_FREEZE | INTERCEPT1_SHUTDOWN;
    b->intercept2 = INTERCEPT2_ALWAYS;
    if (svm.tcg)
        b->intercept1 |= INTERCEPT1_LTR;
    if (v->domain->virt->tsc_intercepted) {
        b->intercept1 |= INTERCEPT1_RDTSC;
        b->intercept2 |= INTERCEPT2_RDTSCP;
    }
    svm_watch_control(v, true);
}

static void reset_fpu(struct virt_vcpu *x)
{
    memset(x->fpu, 0, svm.fpu_size);
    memcpy(x->fpu, &(u16){FPU_CONTROL}, 2);
    memcpy(x->fpu + 24, &(u32){FPU_MXCSR}, 4);
    x->xcr0 = 1;
}

/* The state after RESET (vol. 2, table 14-1): real mode at f000:fff0. */
void svm_reset_vmcb(struct vcpu *v)
{
    struct vmcb *b = v->virt->vmcb;

    if (this_cpu()->loaded == v)
        this_cpu()->loaded = NULL;
    v->virt->on_cpu_state = false;
    v->virt->uses_dr = v->virt->nmi_blocked = false;
    memset(v->virt->dr, 0, sizeof(v->virt->dr));
    memset(b, 0, sizeof(*b));
    memset(&v->regs, 0, sizeof(v->regs));
    b->io_map = mfn_valid(v->domain->virt->io_map) ? v->domain->virt->io_map.n << PAGE_SHIFT
                                                   : svm_io_map;
    b->msr_map = svm_msr_map;
    b->tsc_offset = clock_tsc_offset();
    b->interrupt = VINTR_MASKING;
    b->nested = 1;
    b->nested_cr3 = v->domain->p2m_root;
    b->cs.selector = 0xf000;
    b->cs.base = 0xf0000;
    b->cs.limit = b->ds.limit = b->es.limit = b->fs.limit = b->gs.limit = b->ss.limit = 0xffff;
    b->cs.attr = 0x9b;
    b->ds.attr = b->es.attr = b->fs.attr = b->gs.attr = b->ss.attr = 0x93;
    b->gdtr.limit = b->idtr.limit = b->ldtr.limit = b->tr.limit = 0xffff;
    b->ldtr.attr = 0x82;
    b->tr.attr = 0x89 | svm.task_busy;
    b->efer = EFER_SVME;
    b->cr0 = CR0_ET;
    b->dr6 = 0xffff0ff0;
    b->dr7 = 0x400;
    b->rflags = RFLAGS_FIXED;
    b->rip = 0xfff0;
    b->pat = PAT_RESET;
    v->regs.rip = b->rip;
    v->regs.rflags = b->rflags;
    reset_fpu(v->virt);
    b->pause_count = SVM_PAUSES;
    set_intercepts(v);
}

int virt_vcpu_create(struct vcpu *v)
{
    struct virt_vcpu *x = domain_alloc(v->domain, sizeof(*x));
    u8 *area;

    if (!x)
        return -XEN_ENOMEM;
    area = domain_alloc(v->domain, svm.fpu_size + FPU_ALIGN);
    x->vmcb_frame = frame_alloc(v->domain, 0, FRAME_TABLE);
    if (!area || !mfn_valid(x->vmcb_frame)) {
        if (mfn_valid(x->vmcb_frame))
            frame_put(x->vmcb_frame);
        return -XEN_ENOMEM;
    }
    x->fpu = (u8 *)ALIGN_UP((u64)area, FPU_ALIGN);
    x->vmcb = frame_map(x->vmcb_frame);
    x->vmcb_pa = x->vmcb_frame.n << PAGE_SHIFT;
    v->paging.cr0 = &x->vmcb->cr0;
    v->paging.cr3 = &x->vmcb->cr3;
    v->paging.cr4 = &x->vmcb->cr4;
    v->paging.efer = &x->vmcb->efer;
    v->world = x->world_counted = 1;
    v->virt = x;
    if (clock_mode() == OSM_CLOCK_EVENT)
        v->attention |= VCPU_ATTN_SLOW;
    svm_reset_vmcb(v);
    return 0;
}

void virt_vcpu_destroy(struct vcpu *v)
{
    if (!v->virt)
        return;
    if (this_cpu()->loaded == v)
        this_cpu()->loaded = NULL;
    frame_put(v->virt->vmcb_frame);
    v->virt = NULL;
}

static void vmload(u64 pa)
{
    __asm__ volatile("vmload %%rax" ::"a"(pa) : "memory");
}

static void vmsave(u64 pa)
{
    __asm__ volatile("vmsave %%rax" ::"a"(pa) : "memory");
}

#define SWAP_DR(v, op)           \
    do {                         \
        op(0, (v)->virt->dr[0]); \
        op(1, (v)->virt->dr[1]); \
        op(2, (v)->virt->dr[2]); \
        op(3, (v)->virt->dr[3]); \
    } while (0)
#define READ_DR(n, to)    __asm__ volatile("mov %%db" #n ", %0" : "=r"(to))
#define WRITE_DR(n, from) __asm__ volatile("mov %0, %%db" #n ::"r"(from))

static void fpu_save(struct virt_vcpu *x)
{
    if (!svm.xsave) {
        __asm__ volatile("fxsaveq (%0)" ::"r"(x->fpu) : "memory");
        return;
    }
    if (x->xcr0 != svm.xcr0)
        xsetbv(0, svm.xcr0);
    __asm__ volatile("xsaveq (%0)" ::"r"(x->fpu), "a"((u32)svm.xcr0), "d"(0) : "memory");
}

static void fpu_restore(struct virt_vcpu *x)
{
    if (svm.xsave)
        __asm__ volatile("xrstorq (%0)" ::"r"(x->fpu), "a"((u32)svm.xcr0), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstorq (%0)" ::"r"(x->fpu) : "memory");
}

static void fpu_load(struct virt_vcpu *x)
{
    bool shielded = svm.tcg && x87_shield(x->fpu);

    fpu_restore(x);
    if (shielded)
        x87_loaded(x->fpu);
    if (svm.xsave && x->xcr0 != svm.xcr0)
        xsetbv(0, x->xcr0);
}

void svm_unload(void)
{
    struct vcpu *v = this_cpu()->loaded;

    if (!v)
        return;
    vmsave(v->virt->vmcb_pa);
    if (v->virt->uses_dr)
        SWAP_DR(v, READ_DR);
    fpu_save(v->virt);
    v->virt->on_cpu_state = false;
    this_cpu()->loaded = NULL;
}

void svm_load(struct vcpu *v)
{
    if (this_cpu()->loaded == v)
        return;
    svm_unload();
    vmload(v->virt->vmcb_pa);
    if (v->virt->uses_dr)
        SWAP_DR(v, WRITE_DR);
    if (svm.rdtscp)
        wrmsr(MSR_TSC_AUX, v->virt->tsc_aux);
    fpu_load(v->virt);
    v->virt->on_cpu_state = true;
    this_cpu()->loaded = v;
}

void virt_leave_cpu(void)
{
    svm_unload();
}

#define COPY_OUT(s, b, name)                                                \
    (s)->name = (struct virt_segment)                                       \
    {                                                                       \
        (b)->name.base, (b)->name.limit, (b)->name.selector, (b)->name.attr \
    }
#define COPY_IN(b, s, name)                      \
    do {                                         \
        (b)->name.base = (s)->name.base;         \
        (b)->name.limit = (s)->name.limit;       \
        (b)->name.selector = (s)->name.selector; \
        (b)->name.attr = (s)->name.attr;         \
    } while (0)
#define EACH_SEGMENT(op, a, b) \
    do {                       \
        op(a, b, cs);          \
        op(a, b, ds);          \
        op(a, b, es);          \
        op(a, b, fs);          \
        op(a, b, gs);          \
        op(a, b, ss);          \
        op(a, b, ldtr);        \
        op(a, b, tr);          \
    } while (0)

void virt_get_state(struct vcpu *v, struct virt_state *s)
{
    const struct vmcb *b = v->virt->vmcb;

    if (this_cpu()->loaded == v)
        vmsave(v->virt->vmcb_pa);
    v->regs.rax = b->rax;
    v->regs.rsp = b->rsp;
    v->regs.rip = b->rip;
    v->regs.rflags = b->rflags;
    EACH_SEGMENT(COPY_OUT, s, b);
    s->tr.attr |= 2; /* as a processor has it */
    s->gdt_base = b->gdtr.base;
    s->gdt_limit = b->gdtr.limit;
    s->idt_base = b->idtr.base;
    s->idt_limit = b->idtr.limit;
    s->cr0 = b->cr0;
    s->cr2 = b->cr2;
    s->cr3 = b->cr3;
    s->cr4 = b->cr4;
    s->efer = b->efer & ~EFER_SVME;
    s->dr6 = b->dr6;
    s->dr7 = b->dr7;
    s->star = b->star;
    s->lstar = b->lstar;
    s->cstar = b->cstar;
    s->sfmask = b->sfmask;
    s->kernel_gs = b->kernel_gs;
    s->sysenter_cs = b->sysenter_cs;
    s->sysenter_esp = b->sysenter_esp;
    s->sysenter_eip = b->sysenter_eip;
}

/* What VMRUN would refuse (vol. 2, 15.5.1), said before. */
static bool acceptable(const struct virt_state *s)
{
    bool long_mode = s->efer & EFER_LME && s->cr0 & CR0_PG;

    if (s->cr0 >> 32 || ((s->cr0 & CR0_NW) && !(s->cr0 & CR0_CD)))
        return false;
    if ((s->cr0 & CR0_PG) && !(s->cr0 & CR0_PE))
        return false;
    if (long_mode && (!(s->cr4 & CR4_PAE) || !(s->cr0 & CR0_PE)))
        return false;
    if (long_mode && (s->cs.attr & 0x600) == 0x600)
        return false; /* CS.L and CS.D */
    return !(s->efer & ~(EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE | EFER_FFXSR)) &&
           !(s->dr6 >> 32) && !(s->dr7 >> 32);
}

int virt_set_state(struct vcpu *v, const struct virt_state *s)
{
    struct vmcb *b = v->virt->vmcb;

    if (!acceptable(s))
        return -XEN_EINVAL;
    if (this_cpu()->loaded == v)
        svm_unload();
    EACH_SEGMENT(COPY_IN, b, s);
    b->tr.attr = (b->tr.attr & (u16)~2u) | svm.task_busy;
    b->gdtr.base = s->gdt_base;
    b->gdtr.limit = s->gdt_limit;
    b->idtr.base = s->idt_base;
    b->idtr.limit = s->idt_limit;
    b->cr0 = s->cr0 | CR0_ET;
    b->cr2 = s->cr2;
    b->cr3 = s->cr3;
    b->cr4 = s->cr4;
    b->efer = s->efer | EFER_SVME;
    if (s->efer & EFER_LME && s->cr0 & CR0_PG)
        b->efer |= EFER_LMA;
    b->dr6 = s->dr6;
    b->dr7 = s->dr7;
    b->star = s->star;
    b->lstar = s->lstar;
    b->cstar = s->cstar;
    b->sfmask = s->sfmask;
    b->kernel_gs = s->kernel_gs;
    b->sysenter_cs = s->sysenter_cs;
    b->sysenter_esp = s->sysenter_esp;
    b->sysenter_eip = s->sysenter_eip;
    b->cpl = s->ss.attr >> 5 & 3;
    b->rax = v->regs.rax;
    b->rsp = v->regs.rsp;
    b->rip = v->regs.rip;
    b->rflags = v->regs.rflags | RFLAGS_FIXED;
    b->event = 0;
    b->shadow = 0;
    b->clean = 0;
    return 0;
}

u32 virt_cpl(const struct vcpu *v)
{
    return v->virt->vmcb->cpl;
}

bool virt_interrupts_enabled(const struct vcpu *v)
{
    return v->virt->vmcb->rflags & RFLAGS_IF;
}

u32 virt_code_bits(const struct vcpu *v)
{
    const struct vmcb *b = v->virt->vmcb;

    if (!(b->cr0 & CR0_PE) || b->rflags & RFLAGS_VM)
        return 16;
    if (b->efer & EFER_LMA && b->cs.attr & 0x200)
        return 64;
    return b->cs.attr & 0x400 ? 32 : 16;
}

u64 virt_code_base(const struct vcpu *v)
{
    return virt_code_bits(v) == 64 ? 0 : v->virt->vmcb->cs.base;
}

void virt_data_segment(struct vcpu *v, u32 which, struct virt_segment *s)
{
    struct vmcb *b = v->virt->vmcb;
    const __typeof__(b->es) *from[] = {&b->es, &b->cs, &b->ss, &b->ds, &b->fs, &b->gs};

    if (which >= VIRT_FS && this_cpu()->loaded == v)
        vmsave(v->virt->vmcb_pa);
    *s = (struct virt_segment){from[which]->base, from[which]->limit, from[which]->selector,
                               from[which]->attr};
    if (which < VIRT_FS && virt_code_bits(v) == 64)
        s->base = 0;
}

void virt_set_tsc_offset(struct vcpu *v, u64 offset)
{
    v->virt->vmcb->tsc_offset = offset;
    svm_dirty(v, CLEAN_INTERCEPTS);
}

/* The first touch of a debug register: from now on they are this vCPU's own. */
void svm_give_dr(struct vcpu *v)
{
    v->virt->uses_dr = true;
    SWAP_DR(v, WRITE_DR);
    v->virt->vmcb->dr_reads = v->virt->vmcb->dr_writes = 0;
    svm_dirty(v, CLEAN_INTERCEPTS);
}

int virt_allow_ports(struct domain *d, u32 first, u32 count, bool allow)
{
    u8 *map;

    if (first > 0xffff || count > 0x10000 - first)
        return -XEN_EINVAL;
    if (!mfn_valid(d->virt->io_map)) {
        d->virt->io_map = frame_alloc(d, 2, FRAME_TABLE);
        if (!mfn_valid(d->virt->io_map))
            return -XEN_ENOMEM;
        memcpy(frame_map(d->virt->io_map), frame_map(MFN(svm_io_map >> PAGE_SHIFT)),
               4 * PAGE_SIZE);
    }
    map = frame_map(d->virt->io_map);
    for (u32 p = first; p < first + count; p++)
        map[p / 8] = (u8)(allow ? map[p / 8] & ~(1u << p % 8) : map[p / 8] | 1u << p % 8);
    for (u32 i = 0; i < d->vcpu_count; i++) {
        if (!d->vcpu[i])
            continue;
        d->vcpu[i]->virt->vmcb->io_map = d->virt->io_map.n << PAGE_SHIFT;
        svm_dirty(d->vcpu[i], CLEAN_MAPS);
    }
    return 0;
}

void virt_reset(struct vcpu *v)
{
    svm_reset_vmcb(v);
}

void virt_start_real(struct vcpu *v, u8 vector)
{
    struct vmcb *b = v->virt->vmcb;

    b->cs.selector = (u16)(vector << 8);
    b->cs.base = (u64)vector << 12;
    b->rip = 0;
    v->regs.rip = 0;
    b->clean = 0;
}
