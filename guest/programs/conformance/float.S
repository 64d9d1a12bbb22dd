/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void float_round(const struct image *in, struct image *out, u64 spins, u64 entry, u64 yield,
 *                  u64 wide)
 *
 * Loads every SSE register, an x87 register and the control words from `in`, with `wide` the
 * upper halves of the AVX registers too, spins, yields through the entry page, spins again, and
 * stores them to `out`. In assembly because a compiler would use the registers in between.
 */
        .text
        .globl float_round
float_round:
        push %rbx
        push %rbp
        push %r12
        push %r13
        push %r14
        push %r15
        mov %rdi, %rbx
        mov %rsi, %rbp
        mov %rdx, %r12
        mov %rcx, %r13
        mov %r8, %r14
        mov %r9, %r15
        fninit
        fldcw 268(%rbx)
        ldmxcsr 264(%rbx)
        fildll 256(%rbx)
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups 16 * \n(%rbx), %xmm\n
        .endr
        test %r15, %r15
        jz 2f
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vinsertf128 $1, 272 + 16 * \n(%rbx), %ymm\n, %ymm\n
        .endr
2:
        mov %r12, %rax
1:      dec %rax
        jnz 1b
        mov %r14, %rax
        call *%r13
        mov %r12, %rax
1:      dec %rax
        jnz 1b
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        movups %xmm\n, 16 * \n(%rbp)
        .endr
        test %r15, %r15
        jz 2f
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        vextractf128 $1, %ymm\n, 272 + 16 * \n(%rbp)
        .endr
        vzeroupper
2:
        fistpll 256(%rbp)
        stmxcsr 264(%rbp)
        fnstcw 268(%rbp)
        fninit
        pushq $0x1f80
        ldmxcsr (%rsp)
        add $8, %rsp
        pop %r15
        pop %r14
        pop %r13
        pop %r12
        pop %rbp
        pop %rbx
        ret

        .section .note.GNU-stack, "", @progbits
