/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void space_copy(void *to, const void *from, size_t len)
 *
 * Upwards through four SSE registers, whose contents are the process's and are put back:
 * worth it from a few hundred bytes on. The rest is memcpy's.
 */
/* 64 bytes from `at` on. */
.macro block at
    movups \at(%rsi), %xmm0
    movups \at+16(%rsi), %xmm1
    movups \at+32(%rsi), %xmm2
    movups \at+48(%rsi), %xmm3
    movups %xmm0, \at(%rdi)
    movups %xmm1, \at+16(%rdi)
    movups %xmm2, \at+32(%rdi)
    movups %xmm3, \at+48(%rdi)
.endm

    .text
    .balign 16
    .globl space_copy
space_copy:
    cmp $256, %rdx
    jb memcpy
    sub $64, %rsp
    movups %xmm0, (%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
    sub $256, %rdx
    jb 2f
    .balign 16
1:  block 0
    block 64
    block 128
    block 192
    add $256, %rsi
    add $256, %rdi
    sub $256, %rdx
    jae 1b
2:  add $192, %rdx /* what is left, less 64 */
    js 4f
3:  block 0
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    jns 3b
4:  add $64, %rdx
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    add $64, %rsp
    jmp memcpy

    .section .note.GNU-stack, "", @progbits
