/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Block moves, compares, translations and block I/O. A call of a handler is one iteration;
 * a repeating form ends its step after each with the PC back at the instruction, so that a
 * request can come between two iterations, and goes on without fetching again.
 */
#include "z8000/core.h"

enum { DOWN = 1, SPECIAL = 2 };

static int pointer_move(const struct z8000 *c)
{
    const struct row *row = row_of(c);
    int by = row->size == SIZE_B ? 1 : 2;

    return row->arg & DOWN ? -by : by;
}

static bool read_at(struct z8000 *c, unsigned n, u16 *data)
{
    return bus_read(c, pointer_status(c, n), pointer_segment(c, n), c->r[pointer_reg(c, n)],
                    row_of(c)->size == SIZE_B, data);
}

static bool write_at(struct z8000 *c, unsigned n, u16 data)
{
    return bus_write(c, pointer_status(c, n), pointer_segment(c, n), c->r[pointer_reg(c, n)],
                     row_of(c)->size == SIZE_B, data);
}

/* Counts the iteration; true when the count has run out. */
static bool count_down(struct z8000 *c)
{
    u16 *count = &c->r[second_reg(c)];

    c->iterations++;
    *count = (u16)(*count - 1);
    return *count == 0;
}

/* Ends the step with more iterations to come. */
static void again(struct z8000 *c)
{
    c->u.next = c->pc;
    c->pc = c->u.start;
    c->u.repeating = 1;
    stage_go(c, STAGE_REST);
}

/* For the forms whose second word says whether they repeat (0) or not (8). */
static void end_transfer(struct z8000 *c)
{
    bool over = count_down(c);

    set_flags(c, Z8000_Z | Z8000_V, over ? Z8000_Z | Z8000_V : 0);
    if (!over && !(c->u.word[1] & 8))
        again(c);
}

static bool repeats(const struct z8000 *c)
{
    return (c->u.word[0] & 4) != 0;
}

bool run_ldi(struct z8000 *c)
{
    unsigned dst = second_mid(c), src = field_hi(c);

    if (c->u.phase == 0) {
        if (!read_at(c, src, &c->u.frame[0]))
            return false;
        c->u.phase = 1;
    }
    if (!write_at(c, dst, c->u.frame[0]))
        return false;
    pointer_step(c, dst, pointer_move(c));
    pointer_step(c, src, pointer_move(c));
    end_transfer(c);
    return true;
}

/* C and S stay as the comparison left them; Z is the condition, V the end of the count. */
static void end_compare(struct z8000 *c, u32 dst, u32 src)
{
    bool match, over;

    alu_compute(c, ALU_CP, row_of(c)->size, dst, src);
    match = condition(c->fcw, c->u.word[1] & 15);
    over = count_down(c);
    set_flags(c, Z8000_Z | Z8000_V, (match ? Z8000_Z : 0u) | (over ? Z8000_V : 0u));
    if (repeats(c) && !match && !over)
        again(c);
}

bool run_cpi(struct z8000 *c)
{
    u16 src;

    if (!read_at(c, field_hi(c), &src))
        return false;
    pointer_step(c, field_hi(c), pointer_move(c));
    end_compare(c, reg_get(c, row_of(c)->size, second_mid(c)), src);
    return true;
}

bool run_cpsi(struct z8000 *c)
{
    u16 dst;

    if (c->u.phase == 0) {
        if (!read_at(c, field_hi(c), &c->u.frame[0]))
            return false;
        c->u.phase = 1;
    }
    if (!read_at(c, second_mid(c), &dst))
        return false;
    pointer_step(c, second_mid(c), pointer_move(c));
    pointer_step(c, field_hi(c), pointer_move(c));
    end_compare(c, dst, c->u.frame[0]);
    return true;
}

/* The string's byte (phase 0) and what the table has for it (phase 1), in frame[1]. */
static bool translate(struct z8000 *c)
{
    unsigned table = second_mid(c);

    if (c->u.phase == 0) {
        if (!read_at(c, field_hi(c), &c->u.frame[0]))
            return false;
        c->u.phase = 1;
    }
    if (c->u.phase == 1) {
        u16 offset = (u16)(c->r[pointer_reg(c, table)] + c->u.frame[0]);

        if (!bus_read(c, pointer_status(c, table), pointer_segment(c, table), offset, true,
                      &c->u.frame[1]))
            return false;
        c->u.phase = 2;
    }
    return true;
}

enum { RH1 = 1 };

/* The chip loads RH1 before it stores: a pointer in R1 (which the manual forbids) has
 * changed by then. */
bool run_translate(struct z8000 *c)
{
    bool over;

    if (!translate(c))
        return false;
    if (c->u.phase == 2) {
        reg_put(c, SIZE_B, RH1, c->u.frame[1]);
        c->u.phase = 3;
    }
    if (!write_at(c, field_hi(c), c->u.frame[1]))
        return false;
    pointer_step(c, field_hi(c), pointer_move(c));
    over = count_down(c);
    set_flags(c, Z8000_V, over ? Z8000_V : 0);
    if (repeats(c) && !over)
        again(c);
    return true;
}

/* Stops at the first byte that the table translates to something. TRTDB alone loads RH1
 * after the pointer has moved. */
bool run_translate_test(struct z8000 *c)
{
    bool zero, over, late = (row_of(c)->arg & DOWN) && !repeats(c);

    if (!translate(c))
        return false;
    if (!late)
        reg_put(c, SIZE_B, RH1, c->u.frame[1]);
    pointer_step(c, field_hi(c), pointer_move(c));
    if (late)
        reg_put(c, SIZE_B, RH1, c->u.frame[1]);
    zero = c->u.frame[1] == 0;
    over = count_down(c);
    set_flags(c, Z8000_Z | Z8000_V, (zero ? Z8000_Z : 0u) | (over ? Z8000_V : 0u));
    if (repeats(c) && zero && !over)
        again(c);
    return true;
}

static u8 port_status(const struct z8000 *c)
{
    return row_of(c)->arg & SPECIAL ? Z8000_ST_SPECIAL_IO : Z8000_ST_IO;
}

bool run_block_in(struct z8000 *c)
{
    if (c->u.phase == 0) {
        if (!bus_read(c, port_status(c), 0, c->r[field_hi(c)], row_of(c)->size == SIZE_B,
                      &c->u.frame[0]))
            return false;
        c->u.phase = 1;
    }
    if (!write_at(c, second_mid(c), c->u.frame[0]))
        return false;
    pointer_step(c, second_mid(c), pointer_move(c));
    end_transfer(c);
    return true;
}

bool run_block_out(struct z8000 *c)
{
    if (c->u.phase == 0) {
        if (!read_at(c, field_hi(c), &c->u.frame[0]))
            return false;
        c->u.phase = 1;
    }
    if (!bus_write(c, port_status(c), 0, c->r[second_mid(c)], row_of(c)->size == SIZE_B,
                   c->u.frame[0]))
        return false;
    pointer_step(c, field_hi(c), pointer_move(c));
    end_transfer(c);
    return true;
}
