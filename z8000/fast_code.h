/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the fast way: decoded pages of code, and what an entry can be.
 */
#ifndef Z8000_FAST_CODE_H
#define Z8000_FAST_CODE_H

#include "z8000/core.h"
#include "z8000/fast.h"

enum {
    FAST_WORDS = Z8000_FAST_PAGE / 2,
    FAST_SETS = 256,
};

struct entry {
    const void *go;
    union {
        s32 clocks;
        u32 frame; /* CALR: what it pushes, as it lies in memory */
    };
    u8 a, b; /* byte offsets of registers in z8000.r, of a pointer's pair */
    u16 imm; /* CALR: where it goes */
};

struct code {
    const u8 *host;   /* the page decoded; NULL: none */
    u32 number, base; /* base: of its segment's first page */
    u32 pushed;       /* the upper byte of return addresses to this segment, in place */
    struct entry entry[FAST_WORDS + 1]; /* the last one leaves the page */
};

struct z8000_fast {
    struct z8000 *cpu;
    z8000_bus *bus;
    void *owner;
    u8 *read[Z8000_FAST_PAGES], *write[Z8000_FAST_PAGES];
    u8 *writable[Z8000_FAST_PAGES];         /* as the owner said, whatever is decoded */
    struct code *decoded[Z8000_FAST_PAGES]; /* of code[]; NULL: not now */
    u16 hosts[FAST_SETS]; /* decoded pages by their address, to know quickly that one is not */
    struct code code[FAST_SETS];
};

/* clang-format off */
/* The forms with a short way. Each has its place in the table of labels of burst(). */
enum op {
    OP_SLOW, OP_DECODE, OP_EDGE, OP_NOP,
    OP_LD, OP_LDI, OP_LDK, OP_LDB, OP_LDBI, OP_CLR, OP_EX,
    OP_LD_LOAD, OP_LD_STORE, OP_LDB_LOAD, OP_LDB_STORE,
    OP_ADD, OP_ADDI, OP_SUB, OP_SUBI, OP_CP, OP_CPI,
    OP_ADD_Q, OP_ADDI_Q, OP_SUB_Q, OP_SUBI_Q, /* quiet: flags not wanted */
    OP_AND, OP_ANDI, OP_OR, OP_ORI, OP_XOR, OP_XORI,
    OP_AND_Q, OP_ANDI_Q, OP_OR_Q, OP_ORI_Q, OP_XOR_Q, OP_XORI_Q,
    OP_INC, OP_DEC, OP_INC_Q, OP_DEC_Q,
    OP_JR, OP_JR_ALWAYS, OP_DJNZ, OP_DBJNZ,
    OP_CPJ_EQ, OP_CPJ_NE, OP_CPJ_ULT, OP_CPJ_UGE, OP_CPJ_UGT, OP_CPJ_ULE, OP_CPJ_LT, OP_CPJ_GE,
    OP_CPJ_GT, OP_CPJ_LE,
    OP_CPIJ_EQ, OP_CPIJ_NE, OP_CPIJ_ULT, OP_CPIJ_UGE, OP_CPIJ_UGT, OP_CPIJ_ULE, OP_CPIJ_LT,
    OP_CPIJ_GE, OP_CPIJ_GT, OP_CPIJ_LE,
    OP_SUBJ_EQ, OP_SUBJ_NE, OP_SUBJ_ULT, OP_SUBJ_UGE,
    OP_INC_MEMORY, OP_DEC_MEMORY,
    OP_CALR, OP_RET, OP_MULT, OP_MULTI, OP_MULT_LOAD, OP_GENERIC,
    OP_COUNT,
};
/* clang-format on */

static inline u32 fast_page(u8 segment, u16 offset)
{
    return (u32)segment << 7 | offset / Z8000_FAST_PAGE;
}

/* Word `index` of a page of code. */
static inline u16 fast_word(const u8 *host, u32 index)
{
    return (u16)(host[2 * index] << 8 | host[2 * index + 1]);
}

/* Fills the entry of word `index` of a page; which of the forms it is. */
u8 fast_decode(struct entry *e, const struct code *code, u32 index);
/* Iterations of the block instruction between two of whose the processor is, as many as have a
 * short way and end no later than the clock `until`; none or more. */
void fast_block(struct z8000_fast *f, u64 until);
/* The decoded page of an address that has host memory; a new one's entries all go to
 * `undecoded`, its last to `edge`. */
struct code *fast_code(struct z8000_fast *f, u32 number, const void *undecoded,
                       const void *edge);

#endif
