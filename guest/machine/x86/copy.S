/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void space_copy(void *to, const void *from, size_t len)
 *
 * Upwards through one SSE register, whose contents are the process's and are put back:
 * worth it from a few hundred bytes on. The rest is memcpy's.
 */
/* 64 bytes, `at` bytes before those that rcx counts up from. */
.macro block at
    movups \at(%rsi,%rcx), %xmm0
    movups %xmm0, \at(%rdi,%rcx)
    movups \at+16(%rsi,%rcx), %xmm0
    movups %xmm0, \at+16(%rdi,%rcx)
    movups \at+32(%rsi,%rcx), %xmm0
    movups %xmm0, \at+32(%rdi,%rcx)
    movups \at+48(%rsi,%rcx), %xmm0
    movups %xmm0, \at+48(%rdi,%rcx)
.endm

    .text
    .balign 16
    .globl space_copy
space_copy:
    cmp $256, %rdx
    jb memcpy
    sub $24, %rsp
    movups %xmm0, (%rsp)
    mov %rdx, %rcx
    and $-256, %rcx
    add %rcx, %rsi
    add %rcx, %rdi
    neg %rcx
1:  block 0
    block 64
    block 128
    block 192
    add $256, %rcx
    jne 1b
    and $255, %edx
2:  sub $64, %edx
    js 3f
    block 0
    add $64, %rsi
    add $64, %rdi
    jmp 2b
3:  movups (%rsp), %xmm0
    add $24, %rsp
    add $64, %edx
    jnz memcpy
    ret

    .section .note.GNU-stack, "", @progbits
