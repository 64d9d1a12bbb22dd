/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's side of extended instructions with FCW.EPA set: it makes the addresses
 * and the transactions, an extended processing unit on the bus makes the data. Where none
 * is attached a read brings what the owner of the bus answers, and a write carries FFFF.
 */
#include "z8000/core.h"

enum {
    UNDRIVEN = 0xffff,
    CLOCKS_PER_WORD = 3,
    CLOCKS_PER_TRANSFER = 4,
    TO_MEMORY = 8, /* bit 3 of the first word: the EPU is the source */
};

/* A stack pointer's references say so, as they do without an EPU. */
static u8 memory_status(const struct z8000 *c)
{
    return c->u.status == Z8000_ST_STACK ? Z8000_ST_EPU_STACK : Z8000_ST_EPU_DATA;
}

static unsigned words(const struct z8000 *c)
{
    return (c->u.word[1] & 15u) + 1;
}

bool run_epu_memory(struct z8000 *c)
{
    for (; c->u.phase < words(c); c->u.phase++) {
        u16 offset = (u16)(c->u.offset + 2 * c->u.phase), data;
        bool done = c->u.word[0] & TO_MEMORY
                        ? bus_write(c, memory_status(c), c->u.segment, offset, false, UNDRIVEN)
                        : bus_read(c, memory_status(c), c->u.segment, offset, false, &data);

        if (!done)
            return false;
    }
    c->u.clocks += CLOCKS_PER_WORD * words(c);
    return true;
}

/* Between the EPU and the processor's own registers. */
bool run_epu_registers(struct z8000 *c)
{
    for (; c->u.phase < words(c); c->u.phase++) {
        u16 *reg = &c->r[(second_reg(c) + c->u.phase) & 15];
        bool done = c->u.word[0] & 8 ? bus_write(c, Z8000_ST_EPU_TRANSFER, 0, 0, false, *reg)
                                     : bus_read(c, Z8000_ST_EPU_TRANSFER, 0, 0, false, reg);

        if (!done)
            return false;
    }
    c->u.clocks += CLOCKS_PER_TRANSFER * words(c);
    return true;
}

/* LDB between the flag byte and the EPU. */
bool run_epu_flags(struct z8000 *c)
{
    u16 data;

    if (c->u.word[0] & 8)
        return bus_write(c, Z8000_ST_EPU_TRANSFER, 0, 0, true, c->fcw & 0xfc);
    if (!bus_read(c, Z8000_ST_EPU_TRANSFER, 0, 0, true, &data))
        return false;
    set_flags(c, 0xfc, data);
    return true;
}

bool run_epu_internal(struct z8000 *c)
{
    c->u.clocks += CLOCKS_PER_TRANSFER * words(c);
    return true;
}
