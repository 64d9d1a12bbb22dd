/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps, calls, the stack, addresses and LDM: the instructions whose references go beyond
 * one operand. Those that make several count them in u.phase, and move the stack pointer
 * with each, as the chip does.
 */
#include "z8000/core.h"

enum {
    CLOCKS_NOT_TAKEN = 7,
    CLOCKS_PER_WORD = 3,
};

static bool push_word(struct z8000 *c, unsigned n, u16 data)
{
    unsigned reg = pointer_reg(c, n);
    u16 offset = (u16)(c->r[reg] - 2);

    if (!bus_write(c, pointer_status(c, n), pointer_segment(c, n), offset, false, data))
        return false;
    c->r[reg] = offset;
    return true;
}

static bool pop_word(struct z8000 *c, unsigned n, u16 *data)
{
    unsigned reg = pointer_reg(c, n);

    if (!bus_read(c, pointer_status(c, n), pointer_segment(c, n), c->r[reg], false, data))
        return false;
    c->r[reg] = (u16)(c->r[reg] + 2);
    return true;
}

/* R15 or RR14, as the implied stack pointer. */
static unsigned stack_pointer(const struct z8000 *c)
{
    return segmented(c) ? 14 : 15;
}

bool push_pc(struct z8000 *c)
{
    unsigned words = segmented(c) ? 2 : 1;

    for (; c->u.phase < words; c->u.phase++) {
        u16 word = c->u.phase ? segment_word(c) : c->pc;

        if (!push_word(c, stack_pointer(c), word))
            return false;
    }
    return true;
}

/* The low word goes first: every push moves downwards. */
bool run_push(struct z8000 *c)
{
    unsigned parts = row_of(c)->size == SIZE_L ? 2 : 1;

    for (; c->u.phase < parts; c->u.phase++)
        if (!push_word(c, field_hi(c), (u16)(c->u.value >> (16 * c->u.phase))))
            return false;
    return true;
}

bool run_pop(struct z8000 *c)
{
    unsigned parts = row_of(c)->size == SIZE_L ? 2 : 1;

    for (; c->u.phase < parts; c->u.phase++) {
        u16 word;

        if (!pop_word(c, field_hi(c), &word))
            return false;
        c->u.result = (c->u.phase ? c->u.result << 16 : 0) | word;
    }
    return true;
}

static void go_to_operand(struct z8000 *c)
{
    bool pointer = row_of(c)->mode == MODE_IR;

    if (segmented(c))
        segment_load(c, pointer ? c->r[field_hi(c) & 14] : c->u.word[c->u.at_address]);
    c->pc = c->u.offset;
}

bool run_call(struct z8000 *c)
{
    if (!push_pc(c))
        return false;
    go_to_operand(c);
    return true;
}

bool run_calr(struct z8000 *c)
{
    int words = (s16)(c->u.word[0] << 4) >> 4;

    if (!push_pc(c))
        return false;
    c->pc = (u16)(c->pc - 2 * words);
    return true;
}

bool run_ret(struct z8000 *c)
{
    unsigned words = segmented(c) ? 2 : 1;

    if (!condition(c->fcw, field_lo(c))) {
        c->u.clocks = c->u.clocks - row_of(c)->clocks[segmented(c)] + CLOCKS_NOT_TAKEN;
        return true;
    }
    for (; c->u.phase < words; c->u.phase++)
        if (!pop_word(c, stack_pointer(c), &c->u.frame[c->u.phase]))
            return false;
    if (words == 2)
        segment_load(c, c->u.frame[0]);
    c->pc = c->u.frame[words - 1];
    return true;
}

bool run_jump(struct z8000 *c)
{
    const struct row *row = row_of(c);

    if (condition(c->fcw, field_lo(c)))
        go_to_operand(c);
    else if (row->mode == MODE_IR)
        c->u.clocks = c->u.clocks - row->clocks[segmented(c)] + CLOCKS_NOT_TAKEN;
    return true;
}

bool run_jr(struct z8000 *c)
{
    if (condition(c->fcw, c->u.word[0] >> 8 & 15))
        c->pc = (u16)(c->pc + 2 * (s8)c->u.word[0]);
    return true;
}

/* DJNZ, and DBJNZ where bit 7 is clear. */
bool run_djnz(struct z8000 *c)
{
    unsigned size = c->u.word[0] & 0x80 ? SIZE_W : SIZE_B, n = c->u.word[0] >> 8 & 15;
    u32 left = (reg_get(c, size, n) - 1) & size_mask(size);

    reg_put(c, size, n, left);
    if (left)
        c->pc = (u16)(c->pc - 2 * (c->u.word[0] & 0x7f));
    return true;
}

/* Segmented, the upper word is the raw first address word of the instruction, that of the
 * PC, or made up from a register's segment. */
bool run_lda(struct z8000 *c)
{
    const struct row *row = row_of(c);
    bool direct = row->mode == MODE_DA || row->mode == MODE_X;
    u32 upper = direct                 ? c->u.word[c->u.at_address]
                : row->mode == MODE_RA ? segment_word(c)
                                       : 0x8000u | (u32)c->u.segment << 8;

    if (segmented(c))
        reg_put(c, SIZE_L, field_lo(c), upper << 16 | c->u.offset);
    else
        c->r[field_lo(c)] = c->u.offset;
    return true;
}

static unsigned ldm_count(const struct z8000 *c)
{
    return (c->u.word[1] & 15u) + 1;
}

bool run_ldm_load(struct z8000 *c)
{
    for (; c->u.phase < ldm_count(c); c->u.phase++) {
        u16 *reg = &c->r[(second_reg(c) + c->u.phase) & 15];

        if (!bus_read(c, c->u.status, c->u.segment, (u16)(c->u.offset + 2 * c->u.phase), false,
                      reg))
            return false;
    }
    c->u.clocks += CLOCKS_PER_WORD * ldm_count(c);
    return true;
}

bool run_ldm_store(struct z8000 *c)
{
    for (; c->u.phase < ldm_count(c); c->u.phase++) {
        u16 data = c->r[(second_reg(c) + c->u.phase) & 15];

        if (!bus_write(c, c->u.status, c->u.segment, (u16)(c->u.offset + 2 * c->u.phase), false,
                       data))
            return false;
    }
    c->u.clocks += CLOCKS_PER_WORD * ldm_count(c);
    return true;
}
