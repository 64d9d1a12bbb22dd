/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside the core: what a decoded form is, how handlers reach registers, flags and the
 * bus. Handlers are called with all instruction words fetched and the operand read; one
 * that makes transactions itself counts the finished ones in u.phase, and returns false
 * when it is held, to be called again.
 */
#ifndef Z8000_CORE_H
#define Z8000_CORE_H

#include "z8000/z8000.h"

/* Where the operand that bits 7-4 of the first word name is. */
enum mode {
    MODE_NONE,
    MODE_R,
    MODE_IM,
    MODE_IR,
    MODE_DA,
    MODE_X,
    MODE_BA,
    MODE_BX,
    MODE_RA,
};

enum size {
    SIZE_B = 1,
    SIZE_W = 2,
    SIZE_L = 4,
};

enum {
    GET = 1,        /* the operand is read before the handler */
    PUT = 2,        /* u.result is written to the operand after it */
    PRIVILEGED = 4, /* traps in normal mode */
    EXTENDED = 8,   /* traps unless FCW.EPA */
    LOW_FIELD = 16, /* the operand is named by bits 3-0 (PUSH, POP) */
};

typedef bool handler(struct z8000 *c);

struct row {
    u16 value, mask; /* first word; earlier rows win */
    u8 mode, size, flags, arg;
    u8 before, after; /* words before and after the address (or all, without one) */
    u16 clocks[3];    /* nonsegmented, short, long */
    const char *name;
    handler *run;
};

struct z8000_table {
    u16 row[65536]; /* index in the rows */
};

extern const struct row z8000_rows[];
extern const size_t z8000_row_count;

static inline const struct row *row_of(const struct z8000 *c)
{
    return &z8000_rows[c->table->row[c->u.word[0]]];
}

static inline bool segmented(const struct z8000 *c)
{
    return (c->fcw & Z8000_SEG) != 0;
}

/* Fields of the first two instruction words. */
static inline unsigned field_hi(const struct z8000 *c)
{
    return c->u.word[0] >> 4 & 15;
}

static inline unsigned field_lo(const struct z8000 *c)
{
    return c->u.word[0] & 15;
}

static inline unsigned second_reg(const struct z8000 *c)
{
    return c->u.word[1] >> 8 & 15;
}

static inline unsigned second_mid(const struct z8000 *c)
{
    return c->u.word[1] >> 4 & 15;
}

/* The field that names the operand's register, pointer or index. */
static inline unsigned operand_field(const struct z8000 *c, const struct row *row)
{
    return c->u.word[0] >> (row->flags & LOW_FIELD ? 0 : 4) & 15;
}

/* Registers by size. Byte codes 0-7 are the high halves of R0-R7, 8-15 the low halves;
 * long codes name the even register of a pair. */
static inline u32 reg_get(const struct z8000 *c, unsigned size, unsigned n)
{
    if (size == SIZE_W)
        return c->r[n];
    if (size == SIZE_B)
        return n < 8 ? c->r[n] >> 8 : c->r[n - 8] & 0xff;
    return (u32)c->r[n & 14] << 16 | c->r[n | 1];
}

static inline void reg_put(struct z8000 *c, unsigned size, unsigned n, u32 value)
{
    if (size == SIZE_W) {
        c->r[n] = (u16)value;
    } else if (size == SIZE_B) {
        if (n < 8)
            c->r[n] = (u16)((c->r[n] & 0x00ff) | (value & 0xff) << 8);
        else
            c->r[n - 8] = (u16)((c->r[n - 8] & 0xff00) | (value & 0xff));
    } else {
        c->r[n & 14] = (u16)(value >> 16);
        c->r[n | 1] = (u16)value;
    }
}

static inline u32 size_mask(unsigned size)
{
    return size == SIZE_L ? 0xffffffffu : size == SIZE_W ? 0xffffu : 0xffu;
}

static inline u32 sign_bit(unsigned size)
{
    return size == SIZE_L ? 0x80000000u : size == SIZE_W ? 0x8000u : 0x80u;
}

/* Replaces the flags of `mask` by those of `flags`. */
static inline void set_flags(struct z8000 *c, unsigned mask, unsigned flags)
{
    c->fcw = (u16)((c->fcw & ~mask) | (flags & mask));
}

/* Z and S of a value. */
static inline unsigned flags_zs(u32 value, unsigned size)
{
    value &= size_mask(size);
    return (value == 0 ? Z8000_Z : 0u) | (value & sign_bit(size) ? Z8000_S : 0u);
}

/* The PC's segment comes as the upper word of an address and goes back as one: on silicon
 * bit 15 stays as it was loaded, the low byte is lost. */
static inline void segment_load(struct z8000 *c, u16 word)
{
    c->segment = word >> 8 & 0x7f;
    c->bare = !(word & 0x8000);
}

static inline u16 segment_word(const struct z8000 *c)
{
    return (u16)((c->bare ? 0u : 0x8000u) | (unsigned)c->segment << 8);
}

/* An address in a register (pair): the segment as in the pair, or that of the PC. */
static inline u8 pointer_segment(const struct z8000 *c, unsigned n)
{
    return segmented(c) ? c->r[n & 14] >> 8 & 0x7f : c->segment;
}

static inline unsigned pointer_reg(const struct z8000 *c, unsigned n)
{
    return segmented(c) ? n | 1 : n;
}

static inline void pointer_step(struct z8000 *c, unsigned n, int by)
{
    unsigned reg = pointer_reg(c, n);

    c->r[reg] = (u16)(c->r[reg] + by);
}

/* The status of a reference through register n: the stack's if it is the stack pointer. */
static inline u8 pointer_status(const struct z8000 *c, unsigned n)
{
    return pointer_reg(c, n) == 15 ? Z8000_ST_STACK : Z8000_ST_DATA;
}

/* One transaction; false when held. */
bool bus_read(struct z8000 *c, u8 status, u8 segment, u16 offset, bool byte, u16 *data);
bool bus_write(struct z8000 *c, u8 status, u8 segment, u16 offset, bool byte, u16 data);

/* alu.c: results and flags, shared by handlers. `arg` chooses the operation. */
enum alu {
    ALU_ADD,
    ALU_ADC,
    ALU_SUB,
    ALU_SBC,
    ALU_CP,
    ALU_AND,
    ALU_OR,
    ALU_XOR,
    ALU_LD,
};
u32 alu_compute(struct z8000 *c, enum alu op, unsigned size, u32 dst, u32 src);
bool condition(u16 fcw, unsigned cc);

/* flow.c: pushes the PC (offset, then segment) on the implied stack, phase by phase. */
bool push_pc(struct z8000 *c);

/* trap.c. */
enum exception {
    EXCEPTION_RESET,
    EXCEPTION_EXTENDED,
    EXCEPTION_PRIVILEGED,
    EXCEPTION_CALL,
    EXCEPTION_SEGMENT,
    EXCEPTION_NMI,
    EXCEPTION_NVI,
    EXCEPTION_VI,
};
/* Prepares the sequence; `identifier` is known already for internal traps. */
void trap_begin(struct z8000 *c, enum exception which, u16 identifier);
/* The request line to accept now, as an exception; false: none. */
bool trap_accept(const struct z8000 *c, enum exception *which);
bool stage_acknowledge(struct z8000 *c);
bool stage_push(struct z8000 *c);
bool stage_vector(struct z8000 *c);
bool stage_reset(struct z8000 *c);

/* The stages of a step; a step ends in STAGE_REST. */
enum stage {
    STAGE_REST,
    STAGE_RESET,
    STAGE_ABORTED,     /* the fetch a request makes useless */
    STAGE_ACKNOWLEDGE, /* the identifier is read */
    STAGE_PUSH,        /* an exception's frame is written */
    STAGE_VECTOR,      /* its program status is read */
    STAGE_FETCH,
    STAGE_READ,
    STAGE_RUN,
    STAGE_WRITE,
    STAGE_COUNT,
};
void stage_go(struct z8000 *c, enum stage stage);
/* The stage that fetches the next instruction. */
void instruction_begin(struct z8000 *c);

/* Handlers, by the file that holds them. */
handler run_alu, run_unary, run_test, run_neg, run_clear, run_tset, run_load, run_store,
    run_exchange, run_step_by, run_bit, run_bit_dynamic, run_compare_immediate,
    run_load_immediate, run_dab, run_extend, run_tcc, run_load_nibble,
    run_load_byte;                                           /* alu.c */
handler run_mult, run_div;                                   /* muldiv.c */
handler run_rotate, run_shift, run_shift_dynamic, run_digit; /* shift.c */
handler run_push, run_pop, run_call, run_calr, run_ret, run_jump, run_jr, run_djnz, run_lda,
    run_ldm_load, run_ldm_store; /* flow.c */
handler run_ldi, run_cpi, run_cpsi, run_translate, run_translate_test, run_block_in,
    run_block_out;                                      /* block.c */
handler run_in, run_out, run_in_direct, run_out_direct; /* io.c */
handler run_nop, run_flag, run_ldctlb_read, run_ldctlb_write, run_ldctl, run_interrupts,
    run_halt, run_iret, run_ldps, run_sc, run_mbit, run_mreq, run_multi_micro; /* system.c */
handler run_epu_memory, run_epu_registers, run_epu_flags, run_epu_internal;    /* epu.c */

#endif
