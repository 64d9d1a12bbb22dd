/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bool user_copy(void *to, const void *from, size_t len): see user.h. Large copies go
 * through four SSE registers, which are the process's and are put back. Faults between two
 * of the labels below end the copy (user.c). SMAP: AMD APM volume 2, 5.6.
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
    .globl user_copy, user_large, user_large_end, user_large_failed
    .globl user_small, user_small_end, user_small_failed
user_copy:
    cmpb $0, cpu_smap(%rip)
    jne guarded
unguarded:
    cmp $256, %rdx
    jb user_small
    sub $64, %rsp
    movups %xmm0, (%rsp)
    movups %xmm1, 16(%rsp)
    movups %xmm2, 32(%rsp)
    movups %xmm3, 48(%rsp)
user_large:
    sub $256, %rdx
    jb 6f
    .balign 16
5:  block 0
    block 64
    block 128
    block 192
    add $256, %rsi
    add $256, %rdi
    sub $256, %rdx
    jae 5b
6:  add $192, %rdx /* what is left, less 64 */
    js 8f
7:  block 0
    add $64, %rsi
    add $64, %rdi
    sub $64, %rdx
    jns 7b
8:  add $64, %rdx
user_large_end:
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    add $64, %rsp

user_small:
    sub $32, %rdx
    jb words
1:  mov (%rsi), %rax
    mov 8(%rsi), %rcx
    mov 16(%rsi), %r8
    mov 24(%rsi), %r9
    mov %rax, (%rdi)
    mov %rcx, 8(%rdi)
    mov %r8, 16(%rdi)
    mov %r9, 24(%rdi)
    add $32, %rsi
    add $32, %rdi
    sub $32, %rdx
    jae 1b
words: /* rdx: what is left, less 32 */
    add $24, %rdx
    js bytes
2:  mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rdx
    jns 2b
bytes:
    add $8, %rdx
    jz 4f
3:  mov (%rsi), %al
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jnz 3b
4:  mov $1, %eax
user_small_end:
    ret

user_large_failed:
    movups (%rsp), %xmm0
    movups 16(%rsp), %xmm1
    movups 32(%rsp), %xmm2
    movups 48(%rsp), %xmm3
    add $64, %rsp
user_small_failed:
    xor %eax, %eax
    ret

guarded:
    stac
    call unguarded
    clac
    ret

    .section .note.GNU-stack, "", @progbits
