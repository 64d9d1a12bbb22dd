/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A processor on a bench: memory of all 128 segments, a log of its bus, and WAIT at chosen
 * transactions. Writes are remembered, so that a run can be taken back and made again.
 */
#ifndef TESTS_Z8000_BENCH_H
#define TESTS_Z8000_BENCH_H

#include "base/keyed.h"
#include "tests/check.h"
#include "z8000/z8000.h"

enum { BENCH_LOG = 4096, HOLD_NONE = -1, HOLD_ALL = -2 };

struct bench {
    struct z8000 cpu;
    struct z8000_table *table;
    u8 *memory;
    struct z8000_cycle log[BENCH_LOG];
    u32 undo_at[BENCH_LOG];
    u8 undo[BENCH_LOG];
    size_t logged, undone;
    int hold;        /* number of the transaction to hold once, or HOLD_... */
    bool held;       /* the one now presented was held before */
    u64 seed, reads; /* what ports and undriven reads answer */
};

static inline void bench_store(struct bench *b, u32 at, u8 byte)
{
    if (b->undone < BENCH_LOG) {
        b->undo_at[b->undone] = at;
        b->undo[b->undone++] = b->memory[at];
    }
    b->memory[at] = byte;
}

static inline void bench_transfer(struct bench *b, struct z8000_cycle *c)
{
    u32 at = (u32)c->segment << 16 | c->offset;

    if (c->status < Z8000_ST_DATA || c->status == Z8000_ST_EPU_TRANSFER) {
        if (!c->write)
            c->data = (u16)keyed_random(b->seed, 1, b->reads++);
    } else if (c->write) {
        if (c->byte) {
            bench_store(b, at, (u8)c->data);
        } else {
            bench_store(b, at & ~1u, (u8)(c->data >> 8));
            bench_store(b, at | 1, (u8)c->data);
        }
    } else {
        if (c->byte)
            c->data = b->memory[at];
        else
            c->data = (u16)(b->memory[at & ~1u] << 8 | b->memory[at | 1]);
    }
}

static bool bench_bus(void *owner, struct z8000_cycle *c)
{
    struct bench *b = owner;
    bool wanted = b->hold == HOLD_ALL || b->hold == (int)b->logged;

    if (wanted && !b->held) {
        b->held = true;
        return false;
    }
    b->held = false;
    bench_transfer(b, c);
    if (b->logged < BENCH_LOG)
        b->log[b->logged] = *c;
    b->logged++;
    return true;
}

static inline void bench_open(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->table = z8000_table_init(malloc(z8000_table_size()));
    b->memory = calloc(1, 1 << 23);
    b->hold = HOLD_NONE;
}

static inline void bench_close(struct bench *b)
{
    free(b->table);
    free(b->memory);
}

static inline void bench_cpu(struct bench *b, bool z8002)
{
    z8000_init(&b->cpu, z8002, b->table, bench_bus, b);
    b->logged = b->undone = 0;
    b->reads = 0;
    b->held = false;
}

static inline void bench_word(struct bench *b, u32 at, u16 word)
{
    b->memory[at & ~1u] = (u8)(word >> 8);
    b->memory[at | 1] = (u8)word;
}

static inline void bench_undo(struct bench *b)
{
    CHECK(b->undone < BENCH_LOG);
    while (b->undone) {
        b->undone--;
        b->memory[b->undo_at[b->undone]] = b->undo[b->undone];
    }
}

#endif
