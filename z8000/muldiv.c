/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MULT, MULTL, DIV, DIVL: signed, with the overflow cases of division that the chip tells
 * apart and the clocks that depend on the operands.
 */
#include "z8000/core.h"

enum { CZSV = Z8000_C | Z8000_Z | Z8000_S | Z8000_V };

/* Clocks saved or added, relative to the table's, which are the usual case's. */
enum {
    MULT_ZERO = 70 - 18,
    MULTL_ZERO = 282 - 30,
    MULTL_ONE = 7,
    DIV_ZERO = 107 - 13,
    DIV_LARGE = 107 - 25,
    DIVL_ZERO = 744 - 30,
    DIVL_LARGE = 744 - 51,
};

static u64 quad_get(const struct z8000 *c, unsigned n)
{
    return (u64)reg_get(c, SIZE_L, n & 12) << 32 | reg_get(c, SIZE_L, (n & 12) + 2);
}

static void quad_put(struct z8000 *c, unsigned n, u64 value)
{
    reg_put(c, SIZE_L, n & 12, (u32)(value >> 32));
    reg_put(c, SIZE_L, (n & 12) + 2, (u32)value);
}

static unsigned product_flags(s64 product, bool fits)
{
    return (product == 0 ? Z8000_Z : 0u) | (product < 0 ? Z8000_S : 0u) | (fits ? 0u : Z8000_C);
}

static void mult_word(struct z8000 *c)
{
    unsigned n = field_lo(c) & 14;
    s32 product = (s16)c->r[n + 1] * (s16)c->u.value;

    reg_put(c, SIZE_L, n, (u32)product);
    set_flags(c, CZSV, product_flags(product, product == (s16)product));
    if ((c->u.value & 0xffff) == 0)
        c->u.clocks -= MULT_ZERO;
}

/* Without the compiler's library, which a domain does not have. */
static u32 ones(u32 bits)
{
    u32 count = 0;

    for (; bits; bits &= bits - 1)
        count++;
    return count;
}

static void mult_long(struct z8000 *c)
{
    unsigned n = field_lo(c) & 12;
    s32 multiplicand = (s32)reg_get(c, SIZE_L, n + 2);
    s64 product = (s64)multiplicand * (s32)c->u.value;
    u32 magnitude = multiplicand < 0 ? 0u - (u32)multiplicand : (u32)multiplicand;

    quad_put(c, n, (u64)product);
    set_flags(c, CZSV, product_flags(product, product == (s32)product));
    if (c->u.value == 0)
        c->u.clocks -= MULTL_ZERO;
    else
        c->u.clocks += MULTL_ONE * ones(magnitude & 0xffff);
}

bool run_mult(struct z8000 *c)
{
    if (row_of(c)->size == SIZE_L)
        mult_long(c);
    else
        mult_word(c);
    return true;
}

enum outcome { FITS, BY_ZERO, ONE_BIT_OVER, TOO_LARGE };

struct division {
    u64 quotient, remainder; /* two's complement */
    bool negative;           /* the quotient */
};

/* Divides by magnitudes, so that no quotient is out of range for us. `bits` is 16 or 32. */
static enum outcome divide(s64 dividend, s32 divisor, unsigned bits, struct division *d)
{
    u64 a = dividend < 0 ? 0u - (u64)dividend : (u64)dividend;
    u64 b = divisor < 0 ? 0u - (u64)divisor : (u64)divisor;
    u64 q, limit = (u64)1 << (bits - 1);

    if (b == 0)
        return BY_ZERO;
    q = a / b;
    d->negative = q && (dividend < 0) != (divisor < 0);
    d->quotient = d->negative ? 0u - q : q;
    d->remainder = dividend < 0 ? 0u - a % b : a % b;
    if (q < limit || (d->negative && q == limit))
        return FITS;
    return q < 2 * limit ? ONE_BIT_OVER : TOO_LARGE;
}

static enum outcome div_word(struct z8000 *c, struct division *d)
{
    unsigned n = field_lo(c) & 14;
    enum outcome outcome = divide((s32)reg_get(c, SIZE_L, n), (s16)c->u.value, 16, d);

    if (outcome == FITS || outcome == ONE_BIT_OVER) {
        c->r[n] = (u16)d->remainder;
        c->r[n + 1] = (u16)d->quotient;
    }
    c->u.clocks -= outcome == BY_ZERO ? DIV_ZERO : outcome == TOO_LARGE ? DIV_LARGE : 0u;
    return outcome;
}

static enum outcome div_long(struct z8000 *c, struct division *d)
{
    unsigned n = field_lo(c) & 12;
    enum outcome outcome = divide((s64)quad_get(c, n), (s32)c->u.value, 32, d);

    if (outcome == FITS || outcome == ONE_BIT_OVER) {
        reg_put(c, SIZE_L, n, (u32)d->remainder);
        reg_put(c, SIZE_L, n + 2, (u32)d->quotient);
    }
    c->u.clocks -= outcome == BY_ZERO ? DIVL_ZERO : outcome == TOO_LARGE ? DIVL_LARGE : 0u;
    return outcome;
}

bool run_div(struct z8000 *c)
{
    struct division d = {0};
    enum outcome outcome = row_of(c)->size == SIZE_L ? div_long(c, &d) : div_word(c, &d);
    unsigned sign = d.negative ? Z8000_S : 0u, flags = Z8000_V;

    switch (outcome) {
    case FITS: flags = sign | (d.quotient == 0 ? Z8000_Z : 0u); break;
    case BY_ZERO: flags |= Z8000_Z; break;
    case ONE_BIT_OVER: flags |= Z8000_C | sign; break;
    case TOO_LARGE: break;
    }
    set_flags(c, CZSV, flags);
    return true;
}
