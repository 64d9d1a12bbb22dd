/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bool user_copy(void *to, const void *from, size_t len): see user.h. Large copies go
 * through one SSE register, which is the process's and is put back. Faults between two
 * of the labels below end the copy (user.c). SMAP: AMD APM volume 2, 5.6.
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
    .globl user_copy, user_large, user_large_end, user_large_failed
    .globl user_small, user_small_end, user_small_failed
user_copy:
    cmpb $0, cpu_smap(%rip)
    jne guarded
unguarded:
    cmp $256, %rdx
    jb user_small
    sub $16, %rsp
    movups %xmm0, (%rsp)
user_large:
    mov %rdx, %rcx
    and $-256, %rcx
    add %rcx, %rsi /* to the end of the whole blocks: rcx counts up to 0 */
    add %rcx, %rdi
    neg %rcx
1:  block 0
    block 64
    block 128
    block 192
    add $256, %rcx
    jne 1b
    and $255, %edx
    jz user_large_end
2:  sub $64, %edx
    js 3f
    block 0
    add $64, %rsi
    add $64, %rdi
    jmp 2b
3:  add $64, %edx
user_large_end:
    movups (%rsp), %xmm0
    add $16, %rsp
    test %edx, %edx
    jz done

user_small:
    sub $32, %rdx
    jb words
4:  mov (%rsi), %rax
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
    jae 4b
words: /* rdx: what is left, less 32 */
    add $24, %rdx
    js bytes
5:  mov (%rsi), %rax
    mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rdx
    jns 5b
bytes:
    add $8, %rdx
    jz done
6:  mov (%rsi), %al
    mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jnz 6b
done:
    mov $1, %eax
user_small_end:
    ret

user_large_failed:
    movups (%rsp), %xmm0
    add $16, %rsp
user_small_failed:
    xor %eax, %eax
    ret

guarded:
    stac
    call unguarded
    clac
    ret

    .section .note.GNU-stack, "", @progbits
