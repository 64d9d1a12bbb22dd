/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Iterations of repeating block moves and searches, many at once: those whose bytes lie in
 * host memory on the pages where the pointers stand, all but the last of the instruction.
 * What is left between two of them is what z8000_step leaves, so it may go on from there.
 */
#include "base/memory.h"
#include "z8000/fast_code.h"

enum { BLOCK_START = 11, DOWN = 1, ENDS = 8, REPEATS = 4, CC_EQUAL = 6, CC_UNEQUAL = 14 };

/* Where a pointer stands and how many steps it can make on its page, itself included. */
struct place {
    u8 *at;
    u32 steps;
};

static struct place place(const struct z8000 *c, u8 *const *pages, unsigned reg, u32 size,
                          bool down)
{
    u16 offset = c->r[reg | 1];
    u8 *page = pages[fast_page(c->r[reg & 14] >> 8 & 0x7f, offset)];
    u32 at = offset % Z8000_FAST_PAGE;

    if (!page || (offset & (size - 1)))
        return (struct place){NULL, 0};
    return (struct place){page + at, down ? at / size + 1 : (Z8000_FAST_PAGE - at) / size};
}

/* Whether register n is one of those that a pointer has. */
static bool within(unsigned n, unsigned pointer)
{
    return (n & 14) == (pointer & 14);
}

static void done(struct z8000 *c, u32 n, u32 clocks)
{
    u16 *count = &c->r[second_reg(c)];

    *count = (u16)(*count - n);
    c->clocks += (u64)n * clocks;
}

static void advance(struct z8000 *c, unsigned reg, u32 n, s32 by)
{
    c->r[reg | 1] = (u16)(c->r[reg | 1] + (s32)n * by);
}

/* Unit by unit, as overlapping blocks have to be. */
static void copy(u8 *to, const u8 *from, u32 n, u32 size, s32 by)
{
    u32 bytes = n * size;

    if (by > 0 && (to + bytes <= from || from + bytes <= to)) {
        memcpy(to, from, bytes);
        return;
    }
    for (; n; n--, to += by, from += by) {
        u8 first = from[0];

        if (size == SIZE_W) {
            u8 second = from[1];

            to[1] = second;
        }
        to[0] = first;
    }
}

static void move(struct z8000_fast *f, const struct row *row, u32 most, u32 clocks)
{
    struct z8000 *c = f->cpu;
    unsigned dst = second_mid(c), src = field_hi(c);
    s32 by = row->arg & DOWN ? -(s32)row->size : (s32)row->size;
    struct place from = place(c, f->read, src, row->size, by < 0);
    struct place to = place(c, f->write, dst, row->size, by < 0);
    u32 n = MIN(most, MIN(from.steps, to.steps));

    if (!n || within(src, dst) || within(second_reg(c), src) || within(second_reg(c), dst))
        return;
    copy(to.at, from.at, n, row->size, by);
    advance(c, src, n, by);
    advance(c, dst, n, by);
    set_flags(c, Z8000_Z | Z8000_V, 0);
    done(c, n, clocks);
}

static u32 unit(const u8 *at, u32 size)
{
    return size == SIZE_W ? (u32)(at[0] << 8 | at[1]) : at[0];
}

/* How many of the next units do not end the search. */
static u32 misses(const u8 *at, u32 n, u32 size, s32 by, u32 wanted, bool equal)
{
    u32 i = 0;

    while (i < n && (unit(at, size) == wanted) != equal)
        i++, at += by;
    return i;
}

static void search(struct z8000_fast *f, const struct row *row, u32 most, u32 clocks)
{
    struct z8000 *c = f->cpu;
    unsigned src = field_hi(c), cc = c->u.word[1] & 15, reg = second_mid(c);
    s32 by = row->arg & DOWN ? -(s32)row->size : (s32)row->size;
    struct place from = place(c, f->read, src, row->size, by < 0);
    u32 n = MIN(most, from.steps), wanted = reg_get(c, row->size, reg);
    unsigned compared = row->size == SIZE_B ? reg & 7 : reg;

    if (!n || (cc != CC_EQUAL && cc != CC_UNEQUAL) || within(second_reg(c), src) ||
        within(compared, src) || compared == second_reg(c))
        return;
    n = misses(from.at, n, row->size, by, wanted, cc == CC_EQUAL);
    if (!n)
        return;
    alu_compute(c, ALU_CP, row->size, wanted, unit(from.at + (s32)(n - 1) * by, row->size));
    set_flags(c, Z8000_Z | Z8000_V, 0);
    advance(c, src, n, by);
    done(c, n, clocks);
}

void fast_block(struct z8000_fast *f, u64 until)
{
    struct z8000 *c = f->cpu;
    const struct row *row = row_of(c);
    u32 clocks = row->clocks[0] - (u32)BLOCK_START;
    u64 most = MIN((until - c->clocks) / clocks, c->r[second_reg(c)] - 1ull);

    if (row->run == run_ldi && !(c->u.word[1] & ENDS))
        move(f, row, (u32)most, clocks);
    else if (row->run == run_cpi && (c->u.word[0] & REPEATS))
        search(f, row, (u32)most, clocks);
}
