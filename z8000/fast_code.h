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
    FAST_MULT_ZERO = 70 - 18, /* clocks saved by a zero */
};

/* A run is what is gone through without a jump: its clocks are charged where it is entered,
 * and those from an entry on given back if the run is left in front of it. */
struct entry {
    const void *go;
    s32 sum;   /* clocks from here to the end of the run */
    u16 imm;   /* CALR and RET: the page where they go */
    u8 a, b;   /* byte offsets of registers in z8000.r, of a pointer's pair */
    u16 at;    /* CALR and RET: where in that page, as a distance in entries */
    u32 frame; /* CALR: what it pushes, where the segment has bit 15; RET: what it took last */
};

struct code {
    const u8 *host;                     /* the page decoded; NULL: none */
    u32 number, base;                   /* base: of its segment's first page */
    u32 pushed;                         /* the upper byte of return addresses to this segment */
    struct entry entry[FAST_WORDS + 1]; /* the last one leaves the page */
};

struct z8000_fast {
    struct z8000 *cpu;
    z8000_bus *bus;
    void *owner;
    u8 *read[Z8000_FAST_PAGES], *write[Z8000_FAST_PAGES];
    /* A segment's part of these, by the upper byte of an address, whose first bit says nothing. */
    u8 *const *read_of[256], *const *write_of[256];
    u8 *writable[Z8000_FAST_PAGES];          /* as the owner said, whatever is decoded */
    struct entry *decoded[Z8000_FAST_PAGES]; /* of code[]; `away`: not now */
    struct entry away[FAST_WORDS];           /* as of a page, all of which go and look for it */
    u16 hosts[FAST_SETS]; /* decoded pages by their address, to know quickly that one is not */
    struct code code[FAST_SETS];
};

/* clang-format off */
/* The forms with a short way. Each has its place in the table of labels of burst(). */
enum op {
    OP_SLOW, OP_DECODE, OP_EDGE, OP_AWAY, OP_NOP,
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
    OP_CALR, OP_RET, OP_MULT, OP_MULTI, OP_MULT_LOAD, OP_MULT_Q, OP_MULTI_Q, OP_MULT_LOAD_Q,
    /* LD of registers and what follows it. */
    OP_COPY_LOAD, OP_COPY_STORE, OP_COPY_ADD, OP_COPY_ADDI, OP_COPY_SUB, OP_COPY_SUBI,
    OP_COPY_AND, OP_COPY_ANDI, OP_COPY_MULTI_Q, OP_COPY_MULT_LOAD_Q,
    OP_GENERIC,
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

/* Where CALR or RET goes: an even address of the segment that begins with page `base`. */
static inline void fast_go_to(struct entry *e, u32 base, u16 pc)
{
    e->imm = (u16)(base | pc / Z8000_FAST_PAGE);
    e->at = (u16)(pc / 2 % FAST_WORDS * sizeof(struct entry));
}

/* Fills the entries of the run that begins with word `index` of a page, as far as they are not
 * filled; `labels` are the places of the forms. */
void fast_decode(struct code *code, u32 index, const void *const *labels);
/* Iterations of the block instruction between two of whose the processor is, as many as have a
 * short way and end no later than the clock `until`; none or more. */
void fast_block(struct z8000_fast *f, u64 until);
/* The decoded page of an address that has host memory; a new one's entries all go to
 * `undecoded`, its last to `edge`. */
struct code *fast_code(struct z8000_fast *f, u32 number, const void *undecoded,
                       const void *edge);

#endif
