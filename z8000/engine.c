/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A step as a sequence of stages: accept a request, fetch the instruction's words, read
 * the operand, run the handler, write the operand. Each stage counts the transactions it
 * has finished, so that one that is held is presented again and none is repeated.
 */
#include "z8000/core.h"

enum {
    CLOCKS_HALTED = 3,
    /* A repeating instruction of n iterations takes 11 + n * (clocks of one - 11). */
    CLOCKS_BLOCK_START = 11,
};

static bool transact(struct z8000 *c, struct z8000_cycle *cycle)
{
    cycle->normal = !(c->fcw & Z8000_SYSTEM);
    return c->bus(c->owner, cycle);
}

bool bus_read(struct z8000 *c, u8 status, u8 segment, u16 offset, bool byte, u16 *data)
{
    struct z8000_cycle cycle = {
        .status = status, .segment = segment, .offset = offset, .byte = byte};

    if (!transact(c, &cycle))
        return false;
    *data = byte ? cycle.data & 0xff : cycle.data;
    return true;
}

bool bus_write(struct z8000 *c, u8 status, u8 segment, u16 offset, bool byte, u16 data)
{
    struct z8000_cycle cycle = {.status = status,
                                .segment = segment,
                                .offset = offset,
                                .data = byte ? data & 0xff : data,
                                .write = true,
                                .byte = byte};

    return transact(c, &cycle);
}

void stage_go(struct z8000 *c, enum stage stage)
{
    c->u.stage = (u8)stage;
    c->u.phase = 0;
}

/* The fetch that was under way when a request was accepted; its word is thrown away. */
static bool stage_aborted(struct z8000 *c)
{
    u16 word;

    if (!bus_read(c, Z8000_ST_FETCH, c->segment, c->pc, false, &word))
        return false;
    stage_go(c, STAGE_ACKNOWLEDGE);
    return true;
}

/* Instruction words beyond the first that the form needs. */
static void decode(struct z8000 *c)
{
    const struct row *row = row_of(c);
    bool address = row->mode == MODE_DA || row->mode == MODE_X;

    c->u.at_address = (u8)(1 + row->before);
    c->u.count = (u8)(1 + row->before + (address ? 1 : 0) + row->after);
    if ((row->flags & PRIVILEGED) && !(c->fcw & Z8000_SYSTEM))
        trap_begin(c, EXCEPTION_PRIVILEGED, c->u.word[0]);
    else if ((row->flags & EXTENDED) && !(c->fcw & Z8000_EPA))
        trap_begin(c, EXCEPTION_EXTENDED, c->u.word[0]);
}

static bool has_address(const struct row *row)
{
    return row->mode == MODE_DA || row->mode == MODE_X;
}

static bool long_address(const struct z8000 *c)
{
    return segmented(c) && (c->u.word[c->u.at_address] & 0x8000);
}

/* The address in the instruction, with the register that indexes it, if any (else -1). */
static void address_operand(struct z8000 *c, int index)
{
    u16 first = c->u.word[c->u.at_address];

    if (!segmented(c)) {
        c->u.segment = c->segment;
        c->u.offset = first;
    } else {
        c->u.segment = first >> 8 & 0x7f;
        c->u.offset = first & 0x8000 ? c->u.word[c->u.at_address + 1] : first & 0xff;
    }
    if (index >= 0)
        c->u.offset = (u16)(c->u.offset + c->r[index]);
}

static void pointer_operand(struct z8000 *c, unsigned n, u16 displacement)
{
    c->u.segment = pointer_segment(c, n);
    c->u.offset = (u16)(c->r[pointer_reg(c, n)] + displacement);
}

/* Where the operand is in memory, its registers as they are before the instruction. */
static void locate(struct z8000 *c, const struct row *row)
{
    unsigned n = operand_field(c, row);

    c->u.status = Z8000_ST_DATA;
    switch (row->mode) {
    case MODE_IR:
        pointer_operand(c, n, 0);
        c->u.status = pointer_status(c, n);
        break;
    case MODE_BA: pointer_operand(c, n, c->u.word[1]); break;
    case MODE_BX: pointer_operand(c, n, c->r[second_reg(c)]); break;
    case MODE_DA: address_operand(c, -1); break;
    case MODE_X: address_operand(c, (int)n); break;
    case MODE_RA:
        c->u.status = Z8000_ST_PROGRAM;
        c->u.segment = c->segment;
        c->u.offset = (u16)(c->pc + c->u.word[1]);
        break;
    default: break;
    }
}

static void words_complete(struct z8000 *c)
{
    const struct row *row = row_of(c);
    unsigned form = !segmented(c) ? 0 : has_address(row) && long_address(c) ? 2 : 1;

    c->u.clocks += row->clocks[form];
    locate(c, row);
    stage_go(c, STAGE_READ);
}

static bool stage_fetch(struct z8000 *c)
{
    while (c->u.fetched < c->u.count) {
        u8 status = c->u.fetched ? Z8000_ST_PROGRAM : Z8000_ST_FETCH;
        u8 at = c->u.fetched;

        if (!bus_read(c, status, c->segment, c->pc, false, &c->u.word[at]))
            return false;
        c->pc = (u16)(c->pc + 2);
        c->u.fetched++;
        if (at == 0)
            decode(c);
        else if (at == c->u.at_address && has_address(row_of(c)) && long_address(c))
            c->u.count++;
        if (c->u.stage != STAGE_FETCH)
            return true;
    }
    words_complete(c);
    return true;
}

static u32 immediate(const struct z8000 *c, const struct row *row)
{
    if (row->size == SIZE_L)
        return (u32)c->u.word[1] << 16 | c->u.word[2];
    return row->size == SIZE_B ? c->u.word[1] & 0xff : c->u.word[1];
}

static bool stage_read(struct z8000 *c)
{
    const struct row *row = row_of(c);
    unsigned parts = row->size == SIZE_L ? 2 : 1;

    if (row->flags & GET) {
        if (row->mode == MODE_R) {
            c->u.value = reg_get(c, row->size, operand_field(c, row));
        } else if (row->mode == MODE_IM) {
            c->u.value = immediate(c, row);
        } else {
            for (; c->u.phase < parts; c->u.phase++) {
                u16 data, offset = (u16)(c->u.offset + 2 * c->u.phase);

                if (!bus_read(c, c->u.status, c->u.segment, offset, row->size == SIZE_B, &data))
                    return false;
                c->u.value = (c->u.phase ? c->u.value << 16 : 0) | data;
            }
        }
    }
    stage_go(c, STAGE_RUN);
    return true;
}

static bool stage_run(struct z8000 *c)
{
    if (!row_of(c)->run(c))
        return false;
    if (c->u.stage == STAGE_RUN)
        stage_go(c, STAGE_WRITE);
    return true;
}

static bool stage_write(struct z8000 *c)
{
    const struct row *row = row_of(c);
    unsigned parts = row->size == SIZE_L ? 2 : 1;

    if (row->flags & PUT) {
        if (row->mode == MODE_R) {
            reg_put(c, row->size, operand_field(c, row), c->u.result);
        } else {
            for (; c->u.phase < parts; c->u.phase++) {
                u16 offset = (u16)(c->u.offset + 2 * c->u.phase);
                u16 data = (u16)(c->u.result >> (16 * (parts - 1 - c->u.phase)));

                if (!bus_write(c, c->u.status, c->u.segment, offset, row->size == SIZE_B, data))
                    return false;
            }
        }
    }
    stage_go(c, STAGE_REST);
    return true;
}

static bool (*const stages[STAGE_COUNT])(struct z8000 *) = {
    [STAGE_RESET] = stage_reset,   [STAGE_ABORTED] = stage_aborted,
    [STAGE_PUSH] = stage_push,     [STAGE_ACKNOWLEDGE] = stage_acknowledge,
    [STAGE_VECTOR] = stage_vector, [STAGE_FETCH] = stage_fetch,
    [STAGE_READ] = stage_read,     [STAGE_RUN] = stage_run,
    [STAGE_WRITE] = stage_write,
};

/* The first stage of a new step; false if the processor stays halted. */
static bool begin(struct z8000 *c)
{
    enum exception which;

    c->u.clocks = 0;
    c->iterations = 0;
    if (trap_accept(c, &which)) {
        c->halted = false;
        c->u.repeating = 0; /* the PC is that of the block instruction itself */
        trap_begin(c, which, 0);
    } else if (c->halted) {
        c->clocks += CLOCKS_HALTED;
        return false;
    } else if (c->u.repeating) {
        c->u.repeating = 0;
        c->pc = c->u.next;
        c->u.clocks = row_of(c)->clocks[0] - CLOCKS_BLOCK_START;
        stage_go(c, STAGE_RUN);
    } else {
        instruction_begin(c);
    }
    return true;
}

void instruction_begin(struct z8000 *c)
{
    c->u.start = c->pc;
    c->u.fetched = 0;
    c->u.count = 1;
    c->u.at_address = 0;
    stage_go(c, STAGE_FETCH);
}

enum z8000_result z8000_step(struct z8000 *c)
{
    if (c->u.stage == STAGE_REST && !begin(c))
        return Z8000_HALTED;
    while (c->u.stage != STAGE_REST)
        if (!stages[c->u.stage](c))
            return Z8000_HELD;
    c->clocks += c->u.clocks;
    return Z8000_DONE;
}

bool z8000_busy(const struct z8000 *c)
{
    return c->u.stage != STAGE_REST;
}

bool z8000_repeating(const struct z8000 *c)
{
    return c->u.repeating != 0;
}
