/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of virt/svm share.
 */
#ifndef HYP_VIRT_SVM_SVM_H
#define HYP_VIRT_SVM_SVM_H

#include "hyp/virt/svm/vmcb.h"

struct virt_vcpu {
    struct vmcb *vmcb; /* first three: enter.S */
    u64 vmcb_pa;
    u64 world_counted; /* of vcpu.world, in counters.exits */
    mfn_t vmcb_frame;
    bool on_cpu_state; /* the VMSAVE half of the state is in the processor, not in the VMCB */
    bool uses_dr;      /* has touched DR0-3: they are switched, no longer intercepted */
    bool nmi_blocked;  /* until its IRET */
    bool control_unwatched; /* CR0 and CR4 are written freely until the next exit */
    u32 pauses;             /* exits by PAUSE */
    u32 asid_cpu, asid_generation;
    u64 flush_seen; /* virt_domain.flushes when the ASID was taken */
    u64 dr[4];
    u64 xcr0, tsc_aux;
    u8 *fpu; /* XSAVE or FXSAVE area */
};
_Static_assert(offsetof(struct virt_vcpu, vmcb_pa) == VIRT_PA, "enter.S");
_Static_assert(offsetof(struct vcpu, world) == VCPU_WORLD, "enter.S");
_Static_assert(offsetof(struct vcpu, virt) == VCPU_VIRT, "enter.S");
_Static_assert(offsetof(struct vcpu, attention) == VCPU_ATTN, "enter.S");
_Static_assert(offsetof(struct guest_regs, r8) == REGS_R8, "enter.S");
_Static_assert(offsetof(struct guest_regs, r15) == REGS_R15, "enter.S");
_Static_assert(offsetof(struct guest_regs, rbp) == REGS_RBP, "enter.S");

struct virt_domain {
    u64 flushes;  /* grows when stale translations would be wrong */
    mfn_t io_map; /* of 4 frames; MFN_NONE: the shared one */
    bool tsc_intercepted;
};

/* Features of this processor. */
struct svm_features {
    bool present, next_rip, decode, clean, flush_by_asid, pause_filter, rdtscp, xsave;
    bool tcg;      /* QEMU's emulator: see run.c: is_armed, ltr.c, and base/x87.h */
    u16 task_busy; /* of TR's attributes; QEMU's TCG ends when it is set */
    u32 asids;
    u64 xcr0;     /* what guests may enable */
    u32 fpu_size; /* of the area */
};
/* So many PAUSE instructions are a spin; without the processor's filter, so many exits. */
enum { SVM_PAUSES = 1000, SVM_PAUSE_EXITS = 16 };
extern struct svm_features svm;
extern u64 svm_io_map, svm_msr_map; /* machine addresses of the shared maps */

void svm_enter(struct vcpu *v);
/* The processor's half of the state comes and goes: state.c. */
void svm_load(struct vcpu *v);
void svm_give_dr(struct vcpu *v);
void svm_unload(void); /* whatever this CPU holds */
void svm_reset_vmcb(struct vcpu *v);
void svm_detect(void);
void svm_maps_init(void);

/* Instructions of the exit of that name; they skip it, or inject an exception. */
void svm_skip(struct vcpu *v, u32 length);
void svm_fault(struct vcpu *v); /* #GP(0) */
void svm_cpuid(struct vcpu *v);
void svm_msr(struct vcpu *v, bool write);
void svm_xsetbv(struct vcpu *v);
void svm_tsc(struct vcpu *v);
void svm_control(struct vcpu *v, bool cr4);
void svm_ltr(struct vcpu *v);

/* Writes of CR0 and CR4 exit, or do not. */
void svm_watch_control(struct vcpu *v, bool on);
struct cpuid svm_guest_cpuid(struct vcpu *v, u32 leaf, u32 sub);

/* Fields of group n changed: AMD APM vol. 2, 15.15.3. */
enum {
    CLEAN_INTERCEPTS = 1,
    CLEAN_MAPS = 2,
    CLEAN_ASID = 4,
    CLEAN_TPR = 8,
    CLEAN_NP = 16,
    CLEAN_CR = 32,
    CLEAN_DR = 64,
    CLEAN_DT = 128,
    CLEAN_SEG = 256,
    CLEAN_CR2 = 512,
    CLEAN_ALL = 0xffff
};
static inline void svm_dirty(struct vcpu *v, u32 groups)
{
    v->virt->vmcb->clean &= ~groups;
}

#endif
