/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entry stubs of all 256 vectors, 16 bytes apart, and the frame of trap.h around the call.
 */
#include "guest/rt/trap.h"

#define HAS_ERROR 0x60227d00 /* vectors 8, 10-14, 17, 21, 29, 30 */

    .text
    .balign 16
    .globl rt_trap_stubs
rt_trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector >= 32 || !((HAS_ERROR >> (vector & 31)) & 1)
    push $0
    .endif
    push $vector
    jmp common
    .set vector, vector + 1
    .endr

    .balign 16
common:
    cld
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
    mov %rsp, %rdi
    call rt_trap
    .globl rt_trap_return
rt_trap_return: /* with rsp at a struct rt_frame */
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

    .section .note.GNU-stack, "", @progbits
