/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IN and OUT by register and by port number, normal and special (arg 1).
 */
#include "z8000/core.h"

static bool in(struct z8000 *c, u16 port, unsigned reg)
{
    const struct row *row = row_of(c);
    u16 data;

    if (!bus_read(c, row->arg ? Z8000_ST_SPECIAL_IO : Z8000_ST_IO, 0, port, row->size == SIZE_B,
                  &data))
        return false;
    reg_put(c, row->size, reg, data);
    return true;
}

static bool out(struct z8000 *c, u16 port, unsigned reg)
{
    const struct row *row = row_of(c);

    return bus_write(c, row->arg ? Z8000_ST_SPECIAL_IO : Z8000_ST_IO, 0, port,
                     row->size == SIZE_B, (u16)reg_get(c, row->size, reg));
}

bool run_in(struct z8000 *c)
{
    return in(c, c->r[field_hi(c)], field_lo(c));
}

bool run_out(struct z8000 *c)
{
    return out(c, c->r[field_hi(c)], field_lo(c));
}

bool run_in_direct(struct z8000 *c)
{
    return in(c, c->u.word[1], field_hi(c));
}

bool run_out_direct(struct z8000 *c)
{
    return out(c, c->u.word[1], field_hi(c));
}
