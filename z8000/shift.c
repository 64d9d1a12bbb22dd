/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shifts and rotates, a bit at a time as the chip does them: P/V remembers whether the
 * sign changed at any step, for logical shifts too (the manual leaves that open).
 */
#include "z8000/core.h"

enum {
    CZSV = Z8000_C | Z8000_Z | Z8000_S | Z8000_V,
    /* More steps than a long has bits change nothing more, only the time. */
    STEPS_MOST = 33,
    CLOCKS_PER_BIT = 3,
};

enum { ROTATE_TWICE = 2, ROTATE_RIGHT = 4, ROTATE_CARRY = 8 };

/* One step of RL, RR, RLC or RRC; `carry` is 0 or 1. */
static u32 rotate_once(unsigned how, unsigned size, u32 value, u32 *carry)
{
    u32 sign = sign_bit(size), out = how & ROTATE_RIGHT ? value & 1 : (value & sign) != 0;
    u32 in = how & ROTATE_CARRY ? *carry : out;

    *carry = out;
    if (how & ROTATE_RIGHT)
        return value >> 1 | (in ? sign : 0);
    return (value << 1 | in) & size_mask(size);
}

bool run_rotate(struct z8000 *c)
{
    unsigned size = row_of(c)->size, how = field_lo(c), flags = 0;
    u32 value = reg_get(c, size, field_hi(c)), carry = c->fcw & Z8000_C ? 1 : 0;

    for (unsigned left = how & ROTATE_TWICE ? 2 : 1; left; left--) {
        u32 next = rotate_once(how, size, value, &carry);

        if ((next ^ value) & sign_bit(size))
            flags |= Z8000_V;
        value = next;
    }
    reg_put(c, size, field_hi(c), value);
    set_flags(c, CZSV, flags | flags_zs(value, size) | (carry ? Z8000_C : 0u));
    return true;
}

/* Shifts register bits 7-4 left by `count`, right where it is negative. */
static void shift(struct z8000 *c, unsigned size, bool arithmetic, int count)
{
    u32 value = reg_get(c, size, field_hi(c)), sign = sign_bit(size), out = 0;
    unsigned bits = (unsigned)(count < 0 ? -count : count), flags = 0;
    unsigned affected = bits == 0 && size == SIZE_L ? CZSV & ~Z8000_C : CZSV;

    c->u.clocks += CLOCKS_PER_BIT * bits;
    for (unsigned left = MIN(bits, (unsigned)STEPS_MOST); left; left--) {
        u32 next;

        out = count < 0 ? value & 1 : (value & sign) != 0;
        next = count < 0 ? value >> 1 | (arithmetic ? value & sign : 0)
                         : value << 1 & size_mask(size);
        if ((next ^ value) & sign)
            flags |= Z8000_V;
        value = next;
    }
    reg_put(c, size, field_hi(c), value);
    set_flags(c, affected, flags | flags_zs(value, size) | (out ? Z8000_C : 0u));
}

/* The count is in the instruction; byte forms look at its low byte only. */
bool run_shift(struct z8000 *c)
{
    const struct row *row = row_of(c);
    u16 word = c->u.word[1];

    shift(c, row->size, row->arg != 0, row->size == SIZE_B ? (s8)word : (s16)word);
    return true;
}

bool run_shift_dynamic(struct z8000 *c)
{
    const struct row *row = row_of(c);

    shift(c, row->size, row->arg != 0, (s16)c->r[second_reg(c)]);
    return true;
}

/* RLDB and RRDB (arg 1): three digits rotate, one of them the link's low one. */
bool run_digit(struct z8000 *c)
{
    u32 link = reg_get(c, SIZE_B, field_lo(c)), src = reg_get(c, SIZE_B, field_hi(c));
    bool right = row_of(c)->arg != 0;
    u32 new_link = (link & 0xf0) | (right ? src & 15 : src >> 4);
    u32 new_src = right ? (link & 15) << 4 | src >> 4 : (src << 4 & 0xf0) | (link & 15);

    reg_put(c, SIZE_B, field_hi(c), new_src);
    reg_put(c, SIZE_B, field_lo(c), new_link);
    set_flags(c, Z8000_Z | Z8000_S, flags_zs(new_link, SIZE_B));
    return true;
}
