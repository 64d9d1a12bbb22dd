/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions: multiboot 1 and 2 headers, from 32-bit flat mode to long mode
 * with the first 4 GiB mapped (at 0, in the direct map, and the first GiB at IMAGE_BASE),
 * and the start of secondary CPUs, copied to TRAMPOLINE.
 * Multiboot Specification 0.6.96, 3.1; Multiboot2 Specification 2.0, 3.1.
 */
#include "hyp/boot/layout.h"

#define PA(symbol) ((symbol) - IMAGE_BASE)

    .section .boot, "ax"
    .balign 8
multiboot1:
    .long 0x1badb002
    .long 3 /* align modules, give the memory map */
    .long -(0x1badb002 + 3)

    .balign 8
multiboot2:
    .long 0xe85250d6
    .long 0
    .long multiboot2_end - multiboot2
    .long -(0xe85250d6 + (multiboot2_end - multiboot2))
    .word 6, 0 /* align modules */
    .long 8
    .word 0, 0
    .long 8
multiboot2_end:

    .code32
    .globl _start
_start:
    cli
    cld
    mov %eax, %edi /* the loader's magic number, and its information */
    mov %ebx, %esi
    mov $PA(boot_stack_top), %esp
    call early_serial
    mov $PA(text_entered), %ebx
    call early_print

    mov $0x80000000, %eax /* Is there a long mode? AMD APM vol. 2, 14.8 */
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc no_long_mode

    mov $PA(boot_pd), %ecx /* 2048 large pages: 4 GiB */
    mov $0x83, %eax
1:  mov %eax, (%ecx)
    add $8, %ecx
    add $0x200000, %eax
    jnc 1b
    mov $PA(boot_pd) + 3, %eax
    mov $PA(boot_pdpt), %ecx
    mov $4, %ebx
1:  mov %eax, (%ecx)
    add $0x1000, %eax
    add $8, %ecx
    dec %ebx
    jnz 1b
    movl $PA(boot_pdpt) + 3, PA(hyp_pml4)
    movl $PA(boot_pdpt) + 3, PA(hyp_pml4) + 256 * 8
    movl $PA(image_pdpt) + 3, PA(hyp_pml4) + 511 * 8
    movl $PA(boot_pd) + 3, PA(image_pdpt) + 510 * 8

    call enter_long_mode
    ljmp $SELECTOR_CODE64, $PA(start64)

/* Paging on, in compatibility mode afterwards. Clobbers eax, ecx, edx. */
enter_long_mode:
    mov %cr4, %eax
    or $0x6a0, %eax /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $PA(hyp_pml4), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax /* EFER.LME, NXE */
    wrmsr
    mov %cr0, %eax
    and $0x9fffffff, %eax /* caches on */
    or $0x80010023, %eax  /* PG, WP, NE, MP, PE */
    and $0xfffffff3, %eax /* no EM, no TS */
    mov %eax, %cr0
    lgdt PA(gdt_low)
    ret

no_long_mode:
    mov $PA(text_no_long_mode), %ebx
    call early_print
1:  hlt
    jmp 1b

/* COM1 to 115200 8N1, no interrupts. */
early_serial:
    mov $PA(serial_setup), %ebx
1:  movzwl (%ebx), %edx
    test %edx, %edx
    jz 2f
    movb 2(%ebx), %al
    out %al, %dx
    add $3, %ebx
    jmp 1b
2:  ret

/* The text at ebx. Waits at most a while for each byte: there may be no port at all. */
early_print:
    mov $0x10000, %ecx
1:  mov $0x3fd, %edx
    in %dx, %al
    test $0x20, %al
    loopz 1b
    mov (%ebx), %al
    inc %ebx
    test %al, %al
    jz 2f
    mov $0x3f8, %edx
    out %al, %dx
    jmp early_print
2:  ret

serial_setup:
    .macro setup port, value
    .word \port
    .byte \value
    .endm
    setup 0x3f9, 0
    setup 0x3fb, 0x80
    setup 0x3f8, 1
    setup 0x3f9, 0
    setup 0x3fb, 3
    setup 0x3fa, 7
    setup 0x3fc, 3
    .word 0
text_entered:
    .asciz "Osmosis: entered\r\n"
text_no_long_mode:
    .asciz "Osmosis: this processor has no 64-bit mode\r\n"

    .balign 8
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff /* 32-bit code */
    .quad 0x00cf93000000ffff /* data */
    .quad 0x00af9b000000ffff /* 64-bit code */
gdt_end:
gdt_low:
    .word gdt_end - gdt - 1
    .long PA(gdt)
    .balign 8
gdt_high:
    .word gdt_end - gdt - 1
    .quad gdt

    .code64
start64:
    movabs $1f, %rax
    jmp *%rax
1:  call load_segments
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp
    mov %edi, %edi
    mov %esi, %esi
    call hyp_main
    ud2

load_segments:
    lgdt gdt_high
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    lldt %ax
    ret

/* Secondary CPUs. Everything below is position-independent but for its base. */
    .code16
    .balign 16
    .globl trampoline, trampoline_end
trampoline:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    lgdtl TRAMPOLINE + (trampoline_gdt - trampoline)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $SELECTOR_CODE32, $PA(secondary32)
    .balign 4
trampoline_gdt:
    .word gdt_end - gdt - 1
    .long PA(gdt)
trampoline_end:

    .code32
secondary32:
    mov $SELECTOR_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %cr4, %eax
    or $0x6a0, %eax
    mov %eax, %cr4
    mov $PA(hyp_pml4), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    and $0x9ffffff3, %eax
    or $0x80010023, %eax
    mov %eax, %cr0
    ljmp $SELECTOR_CODE64, $PA(secondary64)

    .code64
secondary64:
    movabs $1f, %rax
    jmp *%rax
1:  mov secondary_stack, %rsp /* set by cpu/smp.c for the one CPU it is waking */
    call load_segments
    xor %ebp, %ebp
    call secondary_main
    ud2

    .section .bss
    .balign 16384
    .globl boot_stack
boot_stack:
    .skip 16384
boot_stack_top:
    .balign 4096
    .globl hyp_pml4
hyp_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
image_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096
