/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The speed bench. See speed.h.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/bench/speed.h"
#include "z8000/fast.h"

enum { MEMORY = 1 << 23, CODE_SEGMENT = 2, DATA_SEGMENT = 3 };

static bool bus(void *owner, struct z8000_cycle *c)
{
    u8 *memory = owner;
    u32 at = (u32)c->segment << 16 | c->offset;

    if (c->byte) {
        if (c->write)
            memory[at] = (u8)c->data;
        else
            c->data = memory[at];
        return true;
    }
    at &= ~1u;
    if (c->write) {
        memory[at] = (u8)(c->data >> 8);
        memory[at + 1] = (u8)c->data;
    } else {
        c->data = (u16)(memory[at] << 8 | memory[at + 1]);
    }
    return true;
}

static void run_fast(struct z8000 *c, u8 *memory, u64 clocks)
{
    struct z8000_fast *f = calloc(1, z8000_fast_size());

    if (!f)
        return;
    z8000_fast_init(f, c);
    for (u32 number = 0; number < Z8000_FAST_PAGES; number++)
        z8000_fast_map(f, number, memory + (size_t)number * Z8000_FAST_PAGE,
                       memory + (size_t)number * Z8000_FAST_PAGE);
    z8000_fast_run(f, clocks);
    free(f);
}

static u32 check(const struct z8000 *c, const u8 *memory)
{
    u32 sum = c->fcw + c->pc;

    for (unsigned i = 0; i < 16; i++)
        sum = sum * 31 + c->r[i];
    for (u32 i = 0; i < 0x10000; i++)
        sum = sum * 31 + memory[(DATA_SEGMENT << 16) + i];
    return sum;
}

struct speed speed_run(const struct z8000_table *table, const u8 *code, size_t length,
                       u16 entry, u64 clocks, bool fast)
{
    u8 *memory = calloc(1, MEMORY);
    struct speed s = {0};
    struct z8000 c;

    if (!memory)
        return s;
    memcpy(memory + (CODE_SEGMENT << 16), code, MIN(length, (size_t)0x10000));
    z8000_init(&c, false, table, bus, memory);
    z8000_set_fcw(&c, Z8000_SEG);
    c.segment = CODE_SEGMENT;
    c.pc = entry;
    c.r[14] = DATA_SEGMENT << 8;
    c.r[15] = 0xfff0;
    if (fast)
        run_fast(&c, memory, clocks);
    else
        for (; c.clocks < clocks; s.instructions++)
            z8000_step(&c);
    s.clocks = c.clocks;
    s.check = check(&c, memory);
    free(memory);
    return s;
}
