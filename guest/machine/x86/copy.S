/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void space_copy(void *to, const void *from, size_t len)
 *
 * Upwards through four SSE registers, whose contents are the process's and are put back:
 * worth it from a few hundred bytes on. The rest is memcpy's.
 */
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
    .balign 16
1:  movups (%rsi), %xmm0
    movups 16(%rsi), %xmm1
    movups 32(%rsi), %xmm2
    movups 48(%rsi), %xmm3
    movups %xmm0, (%rdi)
    movups %xmm1, 16(%rdi)
    movups %xmm2, 32(%rdi)
    movups %xmm3, 48(%rdi)
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    cmp $64, %rdx
    jae 1b
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    add $64, %rsp
    jmp memcpy

    .section .note.GNU-stack, "", @progbits
