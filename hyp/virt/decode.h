/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tiny decoder: just enough to serve accesses to the local APIC's page and to device
 * memory that is not there. Pure but for insn_fetch, so host tests drive it.
 */
#ifndef HYP_VIRT_DECODE_H
#define HYP_VIRT_DECODE_H

#include "base/types.h"

struct vcpu;
struct guest_regs;

enum { INSN_MOST = 15 };

/* One access to memory, as a plain move. */
struct insn {
    bool write;
    bool immediate;   /* of a write: the data is `data`, else it is in register `reg` */
    bool sign_extend; /* of a read into a wider register */
    u8 reg;           /* in the processor's numbering, 0 = rax; 16 + n: ah, ch, dh, bh */
    u8 size;          /* bytes of the memory operand */
    u8 reg_size;      /* bytes of the register that a read fills */
    u8 length;
    u64 data;
};

/* False: not one of the moves we know (88-8b, a0-a3, c6, c7, 0f b6, b7, be, bf, 63). */
bool insn_decode(struct insn *i, const u8 *code, u32 len, u32 code_bits);
/* The value a write stores; a read's value into its register. */
u64 insn_value(const struct insn *i, const struct guest_regs *r);
void insn_set(const struct insn *i, struct guest_regs *r, u64 value);
/* A general register by the processor's numbering. */
u64 insn_register(const struct guest_regs *r, u32 number);
/* Bytes at the vCPU's rip: how many could be read, at most `most`. */
u32 insn_fetch(struct vcpu *v, u8 *code, u32 most);

#endif
