/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The start of the smallest guests: PVH entry (XEN_ELFNOTE_PHYS32_ENTRY), an identity map of
 * 4 GiB in 2 MiB pages, long mode, test_main(start_info). A guest that returns is finished:
 * it prints its verdict and powers off.
 */
    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 4, 18
    .asciz "Xen"
    .long _start

    .text
    .code32
    .globl _start, child_entry
child_entry: /* a domain made by child.c says when it began */
    rdtsc
    mov %eax, child_first
    mov %edx, child_first + 4
_start:
    mov $stack_top, %esp
    mov $pd, %edi
    mov $0x83, %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x200000, %eax
    loop 1b
    mov $pdpt, %edi
    mov $pd + 3, %eax
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $8, %edi
    add $0x1000, %eax
    loop 1b
    movl $pdpt + 3, pml4
    mov $0x6a0, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010003, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x08, $1f
    .code64
1:  mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %ebx, %edi
    mov $stack_top, %rsp
    xor %ebp, %ebp
    call guest_main
1:  cli
    hlt
    jmp 1b

    .balign 16
    .globl irq_entries
irq_entries: /* 256 stubs of 16 bytes: vector, then the common part */
    n = 0
    .rept 256
    .balign 16
    .if !((n == 8) || (n >= 10 && n <= 14) || (n == 17))
    push $0
    .endif
    push $n
    jmp irq_common
    n = n + 1
    .endr
irq_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    lea 88(%rsp), %rdi /* vector, error, rip, cs, rflags, rsp, ss */
    cld
    mov %rsp, %rbp
    and $-16, %rsp
    call trap
    mov %rbp, %rsp
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .data
    .balign 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00affb000000ffff, 0x00cff3000000ffff
gdt_pointer:
    .word gdt_pointer - gdt - 1
    .quad gdt

    .bss
    .balign 4096
pml4:
    .skip 4096
pdpt:
    .skip 4096
pd:
    .skip 4 * 4096
stack:
    .skip 16384
stack_top:
