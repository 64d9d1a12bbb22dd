/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stub: the only code of ours in a child. It carries out the host system calls that
 * the parent listed in the page behind it (number, six arguments, result; 64 bytes each),
 * stops at the first that fails or at the end of the list, and uses no stack.
 * Copied to CHILD_STUB; the seccomp filter lets system calls through from its one
 * instruction only, and the parent lets it run only to work off a list.
 */
#include "guest/machine/hosted/stub.h"

        .section .rodata
        .globl child_stub, child_stub_syscall, child_stub_end
        .balign 16
child_stub:
        movabs $CHILD_STUB_OPS, %rbx
1:      mov (%rbx), %rax
        cmp $-1, %rax
        je 2f
        mov 8(%rbx), %rdi
        mov 16(%rbx), %rsi
        mov 24(%rbx), %rdx
        mov 32(%rbx), %r10
        mov 40(%rbx), %r8
        mov 48(%rbx), %r9
        syscall
child_stub_syscall:
        cmp $-4096, %rax
        ja 2f
        add $CHILD_OP_SIZE, %rbx
        jmp 1b
2:      int3
child_stub_end:
        .section .note.GNU-stack,"",@progbits
