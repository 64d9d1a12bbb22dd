/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel calls: SYSCALL in, SYSRET out. What a C function preserves stays in its registers
 * for the length of a call; only when another thread runs next is it put away. The stack
 * is the one kernel stack, empty whenever ring 3 runs. See context.h; AMD APM volume 2, 6.1.
 */
#include "guest/machine/x86/context.h"
#include "guest/rt/trap.h"

    .text
    .balign 16
    .globl x86_syscall
x86_syscall: /* rax number, rdi rsi rdx r10 r8 r9 words, rcx rip, r11 rflags */
    cmp x86_entry_return(%rip), %rcx
    jne foreign
    mov x86_current(%rip), %rcx
    mov %rsp, CONTEXT_RSP(%rcx)
    mov %r11, CONTEXT_RFLAGS(%rcx)
    mov $rt_stack_top - 16, %rsp /* room for the result */
    mov CONTEXT_THREAD(%rcx), %rcx
    mov %rdi, THREAD_ARGS(%rcx)
    mov %rsi, THREAD_ARGS+8(%rcx)
    mov %rdx, THREAD_ARGS+16(%rcx)
    mov %r10, THREAD_ARGS+24(%rcx)
    mov %r8, THREAD_ARGS+32(%rcx)
    mov %r9, THREAD_ARGS+40(%rcx)
    mov %rcx, %rsi
    mov x86(%rip), %rdi
    mov %rsp, %rdx
    mov %eax, %ecx
    call node_call
    test %eax, %eax
    jnz leave
    mov (%rsp), %rax
    mov x86_current(%rip), %rcx
    mov CONTEXT_RFLAGS(%rcx), %r11
    mov CONTEXT_RSP(%rcx), %rsp
    mov x86_entry_return(%rip), %rcx
    xor %edx, %edx
    xor %edi, %edi
    xor %esi, %esi
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    sysretq

leave: /* eax is the outcome */
    mov x86_current(%rip), %rcx
    mov %rbx, CONTEXT_RBX(%rcx)
    mov %rbp, CONTEXT_RBP(%rcx)
    mov %r12, CONTEXT_R12(%rcx)
    mov %r13, CONTEXT_R13(%rcx)
    mov %r14, CONTEXT_R14(%rcx)
    mov %r15, CONTEXT_R15(%rcx)
    movq $0, CONTEXT_WHOLE(%rcx)
    mov %eax, %edi
    mov $rt_stack_top, %rsp
    call x86_after_call
    ud2

foreign:
    mov %rsp, user_rsp(%rip)
    mov x86_current(%rip), %rsp
    mov %rax, CONTEXT_RAX(%rsp)
    mov %rbx, CONTEXT_RBX(%rsp)
    mov %rcx, CONTEXT_RCX(%rsp)
    mov %rdx, CONTEXT_RDX(%rsp)
    mov %rsi, CONTEXT_RSI(%rsp)
    mov %rdi, CONTEXT_RDI(%rsp)
    mov %rbp, CONTEXT_RBP(%rsp)
    mov %r8, CONTEXT_R8(%rsp)
    mov %r9, CONTEXT_R9(%rsp)
    mov %r10, CONTEXT_R10(%rsp)
    mov %r11, CONTEXT_R11(%rsp)
    mov %r12, CONTEXT_R12(%rsp)
    mov %r13, CONTEXT_R13(%rsp)
    mov %r14, CONTEXT_R14(%rsp)
    mov %r15, CONTEXT_R15(%rsp)
    mov %rcx, CONTEXT_RIP(%rsp)
    mov %r11, CONTEXT_RFLAGS(%rsp)
    mov user_rsp(%rip), %rax
    mov %rax, CONTEXT_RSP(%rsp)
    movq $1, CONTEXT_WHOLE(%rsp)
    mov $rt_stack_top, %rsp
    call x86_foreign
    ud2

/* No descriptor lets a process run 32-bit code, so nothing arrives here. */
    .globl x86_syscall32
x86_syscall32:
    mov $rt_stack_top, %rsp
    ud2

    .balign 16
    .globl x86_enter
x86_enter:
    mov %rdi, x86_current(%rip)
    cmpq $0, CONTEXT_WHOLE(%rdi)
    jne whole
    mov CONTEXT_RAX(%rdi), %rax
    mov CONTEXT_RBX(%rdi), %rbx
    mov CONTEXT_RBP(%rdi), %rbp
    mov CONTEXT_R12(%rdi), %r12
    mov CONTEXT_R13(%rdi), %r13
    mov CONTEXT_R14(%rdi), %r14
    mov CONTEXT_R15(%rdi), %r15
    mov CONTEXT_RFLAGS(%rdi), %r11
    mov CONTEXT_RSP(%rdi), %rsp
    mov x86_entry_return(%rip), %rcx
    xor %edi, %edi
    xor %esi, %esi
    xor %edx, %edx
    xor %r8d, %r8d
    xor %r9d, %r9d
    xor %r10d, %r10d
    sysretq

whole:
    mov $rt_stack_top, %rsp
    push $RT_UDATA | 3
    push CONTEXT_RSP(%rdi)
    push CONTEXT_RFLAGS(%rdi)
    push $RT_UCODE | 3
    push CONTEXT_RIP(%rdi)
    mov CONTEXT_RAX(%rdi), %rax
    mov CONTEXT_RBX(%rdi), %rbx
    mov CONTEXT_RCX(%rdi), %rcx
    mov CONTEXT_RDX(%rdi), %rdx
    mov CONTEXT_RSI(%rdi), %rsi
    mov CONTEXT_RBP(%rdi), %rbp
    mov CONTEXT_R8(%rdi), %r8
    mov CONTEXT_R9(%rdi), %r9
    mov CONTEXT_R10(%rdi), %r10
    mov CONTEXT_R11(%rdi), %r11
    mov CONTEXT_R12(%rdi), %r12
    mov CONTEXT_R13(%rdi), %r13
    mov CONTEXT_R14(%rdi), %r14
    mov CONTEXT_R15(%rdi), %r15
    mov CONTEXT_RDI(%rdi), %rdi
    iretq

    .globl x86_restart
x86_restart:
    mov $rt_stack_top, %rsp
    call x86_schedule
    ud2

    .section .bss
    .balign 8
user_rsp:
    .skip 8

    .section .note.GNU-stack, "", @progbits
