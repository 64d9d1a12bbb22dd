/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The suite's entry by the PVH note, in each of four shapes: LEVELS of paging, 0 for none.
 * All memory is mapped one to one, for ring 3 as well. Then exceptions: one entry for each
 * vector, registers in the order of struct frame, exception(frame).
 */
#include "tests/hyp/suite/width.h"

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl start
start:
    mov $stack_top, %esp
    cld
#if LEVELS >= 3
    mov $directories, %edi
    mov $0x87, %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 1b
    mov $pointers, %edi
#if LEVELS == 4
    mov $directories + 7, %eax
#else
    mov $directories + 1, %eax
#endif
    mov $4, %ecx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 1b
    mov $0x20, %eax
    mov %eax, %cr4
#if LEVELS == 4
    movl $pointers + 7, root
    mov $root, %eax
#else
    mov $pointers, %eax
#endif
    mov %eax, %cr3
#elif LEVELS == 2
    mov $root, %edi
    mov $0x87, %eax
    mov $1024, %ecx
1:  mov %eax, (%edi)
    add $4, %edi
    add $0x400000, %eax
    loop 1b
    mov $0x10, %eax
    mov %eax, %cr4
    mov $root, %eax
    mov %eax, %cr3
#endif
#if LEVELS == 4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
#endif
    mov %cr0, %eax
    or $0x10003, %eax
#if LEVELS
    or $0x80000000, %eax
#endif
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $1f
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    push $2
    popf
#ifdef __x86_64__
    .code64
    mov $stack_top, %rsp
    mov %ebx, %edi
    xor %ebp, %ebp
#else
    xor %ebp, %ebp
    and $-16, %esp
    sub $12, %esp
    push %ebx
#endif
    call suite_main
1:  cli
    hlt
    jmp 1b

    .balign 16
    .globl entries
entries:
    n = 0
    .rept 256
    .balign 16
    .if !((n == 8) || (n >= 10 && n <= 14) || (n == 17))
    push $0
    .endif
    push $n
    jmp common
    n = n + 1
    .endr

common:
    push AX
    push BX
    push CX
    push DX
    push SI
    push DI
    push BP
#ifdef __x86_64__
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, %rdi
    mov %rsp, %rbp
    and $-16, %rsp
    cld
    call exception
    mov %rbp, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
#else
    push %ds
    push %es
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    lea 8(%esp), %eax
    mov %esp, %ebp
    and $-16, %esp
    sub $12, %esp
    push %eax
    cld
    call exception
    mov %ebp, %esp
    pop %es
    pop %ds
#endif
    pop BP
    pop DI
    pop SI
    pop DX
    pop CX
    pop BX
    pop AX
    add $2 * WORD, SP
#ifdef __x86_64__
    iretq
#else
    iret
#endif

/* void snippet_run(code, registers in and out, ring 3?): comes back by the snippet's return,
 * or by snippet_abort from inside exception(). */
    .globl snippet_run, snippet_abort
snippet_run:
    push BX
    push BP
    push SI
    push DI
#ifdef __x86_64__
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rdi, snippet_code
    mov %rsi, snippet_registers
    mov %rsp, snippet_stack
    mov %edx, %ecx
    mov %rsi, %r11
    test %ecx, %ecx
    jz 1f
    push $0x23
    mov $user_stack_top - 64, %eax
    movq $user_returned, (%rax)
    push %rax
    push $2
    push $0x1b
    push %rdi
    call snippet_load
    iretq
1:  call snippet_load
    call *snippet_code
snippet_returned:
    push %r11
    mov snippet_registers, %r11
    mov %rax, 0(%r11)
    mov %rbx, 8(%r11)
    mov %rcx, 16(%r11)
    mov %rdx, 24(%r11)
    mov %rsi, 32(%r11)
    mov %rdi, 40(%r11)
    mov %r10, 48(%r11)
    mov %r8, 56(%r11)
snippet_abort:
    mov snippet_stack, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
#else
    mov 20(%esp), %eax
    mov %eax, snippet_code
    mov 24(%esp), %edx
    mov %edx, snippet_registers
    mov 28(%esp), %ecx
    mov %esp, snippet_stack
    test %ecx, %ecx
    jz 1f
    mov $0x23, %eax
    mov %eax, %ds
    mov %eax, %es
    push %eax
    mov $user_stack_top - 64, %eax
    movl $user_returned, (%eax)
    push %eax
    push $2
    push $0x1b
    pushl snippet_code
    call snippet_load
    iret
1:  call snippet_load
    call *snippet_code
snippet_returned:
    push %edx
    mov snippet_registers, %edx
    mov %eax, 0(%edx)
    mov %ebx, 4(%edx)
    mov %ecx, 8(%edx)
    pop 12(%edx)
    mov %esi, 16(%edx)
    mov %edi, 20(%edx)
snippet_abort:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov snippet_stack, %esp
#endif
    pushf
    andl $~0x40500, (SP) /* AC, DF, TF */
    popf
    pop DI
    pop SI
    pop BP
    pop BX
    ret
snippet_load:
#ifdef __x86_64__
    mov 0(%r11), %rax
    mov 8(%r11), %rbx
    mov 16(%r11), %rcx
    mov 24(%r11), %rdx
    mov 32(%r11), %rsi
    mov 40(%r11), %rdi
    mov 48(%r11), %r10
    mov 56(%r11), %r8
#else
    mov 0(%edx), %eax
    mov 4(%edx), %ebx
    mov 8(%edx), %ecx
    mov 16(%edx), %esi
    mov 20(%edx), %edi
    mov 12(%edx), %edx
#endif
    ret
user_returned: /* vector 0x30 comes back to ring 0 */
    int $0x30
    .globl user_return_entry
user_return_entry:
#ifndef __x86_64__
    push %eax
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    pop %eax
#endif
    jmp snippet_returned

#ifndef __x86_64__
/* The double fault's own task: goes back to the interrupted one by its return. */
    .globl task_df
task_df:
    call double_fault
    add $4, %esp
    iret
    jmp task_df
#endif

    .data
    .balign 16
    .globl gdt, gdt_pointer
gdt:
#ifdef __x86_64__
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00affb000000ffff, 0x00cff3000000ffff
#else
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff
#endif
    .quad 0x00cf9b000000ffff, 0, 0, 0, 0, 0, 0x00cffb000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
#ifdef __x86_64__
    .quad gdt
#else
    .long gdt
#endif

    .bss
    .balign 4096
    .globl hypercall_page, df_stack_top, kernel_stack_top, user_stack_top, root, directories
hypercall_page:
    .skip 4096
root:
    .skip 4096
pointers:
    .skip 4096
directories:
    .skip 4 * 4096
    .skip 16384
stack_top:
    .skip 8192
kernel_stack_top:
    .skip 8192
df_stack_top:
user_stack:
    .skip 8192
user_stack_top:
snippet_code:
    .skip 8
snippet_registers:
    .skip 8
snippet_stack:
    .skip 8
