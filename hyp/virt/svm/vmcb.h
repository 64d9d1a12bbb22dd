/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual machine control block: AMD APM vol. 2, appendix B, and the exit codes of
 * appendix C.
 */
#ifndef HYP_VIRT_SVM_VMCB_H
#define HYP_VIRT_SVM_VMCB_H

#include "hyp/virt/svm/layout.h"
#include "hyp/virt/virt.h"

struct vmcb {
    u16 cr_reads, cr_writes, dr_reads, dr_writes;
    u32 exceptions, intercept1, intercept2, intercept3;
    u8 reserved0[0x3c - 0x18];
    u16 pause_threshold, pause_count;
    u64 io_map, msr_map, tsc_offset;
    u32 asid;
    u8 tlb_control, reserved1[3];
    u64 interrupt; /* V_TPR and so on: see VINTR_* */
    u64 shadow;
    u64 exit_code, exit_info1, exit_info2, exit_interrupt;
    u64 nested;
    u8 reserved2[0xa8 - 0x98];
    u64 event, nested_cr3, lbr;
    u32 clean, reserved3;
    u64 next_rip;
    u8 fetched, bytes[15];
    u8 reserved4[0x400 - 0xe0];
    struct {
        u16 selector, attr;
        u32 limit;
        u64 base;
    } es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    u8 reserved5[0x4cb - 0x4a0], cpl;
    u32 reserved6;
    u64 efer;
    u8 reserved7[0x548 - 0x4d8];
    u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;
    u8 reserved8[0x5d8 - 0x580];
    u64 rsp;
    u8 reserved9[0x5f8 - 0x5e0];
    u64 rax, star, lstar, cstar, sfmask, kernel_gs, sysenter_cs, sysenter_esp, sysenter_eip;
    u64 cr2;
    u8 reserved10[0x668 - 0x648];
    u64 pat, debug_control;
    u8 reserved11[0x1000 - 0x678];
};
_Static_assert(sizeof(struct vmcb) == 4096, "a control block is a page");
_Static_assert(offsetof(struct vmcb, shadow) == VMCB_SHADOW, "enter.S");
_Static_assert(offsetof(struct vmcb, exit_code) == VMCB_EXITCODE, "enter.S");
_Static_assert(offsetof(struct vmcb, cs.attr) == VMCB_CS_ATTR, "enter.S");
_Static_assert(offsetof(struct vmcb, cpl) == VMCB_CPL, "enter.S");
_Static_assert(offsetof(struct vmcb, rip) == VMCB_RIP, "enter.S");
_Static_assert(offsetof(struct vmcb, rflags) == VMCB_RFLAGS, "enter.S");
_Static_assert(offsetof(struct vmcb, rax) == VMCB_RAX, "enter.S");
_Static_assert(offsetof(struct vmcb, event) == 0xa8, "appendix B");
_Static_assert(offsetof(struct vmcb, clean) == 0xc0, "appendix B");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "appendix B");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "appendix B");

#define INTERCEPT1_INTR      0x00000001u
#define INTERCEPT1_NMI       0x00000002u
#define INTERCEPT1_INIT      0x00000008u
#define INTERCEPT1_VINTR     0x00000010u
#define INTERCEPT1_CR0_OTHER 0x00000020u /* a write of more than TS and MP */
#define INTERCEPT1_LTR       0x00002000u
#define INTERCEPT1_RDTSC     0x00004000u
#define INTERCEPT1_RDPMC     0x00008000u
#define INTERCEPT1_CPUID     0x00040000u
#define INTERCEPT1_IRET      0x00100000u
#define INTERCEPT1_INVD      0x00400000u
#define INTERCEPT1_PAUSE     0x00800000u
#define INTERCEPT1_HLT       0x01000000u
#define INTERCEPT1_INVLPGA   0x04000000u
#define INTERCEPT1_IO        0x08000000u
#define INTERCEPT1_MSR       0x10000000u
#define INTERCEPT1_FREEZE    0x40000000u
#define INTERCEPT1_SHUTDOWN  0x80000000u
#define INTERCEPT2_RDTSCP    0x00000080u
/* VMRUN to SKINIT, WBINVD, MONITOR, MWAIT (both), XSETBV, RDPRU */
#define INTERCEPT2_ALWAYS    0x00007e7fu

#define VINTR_TPR            0x000000000000000full
#define VINTR_PENDING        0x0000000000000100ull
#define VINTR_HIGHEST        0x00000000000f0000ull
#define VINTR_IGNORE         0x0000000000100000ull /* the TPR */
#define VINTR_MASKING        0x0000000001000000ull
#define VINTR_VECTOR_SHIFT   32

#define EVENT_VALID          0x80000000ull
#define EVENT_HAS_ERROR      0x00000800ull
#define EVENT_TYPE           0x00000700ull
#define EVENT_EXTERNAL       0x00000000ull
#define EVENT_NMI            0x00000200ull
#define EVENT_EXCEPTION      0x00000300ull
#define EVENT_SOFTWARE       0x00000400ull

enum {
    EXIT_CR4_WRITE = 0x14,
    EXIT_DR = 0x20, /* to 0x3f */
    EXIT_EXCEPTION = 0x40,
    EXIT_INTR = 0x60,
    EXIT_NMI,
    EXIT_SMI,
    EXIT_INIT,
    EXIT_VINTR,
    EXIT_CR0_OTHER = 0x65,
    EXIT_LTR = 0x6d,
    EXIT_RDTSC = 0x6e,
    EXIT_RDPMC,
    EXIT_CPUID = 0x72,
    EXIT_IRET = 0x74,
    EXIT_INVD = 0x76,
    EXIT_PAUSE,
    EXIT_HLT,
    EXIT_INVLPGA = 0x7a,
    EXIT_IO,
    EXIT_MSR,
    EXIT_FREEZE = 0x7e,
    EXIT_SHUTDOWN,
    EXIT_VMRUN,
    EXIT_VMLOAD = 0x82,
    EXIT_VMSAVE,
    EXIT_STGI,
    EXIT_CLGI,
    EXIT_SKINIT,
    EXIT_RDTSCP,
    EXIT_WBINVD = 0x89,
    EXIT_MONITOR,
    EXIT_MWAIT,
    EXIT_MWAIT_ARMED,
    EXIT_XSETBV,
    EXIT_RDPRU,
    EXIT_NPF = 0x400,
};
#define EXIT_SERVED (~1ull) /* ours: enter.S has done everything */

#define NPF_WRITE   2ull /* of EXITINFO1, as a page fault's error code */

#endif
