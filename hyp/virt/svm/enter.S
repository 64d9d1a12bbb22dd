/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void svm_enter(struct vcpu *v): into the guest and back, with interrupts off before and
 * after. Between the switches GIF is 0 and RFLAGS.IF is 1, so that an interrupt makes the
 * guest exit and is not taken here (AMD APM vol. 2, 15.5, 15.17, 15.21.1).
 *
 * A hypercall from ring 0 is served without leaving: FS, GS, TR and the system-call
 * registers stay the guest's, the callee-saved registers stay where they are, and only
 * what C may clobber is kept. It goes back unless somebody wants this vCPU's attention.
 * vcpu.world is even while the guest may be running, odd while it is not.
 * P1's budget of 64 instructions is spent here; count before adding one.
 */
#include "hyp/virt/svm/layout.h"

#define V    0(%rsp)
#define VMCB 8(%rsp)
#define PA   16(%rsp)

    .text
    .balign 64
    .globl svm_enter
svm_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    sub $24, %rsp
    mov VCPU_VIRT(%rdi), %rax
    mov %rdi, V
    mov VIRT_VMCB(%rax), %rcx
    mov %rcx, VMCB
    mov VIRT_PA(%rax), %rax
    mov %rax, PA
    mov REGS_RBX(%rdi), %rbx
    mov REGS_RBP(%rdi), %rbp
    mov REGS_R12(%rdi), %r12
    mov REGS_R13(%rdi), %r13
    mov REGS_R14(%rdi), %r14
    mov REGS_R15(%rdi), %r15
    clgi
    sti

.Lagain:
    mov REGS_RCX(%rdi), %rcx
    mov REGS_RDX(%rdi), %rdx
    mov REGS_RSI(%rdi), %rsi
    mov REGS_R8(%rdi), %r8
    mov REGS_R9(%rdi), %r9
    mov REGS_R10(%rdi), %r10
    mov REGS_R11(%rdi), %r11
    mov REGS_RDI(%rdi), %rdi
    vmrun

    mov V, %rax
    mov %rdi, REGS_RDI(%rax)
    mov %rcx, REGS_RCX(%rax)
    mov %rdx, REGS_RDX(%rax)
    mov %rsi, REGS_RSI(%rax)
    mov %r8, REGS_R8(%rax)
    mov %r9, REGS_R9(%rax)
    mov %r10, REGS_R10(%rax)
    mov %r11, REGS_R11(%rax)
    mov %rax, %rdi
    mov VMCB, %rsi
    cmpq $EXIT_VMMCALL, VMCB_EXITCODE(%rsi)
    jne .Lleave
    cmpb $0, VMCB_CPL(%rsi)
    jne .Lleave
    testb $RFLAGS_STEP, VMCB_RFLAGS + 1(%rsi) /* who steps gets his trap behind the call */
    jnz .Lleave
    incq VCPU_WORLD(%rdi)
    mov VMCB_RAX(%rsi), %rax
    cmp $QUICK_CALLS, %rax
    jae .Lgeneral
    testb $VMCB_CS_LONG, VMCB_CS_ATTR + 1(%rsi)
    jz .Lgeneral
    mov REGS_RSI(%rdi), %rdx
    mov REGS_RDI(%rdi), %rsi
    call *quick_calls(, %rax, 8)
    mov V, %rdi
    mov VMCB, %rsi
    cmp $QUICK_NO, %rax
    je .Lgeneral
    mov %rax, VMCB_RAX(%rsi)
    addq $LENGTH_VMMCALL, VMCB_RIP(%rsi)
    lock incq VCPU_WORLD(%rdi) /* and only then look at attention: see virt_flush */
    movq $0, VMCB_SHADOW(%rsi)
    cmpl $0, VCPU_ATTN(%rdi)
    mov PA, %rax
    je .Lagain
    jmp .Lserved_leave

.Lgeneral:
    mov VMCB_RAX(%rsi), %rax
    mov %rax, REGS_RAX(%rdi)
    mov %rbx, REGS_RBX(%rdi) /* 32-bit callers' arguments are in ebx and ebp, too */
    mov %rbp, REGS_RBP(%rdi)
    call hypercall_dispatch
    mov V, %rdi
    mov VMCB, %rsi
    test %al, %al
    jz .Lserved
    addq $LENGTH_VMMCALL, VMCB_RIP(%rsi)
.Lserved:
    mov REGS_RAX(%rdi), %rax
    mov %rax, VMCB_RAX(%rsi)
    lock incq VCPU_WORLD(%rdi)
    mov REGS_RBX(%rdi), %rbx
    mov REGS_RBP(%rdi), %rbp
    movq $0, VMCB_SHADOW(%rsi)
    cmpl $0, VCPU_ATTN(%rdi)
    mov PA, %rax
    je .Lagain
.Lserved_leave:
    movq $-2, VMCB_EXITCODE(%rsi) /* served: nothing is left to do */

.Lleave:
    mov %rbx, REGS_RBX(%rdi)
    mov %rbp, REGS_RBP(%rdi)
    mov %r12, REGS_R12(%rdi)
    mov %r13, REGS_R13(%rdi)
    mov %r14, REGS_R14(%rdi)
    mov %r15, REGS_R15(%rdi)
    cli
    stgi
    add $24, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
