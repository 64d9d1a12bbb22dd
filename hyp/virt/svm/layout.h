/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Offsets that the entry code (enter.S) needs; vmcb.h and svm.h hold them against the
 * structs.
 */
#ifndef HYP_VIRT_SVM_LAYOUT_H
#define HYP_VIRT_SVM_LAYOUT_H

#define REGS_RAX       0
#define REGS_RBX       8
#define REGS_RCX       16
#define REGS_RDX       24
#define REGS_RSI       32
#define REGS_RDI       40
#define REGS_RBP       48
#define REGS_R8        64
#define REGS_R9        72
#define REGS_R10       80
#define REGS_R11       88
#define REGS_R12       96
#define REGS_R13       104
#define REGS_R14       112
#define REGS_R15       120
#define VCPU_VIRT      152
#define VCPU_ATTN      160
#define VCPU_WORLD     168
#define VIRT_VMCB      0
#define VIRT_PA        8

#define VMCB_SHADOW    0x068
#define VMCB_EXITCODE  0x070
#define VMCB_CS_ATTR   0x412
#define VMCB_CS_LONG   0x02 /* in its high byte; meaningless outside long mode, where it is 0 */
#define VMCB_CPL       0x4cb
#define VMCB_RFLAGS    0x570
#define RFLAGS_STEP    0x01 /* TF, in its second byte */
#define VMCB_RIP       0x578
#define VMCB_RAX       0x5f8

#define EXIT_VMMCALL   0x81
#define LENGTH_VMMCALL 3

#define QUICK_CALLS    64
#define QUICK_NO       -0x7ffffffe

#endif
