/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one interface to hardware virtualisation. Implemented once per vendor and chosen by
 * the linker; nothing outside virt/ knows a VMCB.
 *
 * virt_run enters the guest until something needs the hypervisor, and has dealt itself
 * with what is purely the processor's (control registers, MSRs, CPUID policy, windows).
 */
#ifndef HYP_VIRT_VIRT_H
#define HYP_VIRT_VIRT_H

#include "hyp/dom/domain.h"

enum virt_exit {
    VIRT_EXIT_HANDLED,   /* nothing to do: go round */
    VIRT_EXIT_SERVED,    /* the same after a hypercall by the short way */
    VIRT_EXIT_INTERRUPT, /* a physical interrupt is waiting */
    VIRT_EXIT_HYPERCALL, /* from outside ring 0, or with attention wanted */
    VIRT_EXIT_HLT,       /* skipped already */
    VIRT_EXIT_SPIN,      /* it has executed PAUSE again and again */
    VIRT_EXIT_FAULT,     /* nested page fault: gpa, write */
    VIRT_EXIT_IO,        /* io; not skipped */
    VIRT_EXIT_SHUTDOWN,  /* triple fault */
    VIRT_EXIT_BROKEN,    /* the control block was refused or the exit is unknown */
};

/* What an exit brings beside its kind. */
struct virt_exit_info {
    u64 code; /* the vendor's, for reports */
    u64 gpa;
    bool write;
    struct {
        u16 port;
        u8 size; /* bytes */
        bool in, string, repeat;
    } io;
};

/* A segment as both vendors hold it. */
struct virt_segment {
    u64 base;
    u32 limit;
    u16 selector;
    u16 attr; /* access rights in the low byte, flags in bits 8-11 */
};

struct virt_state { /* what domctl and debugging see; regs are in struct vcpu */
    struct virt_segment cs, ds, es, fs, gs, ss, ldtr, tr;
    u64 gdt_base, idt_base;
    u32 gdt_limit, idt_limit;
    u64 cr0, cr2, cr3, cr4, efer, dr6, dr7;
    u64 star, lstar, cstar, sfmask, kernel_gs, sysenter_cs, sysenter_esp, sysenter_eip;
};

bool virt_present(void);  /* and not disabled by firmware */
void virt_init_cpu(void); /* once on each CPU */
int virt_domain_init(struct domain *d);
void virt_domain_destroy(struct domain *d);
int virt_vcpu_create(struct vcpu *v);
void virt_vcpu_destroy(struct vcpu *v);
/* Enters the guest, with what is pending for it, until something needs the hypervisor. v->
 * regs is whole afterwards. */
enum virt_exit virt_run(struct vcpu *v, struct virt_exit_info *x);
/* The rest of the vCPU's state that is still in this CPU's registers is put into memory:
 * before another CPU may run it. */
void virt_leave_cpu(void);
void virt_get_state(struct vcpu *v, struct virt_state *s);
int virt_set_state(struct vcpu *v, const struct virt_state *s);
void virt_inject_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
void virt_inject_page_fault(struct vcpu *v, u64 linear, u32 code);
/* A guest that steps (TF) gets its trap behind what was done for it. */
void virt_stepped(struct vcpu *v);
/* Nothing else waits to be delivered, so an exception would not displace it. */
bool virt_can_inject(const struct vcpu *v);
/* A translation of the domain changed so that a stale one would be wrong. */
void virt_flush(struct domain *d);
/* Sets rip behind the current instruction, which ends an interrupt shadow. */
void virt_skip_to(struct vcpu *v, u64 rip);
/* Brings v->counters.exits up to date; before they are read. */
void virt_count(struct vcpu *v);
u32 virt_cpl(const struct vcpu *v);
bool virt_interrupts_enabled(const struct vcpu *v);
void virt_set_tsc_offset(struct vcpu *v, u64 offset);
/* What the hypercall's caller runs: 16 (also real mode), 32 or 64-bit code. */
u32 virt_code_bits(const struct vcpu *v);
/* Ports pass straight through (a driver domain's), or exit again. */
int virt_allow_ports(struct domain *d, u32 first, u32 count, bool allow);
/* Linear address of the code segment. */
u64 virt_code_base(const struct vcpu *v);
/* One segment for data, by its number in prefixes; 64-bit code's have a base at most. */
enum { VIRT_ES, VIRT_CS, VIRT_SS, VIRT_DS, VIRT_FS, VIRT_GS };
void virt_data_segment(struct vcpu *v, u32 which, struct virt_segment *s);
/* A hypercall that virt_run reported was served: result and rip go to the guest. */
void virt_hypercall_done(struct vcpu *v);
/* Reset to the state after INIT; to real mode at vector << 12. */
void virt_reset(struct vcpu *v);
void virt_start_real(struct vcpu *v, u8 vector);

#endif
