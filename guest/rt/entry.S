/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way in: Xen's PVH start (public arch-x86/hvm/start_info.h) gives 32-bit flat code,
 * paging off, EBX = start information. From there to long mode in the upper half.
 *
 * One table serves as the directory of the identity map, the direct map and the image's
 * map: entries 0 and 510 show the first GiB, entry 3 the fourth, where Xen keeps its
 * special pages and the local APIC is. ELF loaders zero .bss, so tables start empty.
 */
#include <xen/elfnote.h>
#include "guest/rt/map.h"

#define PA(x)     ((x) - RT_BASE)
#define TABLE     0x003 /* present, writable */
#define BIG       0x083 /* the same, 2 MiB */
#define CR0_START 0x80010033 /* PG WP NE ET MP PE */
#define CR4_START 0x6a0 /* PAE PGE OSFXSR OSXMMEXCPT */
#define EFER      0xc0000080

.macro note type, value:vararg
    .balign 4
    .long 4, 9f - 8f, \type
    .asciz "Xen"
8:  \value
9:  .balign 4
.endm

    .section .note.Xen, "a", @note
    note XEN_ELFNOTE_PHYS32_ENTRY, .quad PA(rt_entry)
    note XEN_ELFNOTE_GUEST_OS, .asciz "Osmosis"
    note XEN_ELFNOTE_GUEST_VERSION, .asciz "1"
    note XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
    note XEN_ELFNOTE_LOADER, .asciz "generic"
    note XEN_ELFNOTE_VIRT_BASE, .quad RT_BASE
    note XEN_ELFNOTE_PADDR_OFFSET, .quad 0

    .section .text.start, "ax", @progbits
    .code32
    .globl rt_entry
rt_entry:
    cld
    cli
    mov $PA(rt_stack_top), %esp
    mov $PA(rt_table_root), %edi
    mov $PA(rt_table_directory) + TABLE, %eax
    mov %eax, (%edi)
    mov %eax, 256 * 8(%edi)
    mov %eax, 511 * 8(%edi)
    mov $PA(rt_table_directory), %edi
    mov $PA(rt_table_low) + TABLE, %eax
    mov %eax, (%edi)
    mov %eax, 510 * 8(%edi)
    movl $PA(rt_table_high) + TABLE, 3 * 8(%edi)
    mov $PA(rt_table_low), %edi
    mov $BIG, %eax
    call fill
    mov $PA(rt_table_high), %edi
    mov $0xc0000000 + BIG, %eax
    call fill
    mov $CR4_START, %eax
    mov %eax, %cr4
    mov $PA(rt_table_root), %eax
    mov %eax, %cr3
    mov $EFER, %ecx
    rdmsr
    or $0x100, %eax /* LME */
    wrmsr
    mov $CR0_START, %eax
    mov %eax, %cr0
    lgdt PA(start_gdt_pointer)
    ljmp $8, $PA(start_long)

/* 512 entries of 2 MiB from eax into the table at edi. */
fill:
    mov $512, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b
    ret

    .code64
start_long:
    mov $start_high, %rax
    jmp *%rax
start_high:
    xor %eax, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $rt_stack_top, %rsp
    xor %ebp, %ebp
    mov %ebx, %edi
    call rt_begin
    ud2

/* A further vCPU arrives in long mode on the stack it was given, its function and argument
 * in its first words (vcpu.c). */
    .globl rt_vcpu_entry
rt_vcpu_entry:
    pop %rbx
    pop %r12
    xor %ebp, %ebp
    call rt_trap_load
    mov %r12, %rdi
    call *%rbx
    ud2

/* The one hypercall instruction; patched to VMCALL where the processor is Intel's. */
    .globl rt_vmcall
    .balign 16
rt_vmcall:
    vmmcall
    ret

    .section .rodata
    .balign 8
start_gdt:
    .quad 0, 0x00af9b000000ffff
start_gdt_pointer:
    .word . - start_gdt - 1
    .long PA(start_gdt)

    .section .bss.tables, "aw", @nobits
    .balign 4096
    .globl rt_table_root, rt_table_directory, rt_table_low, rt_table_high
rt_table_root:
    .skip 4096
rt_table_directory:
    .skip 4096
rt_table_low:
    .skip 4096
rt_table_high:
    .skip 4096
    .globl rt_stack_top
    .skip 32768 /* RT_STACK */
rt_stack_top:

    .section .note.GNU-stack, "", @progbits
