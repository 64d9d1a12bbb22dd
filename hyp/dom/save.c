/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Register state in the forms of domctl: see context.h. A record is checked by what
 * virt_set_state checks; what we do not keep
 * (x87 state, PIC, HPET and the like) is skipped.
 */
#include "base/memory.h"
#include "hyp/dom/context.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/p2m.h"
#include "hyp/virt/cpuid.h"
#include "hyp/virt/virt.h"

/* --- segments and registers ------------------------------------------------------------------ */

#define SEGMENTS(DO) DO(cs) DO(ds) DO(es) DO(fs) DO(gs) DO(ss)

/* The save record keeps attributes as SVM has them: flags in bits 8-11, as in Xen's own
 * struct segment_register and hvm_vcpu.h. */
static u16 attr_in(u32 ar)
{
    return (u16)(ar & 0xfff);
}

static u32 attr_out(u16 attr)
{
    return attr & 0xfff;
}

static void state_from_record(const struct hvm_hw_cpu *r, struct virt_state *s)
{
#define IN(x)                                                                \
    s->x = (struct virt_segment){r->x##_base, r->x##_limit, (u16)r->x##_sel, \
                                 attr_in(r->x##_arbytes)};
    SEGMENTS(IN)
    IN(tr)
    IN(ldtr)
#undef IN
    s->gdt_base = r->gdtr_base;
    s->gdt_limit = r->gdtr_limit;
    s->idt_base = r->idtr_base;
    s->idt_limit = r->idtr_limit;
    s->cr0 = r->cr0;
    s->cr2 = r->cr2;
    s->cr3 = r->cr3;
    s->cr4 = r->cr4;
    s->efer = r->msr_efer;
    s->dr6 = r->dr6;
    s->dr7 = r->dr7;
    s->star = r->msr_star;
    s->lstar = r->msr_lstar;
    s->cstar = r->msr_cstar;
    s->sfmask = r->msr_syscall_mask;
    s->kernel_gs = r->shadow_gs;
    s->sysenter_cs = r->sysenter_cs;
    s->sysenter_esp = r->sysenter_esp;
    s->sysenter_eip = r->sysenter_eip;
}

static void state_to_record(const struct virt_state *s, struct hvm_hw_cpu *r)
{
#define OUT(x)                  \
    r->x##_base = s->x.base;    \
    r->x##_limit = s->x.limit;  \
    r->x##_sel = s->x.selector; \
    r->x##_arbytes = attr_out(s->x.attr);
    SEGMENTS(OUT)
    OUT(tr)
    OUT(ldtr)
#undef OUT
    r->gdtr_base = s->gdt_base;
    r->gdtr_limit = s->gdt_limit;
    r->idtr_base = s->idt_base;
    r->idtr_limit = s->idt_limit;
    r->cr0 = s->cr0;
    r->cr2 = s->cr2;
    r->cr3 = s->cr3;
    r->cr4 = s->cr4;
    r->msr_efer = s->efer;
    r->dr6 = s->dr6;
    r->dr7 = s->dr7;
    r->msr_star = s->star;
    r->msr_lstar = s->lstar;
    r->msr_cstar = s->cstar;
    r->msr_syscall_mask = s->sfmask;
    r->shadow_gs = s->kernel_gs;
    r->sysenter_cs = s->sysenter_cs;
    r->sysenter_esp = s->sysenter_esp;
    r->sysenter_eip = s->sysenter_eip;
}

/* clang-format off */
#define REGISTERS(DO) \
    DO(rax) DO(rbx) DO(rcx) DO(rdx) DO(rbp) DO(rsi) DO(rdi) DO(rsp) DO(r8) DO(r9) DO(r10) \
    DO(r11) DO(r12) DO(r13) DO(r14) DO(r15) DO(rip) DO(rflags)
/* clang-format on */

static void regs_from_record(const struct hvm_hw_cpu *r, struct guest_regs *g)
{
#define IN(x) g->x = r->x;
    REGISTERS(IN)
#undef IN
    g->rflags |= 2;
}

static void regs_to_record(const struct guest_regs *g, struct hvm_hw_cpu *r)
{
#define OUT(x) r->x = g->x;
    REGISTERS(OUT)
#undef OUT
}

static s64 set_state(struct vcpu *v, const struct guest_regs *regs, const struct virt_state *s,
                     bool up)
{
    struct guest_regs before = v->regs;
    int error;

    if (!sched_is_off(&v->sched))
        return fail(-XEN_EBUSY);
    v->regs = *regs;
    error = virt_set_state(v, s);
    if (error) {
        v->regs = before;
        return fail(error);
    }
    v->initialised = true;
    if (up)
        vcpu_up(v);
    return 0;
}

/* --- save records ------------------------------------------------------------------------------ */

struct writer {
    struct call *c;
    u64 at;
    u32 room, used;
};

static s64 write_record(struct writer *w, u16 type, u16 instance, const void *record, u32 len)
{
    struct hvm_save_descriptor head = {.typecode = type, .instance = instance, .length = len};

    if (w->room - w->used < sizeof(head) + len)
        return fail(-XEN_ENOSPC);
    if (call_write(w->c, w->at + w->used, &head, sizeof(head)) ||
        (len && call_write(w->c, w->at + w->used + sizeof(head), record, len)))
        return fail(-XEN_EFAULT);
    w->used += (u32)sizeof(head) + len;
    return 0;
}

static s64 write_vcpu(struct writer *w, struct vcpu *v)
{
    struct hvm_hw_cpu r;
    struct virt_state s = {0};

    memset(&r, 0, sizeof(r));
    virt_get_state(v, &s);
    state_to_record(&s, &r);
    regs_to_record(&v->regs, &r);
    return write_record(w, HVM_SAVE_CODE(CPU), (u16)v->id, &r, sizeof(r));
}

s64 context_get(struct call *c, struct domain *d, struct xen_domctl_hvmcontext *h)
{
    struct hvm_save_header head = {
        .magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION, .gtsc_khz = clock_tsc_khz()};
    u32 need = (u32)(sizeof(struct hvm_save_descriptor) * (d->vcpu_count + 2) + sizeof(head) +
                     sizeof(struct hvm_hw_cpu) * d->vcpu_count);
    struct writer w = {c, (u64)h->buffer.p, h->size, 0};
    s64 error;

    if (!w.at) {
        h->size = need;
        return 0;
    }
    error = write_record(&w, HVM_SAVE_CODE(HEADER), 0, &head, sizeof(head));
    for (u32 i = 0; i < d->vcpu_count && !error; i++)
        error = write_vcpu(&w, d->vcpu[i]);
    if (!error)
        error = write_record(&w, HVM_SAVE_CODE(END), 0, NULL, 0);
    h->size = w.used;
    return error;
}

static s64 read_vcpu(struct call *c, struct domain *d, u16 instance, u64 at, u32 len)
{
    struct hvm_hw_cpu r;
    struct virt_state s = {0};
    struct guest_regs regs;

    if (instance >= d->vcpu_count || len > sizeof(r) || len < sizeof(struct hvm_hw_cpu_compat))
        return fail(-XEN_EINVAL);
    memset(&r, 0, sizeof(r));
    if (call_read(c, &r, at, len))
        return fail(-XEN_EFAULT);
    state_from_record(&r, &s);
    regs_from_record(&r, &regs);
    return set_state(d->vcpu[instance], &regs, &s, true);
}

static s64 read_header(struct call *c, u64 at, u32 len)
{
    struct hvm_save_header h;

    if (len < sizeof(h) || call_read(c, &h, at, sizeof(h)) || h.magic != HVM_FILE_MAGIC)
        return fail(-XEN_EINVAL);
    return 0;
}

s64 context_set(struct call *c, struct domain *d, const struct xen_domctl_hvmcontext *h)
{
    u64 at = (u64)h->buffer.p, end = at + h->size;
    bool first = true;

    while (at + sizeof(struct hvm_save_descriptor) <= end) {
        struct hvm_save_descriptor head;
        s64 error = 0;

        if (call_read(c, &head, at, sizeof(head)))
            return fail(-XEN_EFAULT);
        at += sizeof(head);
        if (head.length > end - at || first != (head.typecode == HVM_SAVE_CODE(HEADER)))
            return fail(-XEN_EINVAL);
        if (head.typecode == HVM_SAVE_CODE(END))
            return 0;
        if (first)
            error = read_header(c, at, head.length);
        else if (head.typecode == HVM_SAVE_CODE(CPU))
            error = read_vcpu(c, d, head.instance, at, head.length);
        if (error)
            return error;
        at += head.length;
        first = false;
    }
    return fail(-XEN_EINVAL); /* no END */
}

/* --- struct vcpu_guest_context ------------------------------------------------------------------- */

/* The structure has 5 KiB of which an HVM vCPU uses these parts. */
struct parts {
    u64 flags;
    struct cpu_user_regs regs;
    u64 cr[8];
};

s64 context_get_vcpu(struct call *c, struct domain *d, u32 vcpu, u64 at)
{
    static const u8 nothing[64];
    struct virt_state s = {0};
    struct parts p;
    struct vcpu *v;

    if (vcpu >= d->vcpu_count)
        return fail(-XEN_ESRCH);
    v = d->vcpu[vcpu];
    if (!v->initialised)
        return fail(-XEN_ENODATA);
    virt_get_state(v, &s);
    memset(&p, 0, sizeof(p));
    p.flags = VGCF_IN_KERNEL | (v->sched.hold & SCHED_HOLD_DOWN ? 0 : VGCF_online);
#define OUT(x) p.regs.x = v->regs.x;
    REGISTERS(OUT)
#undef OUT
    p.regs.cs = s.cs.selector;
    p.regs.ss = s.ss.selector;
    p.cr[0] = s.cr0;
    p.cr[2] = s.cr2;
    p.cr[3] = s.cr3;
    p.cr[4] = s.cr4;
    for (u64 done = 0; done < sizeof(struct vcpu_guest_context); done += sizeof(nothing))
        if (call_write(c, at + done, nothing,
                       MIN(sizeof(nothing), sizeof(struct vcpu_guest_context) - done)))
            return fail(-XEN_EFAULT);
    if (call_write(c, at + offsetof(struct vcpu_guest_context, flags), &p.flags, 8) ||
        call_write(c, at + offsetof(struct vcpu_guest_context, user_regs), &p.regs,
                   sizeof(p.regs)) ||
        call_write(c, at + offsetof(struct vcpu_guest_context, ctrlreg), p.cr, sizeof(p.cr)))
        return fail(-XEN_EFAULT);
    return 0;
}

s64 context_set_vcpu(struct call *c, struct domain *d, u32 vcpu, u64 at)
{
    struct virt_state s = {0};
    struct guest_regs regs;
    struct parts p;

    if (vcpu >= d->vcpu_count)
        return fail(-XEN_EINVAL);
    if (!at) /* as on Xen: the vCPU is as before its first context */
        return fail(-XEN_EOPNOTSUPP);
    if (call_read(c, &p.flags, at + offsetof(struct vcpu_guest_context, flags), 8) ||
        call_read(c, &p.regs, at + offsetof(struct vcpu_guest_context, user_regs),
                  sizeof(p.regs)) ||
        call_read(c, p.cr, at + offsetof(struct vcpu_guest_context, ctrlreg), sizeof(p.cr)))
        return fail(-XEN_EFAULT);
    virt_get_state(d->vcpu[vcpu], &s);
#define IN(x) regs.x = p.regs.x;
    REGISTERS(IN)
#undef IN
    regs.rflags |= 2;
    s.cr0 = p.cr[0];
    s.cr3 = p.cr[3];
    s.cr4 = p.cr[4];
    return set_state(d->vcpu[vcpu], &regs, &s, p.flags & VGCF_online);
}

s64 context_hypercall_page(struct call *c, struct domain *d, u64 gfn)
{
    (void)c;
    if (!d->vcpu_count || !hypercall_page_write(d->vcpu[0], gfn << PAGE_SHIFT))
        return fail(-XEN_EACCES);
    return 0;
}
