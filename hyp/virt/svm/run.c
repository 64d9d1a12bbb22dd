/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the guest and out again: what is injected, which address space id is used, and what
 * each exit means. AMD APM vol. 2, 15.5-15.25 and appendix C.
 */
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/lapic.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/svm/svm.h"

enum {
    VECTOR_DB = 1,
    VECTOR_NMI = 2,
    VECTOR_UD = 6,
    VECTOR_GP = 13,
    VECTOR_PF = 14,
    VECTOR_AC = 17
};
enum { DR6_STEP = 1 << 14 };
enum { TLB_KEEP = 0, TLB_FLUSH_ALL = 1, OPCODE_HLT = 0xf4 };

void svm_skip(struct vcpu *v, u32 length)
{
    const struct vmcb *b = v->virt->vmcb;

    virt_skip_to(v, svm.next_rip && b->next_rip ? b->next_rip : b->rip + length);
}

void virt_skip_to(struct vcpu *v, u64 rip)
{
    struct vmcb *b = v->virt->vmcb;

    if (virt_code_bits(v) != 64)
        rip = (u32)rip;
    b->rip = rip;
    b->shadow = 0;
    v->regs.rip = rip;
    virt_stepped(v);
}

/* Injecting #DB leaves DR6 to us: vol. 2, 15.20. */
void virt_stepped(struct vcpu *v)
{
    if (!(v->virt->vmcb->rflags & RFLAGS_TF))
        return;
    v->virt->vmcb->dr6 |= DR6_STEP;
    svm_dirty(v, CLEAN_DR);
    virt_inject_exception(v, VECTOR_DB, false, 0);
}

void virt_inject_page_fault(struct vcpu *v, u64 linear, u32 code)
{
    v->virt->vmcb->cr2 = linear;
    svm_dirty(v, CLEAN_CR2);
    virt_inject_exception(v, VECTOR_PF, true, code);
}

void virt_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
    v->virt->vmcb->event = EVENT_VALID | EVENT_EXCEPTION | vector |
                           (has_error ? EVENT_HAS_ERROR | (u64)error << 32 : 0);
}

bool virt_can_inject(const struct vcpu *v)
{
    return !(v->virt->vmcb->event & EVENT_VALID);
}

void svm_fault(struct vcpu *v)
{
    virt_inject_exception(v, VECTOR_GP, true, 0);
}

void virt_count(struct vcpu *v)
{
    u64 world = v->world;

    v->counters.exits += (world - v->virt->world_counted) / 2;
    v->virt->world_counted = world - (world - v->virt->world_counted) % 2;
}

/* An address space id that nothing on this CPU has used. */
static void new_asid(struct vcpu *v, struct cpu *c, u64 flushes)
{
    struct virt_vcpu *x = v->virt;

    x->vmcb->asid = c->asid_next++;
    x->asid_cpu = c->id;
    x->asid_generation = c->asid_generation;
    x->flush_seen = flushes;
    v->counters.flushes++;
    svm_dirty(v, CLEAN_ASID);
}

/* Each vCPU of d takes a fresh address space id before it runs again: the one that asks at
 * once, while there are some. One that runs on another CPU is made to exit, and waited for:
 * its next entry sees the request, because `world` turns even (a locked instruction) before
 * attention is looked at. */
void virt_flush(struct domain *d)
{
    struct cpu *c = this_cpu();
    u64 flushes;

    if (!d->virt)
        return;
    flushes = __atomic_add_fetch(&d->virt->flushes, 1, __ATOMIC_SEQ_CST);
    for (u32 i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        u64 world;

        if (!v || !v->virt)
            continue;
        if (v == c->vcpu && c->asid_next < svm.asids) {
            new_asid(v, c, flushes);
            continue;
        }
        __atomic_or_fetch(&v->attention, VCPU_ATTN_FLUSH, __ATOMIC_SEQ_CST);
        world = __atomic_load_n(&v->world, __ATOMIC_SEQ_CST);
        if (world & 1)
            continue;
        cpu_kick(v->cpu);
        while (__atomic_load_n(&v->world, __ATOMIC_SEQ_CST) == world)
            __builtin_ia32_pause();
    }
}

/* An address space id that no stale translation carries. */
static void take_asid(struct vcpu *v)
{
    struct virt_vcpu *x = v->virt;
    struct cpu *c = this_cpu();
    u64 flushes = __atomic_load_n(&v->domain->virt->flushes, __ATOMIC_SEQ_CST);

    x->vmcb->tlb_control = TLB_KEEP;
    if (x->asid_cpu == c->id && x->asid_generation == c->asid_generation &&
        x->flush_seen == flushes)
        return;
    if (x->asid_cpu != c->id)
        x->vmcb->clean = 0; /* what this CPU keeps of it is older: AMD APM vol. 2, 15.15.2 */
    if (c->asid_next >= svm.asids) {
        c->asid_generation++;
        c->asid_next = 1;
        x->vmcb->tlb_control = TLB_FLUSH_ALL;
    }
    new_asid(v, c, flushes);
}

/* An exit comes as soon as the guest can take an interrupt; or no longer does. */
static void set_window(struct vcpu *v, bool open)
{
    struct vmcb *b = v->virt->vmcb;

    if (open == !!(b->interrupt & VINTR_PENDING))
        return;
    if (open) {
        b->interrupt |= VINTR_PENDING | VINTR_HIGHEST | VINTR_IGNORE;
        b->intercept1 |= INTERCEPT1_VINTR;
    } else {
        b->interrupt &= ~(VINTR_PENDING | VINTR_HIGHEST | VINTR_IGNORE);
        b->intercept1 &= ~INTERCEPT1_VINTR;
    }
    svm_dirty(v, CLEAN_INTERCEPTS | CLEAN_TPR);
}

static void inject_nmi(struct vcpu *v)
{
    v->virt->vmcb->event = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
    v->virt->vmcb->intercept1 |= INTERCEPT1_IRET;
    v->virt->nmi_blocked = true;
    svm_dirty(v, CLEAN_INTERCEPTS);
    __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_NMI, __ATOMIC_SEQ_CST);
}

/*
 * QEMU's TCG remembers the vector of an injected external interrupt as an exception that it has
 * yet to deliver, and delivers it once more, whatever RFLAGS.IF says, when its main loop asks for
 * the CPU before the guest's next exit. There interrupts go the way of virtual ones, which it
 * forgets: V_IRQ without its intercept, and the guest has it before its next instruction.
 */
static bool is_armed(const struct vmcb *b)
{
    return svm.tcg && b->interrupt & VINTR_PENDING && !(b->intercept1 & INTERCEPT1_VINTR);
}

static void arm(struct vcpu *v, u32 vector)
{
    struct vmcb *b = v->virt->vmcb;

    b->interrupt = (u32)b->interrupt | (u64)vector << VINTR_VECTOR_SHIFT | VINTR_PENDING |
                   VINTR_HIGHEST | VINTR_IGNORE;
    b->intercept1 &= ~INTERCEPT1_VINTR;
    svm_dirty(v, CLEAN_INTERCEPTS | CLEAN_TPR);
}

/* While V_IRQ is a vector's there is no window for the next one: the end of the handler is. */
static void watch_return(struct vcpu *v)
{
    v->virt->vmcb->intercept1 |= INTERCEPT1_IRET;
    svm_dirty(v, CLEAN_INTERCEPTS);
}

static void deliver(struct vcpu *v, u32 vector)
{
    if (svm.tcg)
        arm(v, vector);
    else
        v->virt->vmcb->event = EVENT_VALID | EVENT_EXTERNAL | vector;
}

/* Puts what is pending into the control block: an event now, or a window for later. */
static void prepare_event(struct vcpu *v, u32 wanted)
{
    struct vmcb *b = v->virt->vmcb;
    bool busy = b->event & EVENT_VALID || b->shadow & 1 || is_armed(b);
    int vector = -1;

    if (wanted & VCPU_ATTN_NMI && !v->virt->nmi_blocked && !busy) {
        inject_nmi(v);
        busy = true;
    }
    if (wanted & VCPU_ATTN_INTERRUPT)
        vector = interrupt_pending(v);
    if (vector >= 0 && !busy && b->rflags & RFLAGS_IF) {
        deliver(v, (u32)vector);
        interrupt_taken(v, vector);
        vector = __atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & VCPU_ATTN_INTERRUPT
                     ? interrupt_pending(v)
                     : -1;
    }
    if (!is_armed(b))
        set_window(v, vector >= 0);
    else if (vector >= 0)
        watch_return(v);
}

/* PAUSE exits while another vCPU waits for this CPU: see vcpu_may_spin. Vol. 2, 15.14.4. */
static void watch_pauses(struct vcpu *v)
{
    struct vmcb *b = v->virt->vmcb;
    bool on = vcpu_may_spin(v);

    if (on == !!(b->intercept1 & INTERCEPT1_PAUSE))
        return;
    b->intercept1 ^= INTERCEPT1_PAUSE;
    v->virt->pauses = 0;
    svm_dirty(v, CLEAN_INTERCEPTS);
}

static enum virt_exit paused(struct vcpu *v)
{
    svm_skip(v, 2);
    if (!svm.pause_filter && ++v->virt->pauses < SVM_PAUSE_EXITS)
        return VIRT_EXIT_HANDLED;
    v->virt->pauses = 0;
    return VIRT_EXIT_SPIN;
}

/* An interrupt in the shadow of STI that finds HLT next would, on emulators whose VMRUN
 * forgets the shadow, be delivered before the HLT and its wake-up lost. HLT after STI with
 * the interrupt waiting is a HLT that returns at once: so it is skipped, everywhere. */
static bool halts_in_shadow(struct vcpu *v)
{
    u8 byte;

    if (!(v->virt->vmcb->shadow & 1) || v->virt->vmcb->event & EVENT_VALID)
        return false;
    return insn_fetch(v, &byte, 1) == 1 && byte == OPCODE_HLT;
}

/* What was being delivered when the exit came is delivered again. A software interrupt is
 * not: its instruction is executed again. Vol. 2, 15.7.2. */
static void requeue_event(struct vcpu *v)
{
    struct vmcb *b = v->virt->vmcb;
    u64 type = b->exit_interrupt & EVENT_TYPE;
    u8 vector = (u8)b->exit_interrupt;

    if (!(b->exit_interrupt & EVENT_VALID) || type == EVENT_SOFTWARE)
        return;
    if (type == EVENT_EXCEPTION && (vector == 3 || vector == 4))
        return;
    if (type == EVENT_EXTERNAL)
        deliver(v, vector);
    else
        b->event = b->exit_interrupt;
}

static void enter(struct vcpu *v)
{
    struct vmcb *b = v->virt->vmcb;
    u64 tpr = v->lapic->tpr >> 4 & VINTR_TPR;

    if ((b->interrupt & VINTR_TPR) != tpr) {
        b->interrupt = (b->interrupt & ~VINTR_TPR) | tpr;
        svm_dirty(v, CLEAN_TPR);
    }
    if (!svm.clean)
        b->clean = 0;
    b->rax = v->regs.rax;
    b->rsp = v->regs.rsp;
    b->rip = v->regs.rip;
    b->rflags = v->regs.rflags;
    __atomic_add_fetch(&v->world, 1, __ATOMIC_SEQ_CST);
    __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_FLUSH, __ATOMIC_SEQ_CST);
    take_asid(v);
    svm_enter(v);
    __atomic_add_fetch(&v->world, 1, __ATOMIC_SEQ_CST);
    v->regs.rax = b->rax;
    v->regs.rsp = b->rsp;
    v->regs.rip = b->rip;
    v->regs.rflags = b->rflags;
    b->clean = CLEAN_ALL;
    b->event = 0;
    if ((b->interrupt & VINTR_TPR) != tpr)
        lapic_set_tpr(v, (u32)(b->interrupt & VINTR_TPR) << 4);
}

static void record(struct vcpu *v, const struct vmcb *b)
{
    u32 at = v->last_exit_at++ % ARRAY_SIZE(v->last_exit);

    v->last_exit_code[at] = (s32)b->exit_code;
    v->last_exit[at].rip = b->rip;
    v->last_exit[at].info = b->exit_code == EXIT_NPF ? b->exit_info2 : b->exit_info1;
}

/* Delivering #DB or #AC is the guest's own business, once its endless loop is broken by
 * having come here; #MC is reported to nobody. */
static enum virt_exit exception(struct vcpu *v, u32 vector)
{
    struct vmcb *b = v->virt->vmcb;

    if (vector == VECTOR_DB)
        virt_inject_exception(v, VECTOR_DB, false, 0);
    else if (vector == VECTOR_AC)
        virt_inject_exception(v, VECTOR_AC, true, (u32)b->exit_info1);
    else
        return VIRT_EXIT_BROKEN;
    return VIRT_EXIT_HANDLED;
}

/* EXITINFO1 of an I/O exit: vol. 2, 15.10.2. */
static enum virt_exit port_access(struct vcpu *v, struct virt_exit_info *x)
{
    u64 i = v->virt->vmcb->exit_info1;

    x->io.port = (u16)(i >> 16);
    x->io.in = i & 1;
    x->io.string = i & 4;
    x->io.repeat = i & 8;
    x->io.size = i & 0x10 ? 1 : i & 0x20 ? 2 : 4;

    x->gpa = v->virt->vmcb->exit_info2; /* the next rip, until it has been used */
    return VIRT_EXIT_IO;
}

static enum virt_exit undefined(struct vcpu *v)
{
    virt_inject_exception(v, VECTOR_UD, false, 0);
    return VIRT_EXIT_HANDLED;
}

/* Instructions whose length is known and whose whole effect is here. */
static enum virt_exit instruction(struct vcpu *v, u64 code)
{
    switch (code) {
    case EXIT_CPUID: svm_cpuid(v); break;
    case EXIT_CR0_OTHER:
    case EXIT_CR4_WRITE: svm_control(v, code == EXIT_CR4_WRITE); break;
    case EXIT_MSR: svm_msr(v, v->virt->vmcb->exit_info1 & 1); break;
    case EXIT_XSETBV: svm_xsetbv(v); break;
    case EXIT_LTR: svm_ltr(v); break;
    case EXIT_RDTSC:
    case EXIT_RDTSCP: svm_tsc(v); break;
    case EXIT_RDPMC: svm_fault(v); break;
    case EXIT_INVD:
    case EXIT_WBINVD: svm_skip(v, 2); break;
    case EXIT_HLT: svm_skip(v, 1); return VIRT_EXIT_HLT;
    case EXIT_PAUSE: return paused(v);
    default: return VIRT_EXIT_BROKEN;
    }
    return VIRT_EXIT_HANDLED;
}

/* In discrete-event time the host's interrupts come at host time: not to be counted. */
static enum virt_exit host_interrupt(struct vcpu *v)
{
    if (clock_mode() == OSM_CLOCK_EVENT) {
        v->virt->world_counted += 2;
        v->last_exit_at--;
    }
    return VIRT_EXIT_INTERRUPT;
}

static enum virt_exit dispatch(struct vcpu *v, struct virt_exit_info *x)
{
    struct vmcb *b = v->virt->vmcb;
    u64 code = b->exit_code;

    if (code >= EXIT_DR && code < EXIT_EXCEPTION) {
        svm_give_dr(v);
        return VIRT_EXIT_HANDLED;
    }
    if (code >= EXIT_EXCEPTION && code < EXIT_INTR)
        return exception(v, (u32)code - EXIT_EXCEPTION);
    switch (code) {
    case EXIT_INTR:
    case EXIT_NMI:
    case EXIT_SMI: return host_interrupt(v);
    case EXIT_VINTR: set_window(v, false); return VIRT_EXIT_HANDLED;
    case EXIT_IRET: /* the NMI handler ends with this instruction; near enough */
        v->virt->nmi_blocked = false;
        b->intercept1 &= ~INTERCEPT1_IRET;
        svm_dirty(v, CLEAN_INTERCEPTS);
        return VIRT_EXIT_HANDLED;
    case EXIT_NPF:
        x->gpa = b->exit_info2;
        x->write = b->exit_info1 & NPF_WRITE;
        return VIRT_EXIT_FAULT;
    case EXIT_IO: return port_access(v, x);
    case EXIT_VMMCALL: return VIRT_EXIT_HYPERCALL;
    case EXIT_SHUTDOWN: return VIRT_EXIT_SHUTDOWN;
    case EXIT_INVLPGA:
    case EXIT_VMRUN:
    case EXIT_VMLOAD:
    case EXIT_VMSAVE:
    case EXIT_STGI:
    case EXIT_CLGI:
    case EXIT_SKINIT:
    case EXIT_MONITOR:
    case EXIT_MWAIT:
    case EXIT_MWAIT_ARMED:
    case EXIT_RDPRU: return undefined(v);
    default: return instruction(v, code);
    }
}

enum virt_exit virt_run(struct vcpu *v, struct virt_exit_info *x)
{
    struct vmcb *b = v->virt->vmcb;
    u32 wanted;

    svm_load(v);
    if (halts_in_shadow(v)) {
        virt_skip_to(v, b->rip + 1);
        return VIRT_EXIT_HLT;
    }
    wanted = __atomic_load_n(&v->attention, __ATOMIC_SEQ_CST);
    if (wanted & (VCPU_ATTN_NMI | VCPU_ATTN_INTERRUPT) || b->interrupt & VINTR_PENDING)
        prepare_event(v, wanted);
    if (v->domain->vcpu_count > 1)
        watch_pauses(v);
    enter(v);
    x->code = b->exit_code;
    if (v->virt->control_unwatched)
        svm_watch_control(v, true);
    if (b->exit_code == EXIT_SERVED) {
        v->virt->world_counted += 2; /* enter.S has turned it for the call, we for the switch */
        return VIRT_EXIT_SERVED;
    }
    record(v, b);
    requeue_event(v);
    return dispatch(v, x);
}

void virt_hypercall_done(struct vcpu *v)
{
    v->virt->vmcb->rax = v->regs.rax;
    virt_skip_to(v, v->virt->vmcb->rip + LENGTH_VMMCALL);
}
