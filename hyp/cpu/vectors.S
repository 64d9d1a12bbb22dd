/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry of every exception and interrupt into the hypervisor itself: builds struct
 * trap_frame and calls trap_handle. There is no TSS, so all run on the stack they
 * interrupt; hypervisor code keeps no red zone.
 */
    .text
    .balign 16
    .globl trap_entries
trap_entries: /* 256 entries of 16 bytes */
    vector = 0
    .rept 256
    .balign 16
    .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
    push $0
    .endif
    push $vector
    jmp trap_common
    vector = vector + 1
    .endr

    .balign 16
trap_common:
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    call trap_handle
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    add $16, %rsp
    iretq
