/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic, logic, bits and plain moves: results and flags as the silicon makes them,
 * also where the manual says "undefined".
 */
#include "z8000/core.h"

enum {
    CZSV = Z8000_C | Z8000_Z | Z8000_S | Z8000_V,
    ZSV = Z8000_Z | Z8000_S | Z8000_V,
    ZS = Z8000_Z | Z8000_S,
};

static u32 add(struct z8000 *c, unsigned size, u32 dst, u32 src, u32 carry)
{
    u64 wide = (u64)dst + src + carry;
    u32 mask = size_mask(size), sign = sign_bit(size), result = (u32)wide & mask;
    unsigned flags = flags_zs(result, size);

    if (wide > mask)
        flags |= Z8000_C;
    if (~(dst ^ src) & (dst ^ result) & sign)
        flags |= Z8000_V;
    if (size == SIZE_B && (dst & 15) + (src & 15) + carry > 15)
        flags |= Z8000_H;
    set_flags(c, size == SIZE_B ? CZSV | Z8000_DA | Z8000_H : CZSV, flags);
    return result;
}

static u32 subtract(struct z8000 *c, unsigned size, u32 dst, u32 src, u32 borrow,
                    unsigned decimal)
{
    u32 sign = sign_bit(size), result = (dst - src - borrow) & size_mask(size);
    unsigned flags = flags_zs(result, size) | Z8000_DA;

    if ((u64)src + borrow > dst)
        flags |= Z8000_C;
    if ((dst ^ src) & (dst ^ result) & sign)
        flags |= Z8000_V;
    if ((src & 15) + borrow > (dst & 15))
        flags |= Z8000_H;
    set_flags(c, size == SIZE_B ? CZSV | decimal : CZSV, flags);
    return result;
}

static bool parity_even(u32 byte)
{
    return !(__builtin_popcount(byte & 0xff) & 1);
}

/* Z and S, and for bytes the parity in P/V, of a logical result. */
static u32 logical(struct z8000 *c, unsigned size, u32 result)
{
    unsigned flags = flags_zs(result, size) | (parity_even(result) ? Z8000_V : 0u);

    set_flags(c, size == SIZE_B ? ZSV : ZS, flags);
    return result;
}

u32 alu_compute(struct z8000 *c, enum alu op, unsigned size, u32 dst, u32 src)
{
    u32 carry = c->fcw & Z8000_C ? 1 : 0;

    switch (op) {
    case ALU_ADD: return add(c, size, dst, src, 0);
    case ALU_ADC: return add(c, size, dst, src, carry);
    case ALU_SUB: return subtract(c, size, dst, src, 0, Z8000_DA | Z8000_H);
    case ALU_SBC: return subtract(c, size, dst, src, carry, Z8000_DA | Z8000_H);
    case ALU_CP: subtract(c, size, dst, src, 0, 0); return dst;
    case ALU_AND: return logical(c, size, dst & src);
    case ALU_OR: return logical(c, size, dst | src);
    case ALU_XOR: return logical(c, size, dst ^ src);
    case ALU_LD: return src;
    }
    return dst;
}

/* Condition codes 0-7; 8-15 are their opposites. */
static bool condition_low(u16 fcw, unsigned cc)
{
    bool less = !(fcw & Z8000_S) != !(fcw & Z8000_V);

    switch (cc) {
    case 1: return less;
    case 2: return less || (fcw & Z8000_Z);
    case 3: return (fcw & (Z8000_C | Z8000_Z)) != 0;
    case 4: return (fcw & Z8000_V) != 0;
    case 5: return (fcw & Z8000_S) != 0;
    case 6: return (fcw & Z8000_Z) != 0;
    case 7: return (fcw & Z8000_C) != 0;
    default: return false;
    }
}

bool condition(u16 fcw, unsigned cc)
{
    return condition_low(fcw, cc & 7) != (cc >= 8);
}

/* ADD, ADC, SUB, SBC, CP, AND, OR, XOR, LD: register in bits 3-0 and the operand. */
bool run_alu(struct z8000 *c)
{
    const struct row *row = row_of(c);
    u32 dst = reg_get(c, row->size, field_lo(c));

    reg_put(c, row->size, field_lo(c),
            alu_compute(c, (enum alu)row->arg, row->size, dst, c->u.value));
    return true;
}

bool run_load(struct z8000 *c)
{
    reg_put(c, row_of(c)->size, field_lo(c), c->u.value);
    return true;
}

bool run_store(struct z8000 *c)
{
    c->u.result = reg_get(c, row_of(c)->size, field_lo(c));
    return true;
}

bool run_exchange(struct z8000 *c)
{
    unsigned size = row_of(c)->size;

    c->u.result = reg_get(c, size, field_lo(c));
    reg_put(c, size, field_lo(c), c->u.value);
    return true;
}

/* COM. */
bool run_unary(struct z8000 *c)
{
    unsigned size = row_of(c)->size;

    c->u.result = logical(c, size, ~c->u.value & size_mask(size));
    return true;
}

bool run_neg(struct z8000 *c)
{
    c->u.result = subtract(c, row_of(c)->size, 0, c->u.value, 0, 0);
    return true;
}

/* TEST; TESTL leaves P/V like the word form. */
bool run_test(struct z8000 *c)
{
    logical(c, row_of(c)->size, c->u.value);
    return true;
}

bool run_clear(struct z8000 *c)
{
    c->u.result = 0;
    return true;
}

bool run_tset(struct z8000 *c)
{
    unsigned size = row_of(c)->size;

    set_flags(c, Z8000_S, flags_zs(c->u.value, size));
    c->u.result = size_mask(size);
    return true;
}

/* INC and DEC by 1-16; arg is ALU_ADD or ALU_SUB. Carry, DA and H stay. */
bool run_step_by(struct z8000 *c)
{
    const struct row *row = row_of(c);
    u16 kept = c->fcw & (Z8000_C | Z8000_DA | Z8000_H);

    c->u.result = alu_compute(c, (enum alu)row->arg, row->size, c->u.value, field_lo(c) + 1);
    set_flags(c, Z8000_C | Z8000_DA | Z8000_H, kept);
    return true;
}

enum { BIT_RES, BIT_SET, BIT_TEST };

static void bit(struct z8000 *c, u32 mask)
{
    switch (row_of(c)->arg) {
    case BIT_RES: c->u.result = c->u.value & ~mask; break;
    case BIT_SET: c->u.result = c->u.value | mask; break;
    default: set_flags(c, Z8000_Z, c->u.value & mask ? 0 : Z8000_Z); break;
    }
}

bool run_bit(struct z8000 *c)
{
    bit(c, 1u << (row_of(c)->size == SIZE_B ? field_lo(c) & 7 : field_lo(c)));
    return true;
}

/* The bit's number is in a register, the operand in the register of the second word. */
bool run_bit_dynamic(struct z8000 *c)
{
    const struct row *row = row_of(c);
    unsigned number = c->r[field_lo(c)] & (row->size == SIZE_B ? 7u : 15u);

    c->u.value = reg_get(c, row->size, second_reg(c));
    c->u.result = c->u.value;
    bit(c, 1u << number);
    reg_put(c, row->size, second_reg(c), c->u.result);
    return true;
}

/* The immediate that follows the operand's address. */
static u32 trailing_immediate(const struct z8000 *c, unsigned size)
{
    u16 word = c->u.word[c->u.count - 1];

    return size == SIZE_B ? word & 0xff : word;
}

bool run_compare_immediate(struct z8000 *c)
{
    unsigned size = row_of(c)->size;

    alu_compute(c, ALU_CP, size, c->u.value, trailing_immediate(c, size));
    return true;
}

bool run_load_immediate(struct z8000 *c)
{
    c->u.result = trailing_immediate(c, row_of(c)->size);
    return true;
}

/* Exact on silicon for all 2048 inputs: two steps of eight bits each. */
bool run_dab(struct z8000 *c)
{
    u32 value = reg_get(c, SIZE_B, field_hi(c)), result = value;
    bool down = (c->fcw & Z8000_DA) != 0;
    unsigned carry = c->fcw & Z8000_C;

    if ((c->fcw & Z8000_H) || (value & 15) > 9)
        result = (down ? result - 6 : result + 6) & 0xff;
    if (carry || result > 0x9f) {
        result = (down ? result - 0x60 : result + 0x60) & 0xff;
        carry = Z8000_C;
    }
    reg_put(c, SIZE_B, field_hi(c), result);
    set_flags(c, Z8000_C | ZS, carry | flags_zs(result, SIZE_B));
    return true;
}

/* EXTSB, EXTS, EXTSL: `size` is that of the result's lower half. */
bool run_extend(struct z8000 *c)
{
    unsigned n = field_hi(c);

    switch (row_of(c)->size) {
    case SIZE_B: c->r[n] = (u16)(s16)(s8)c->r[n]; break;
    case SIZE_W: c->r[n & 14] = c->r[n | 1] & 0x8000 ? 0xffff : 0; break;
    default:
        n &= 12;
        c->r[n] = c->r[n + 1] = c->r[n + 2] & 0x8000 ? 0xffff : 0;
        break;
    }
    return true;
}

bool run_tcc(struct z8000 *c)
{
    unsigned size = row_of(c)->size, n = field_hi(c);

    if (condition(c->fcw, field_lo(c)))
        reg_put(c, size, n, reg_get(c, size, n) | 1);
    return true;
}

/* LDK. */
bool run_load_nibble(struct z8000 *c)
{
    c->r[field_hi(c)] = (u16)field_lo(c);
    return true;
}

/* LDB Rb,#data in one word. */
bool run_load_byte(struct z8000 *c)
{
    reg_put(c, SIZE_B, c->u.word[0] >> 8 & 15, c->u.word[0] & 0xff);
    return true;
}
