/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers by the kernel's width, for assembly that both widths share. */
#ifndef TESTS_HYP_SUITE_WIDTH_H
#define TESTS_HYP_SUITE_WIDTH_H

#ifdef __x86_64__
#define WORD 8
#define AX   % rax
#define BX   % rbx
#define CX   % rcx
#define DX   % rdx
#define SI   % rsi
#define DI   % rdi
#define BP   % rbp
#define SP   % rsp
#else
#define WORD 4
#define AX   % eax
#define BX   % ebx
#define CX   % ecx
#define DX   % edx
#define SI   % esi
#define DI   % edi
#define BP   % ebp
#define SP   % esp
#endif

#endif
