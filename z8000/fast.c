/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast way: entries of decoded pages, threaded by computed goto. Flags of arithmetic
 * are kept as the operation and its operands and made only when something looks; an entry
 * whose flags the next instructions overwrite unseen does not even keep those.
 */
#include "base/bytes.h"
#include "z8000/fast_code.h"

enum { BURST_MOST = 1 << 30 };

/* Flags not made yet: of which operation V is (none: made), and whether Z and S are those of
 * a word kept beside it (else made). C is always kept beside it too. */
enum kind {
    MADE,
    PEND_ADD,
    PEND_SUB,
    PEND_ZS = 8,
};
enum { CARRY_BIT = 16 }; /* of a sum or a difference of two words, where C is kept */

/* The operand in memory, for a generic form; false: slow. */
static bool generic_memory(struct z8000_fast *f, const struct row *row, u8 **at)
{
    struct z8000 *c = f->cpu;
    unsigned n = field_hi(c) & 14;
    u16 offset = c->r[n + 1];
    u32 number = fast_page(c->r[n] >> 8 & 0x7f, offset);
    u8 *page = row->flags & PUT ? f->write[number] : f->read[number];

    if (!page)
        return false;
    *at = page + (offset & (row->size == SIZE_B ? Z8000_FAST_PAGE - 1 : Z8000_FAST_PAGE - 2));
    return true;
}

/* Runs one instruction by its handler, flags made; its clocks, or 0: nothing done. */
static u32 generic(struct z8000_fast *f, const struct entry *e, const u8 *host, u32 index)
{
    const struct row *row = &z8000_rows[e->imm];
    struct z8000 *c = f->cpu;
    u8 *at = NULL;

    for (u32 i = 0; i < e->a; i++)
        c->u.word[i] = fast_word(host, index + i);
    c->u.count = e->a;
    if (row->mode == MODE_IR && !generic_memory(f, row, &at))
        return 0;
    if (row->mode == MODE_R)
        c->u.value = reg_get(c, row->size, field_hi(c));
    else if (row->mode == MODE_IM)
        c->u.value = row->size == SIZE_L   ? (u32)c->u.word[1] << 16 | c->u.word[2]
                     : row->size == SIZE_B ? c->u.word[1] & 0xffu
                                           : c->u.word[1];
    else if (at)
        c->u.value = row->size == SIZE_B ? *at : (u32)(at[0] << 8 | at[1]);
    c->u.clocks = row->clocks[1];
    row->run(c);
    if ((row->flags & PUT) && row->mode == MODE_R) {
        reg_put(c, row->size, field_hi(c), c->u.result);
    } else if ((row->flags & PUT) && row->size == SIZE_B) {
        *at = (u8)c->u.result;
    } else if (row->flags & PUT) {
        at[0] = (u8)(c->u.result >> 8);
        at[1] = (u8)c->u.result;
    }
    return c->u.clocks;
}

/* The flags of a product. */
static void make_product(struct z8000 *c, s32 product)
{
    bool fits = product == (s16)product;

    set_flags(c, Z8000_C | Z8000_Z | Z8000_S | Z8000_V,
              (fits ? 0 : Z8000_C) | flags_zs((u32)product, SIZE_L));
}

/* Makes the flags that were put off. All are of words. */
static void make_flags(struct z8000 *c, unsigned kind, u32 a, u32 b, u32 zs, u32 carry)
{
    unsigned mask = Z8000_C, flags = (carry >> CARRY_BIT & 1) << 7;

    if ((kind & ~(unsigned)PEND_ZS) == PEND_ADD) {
        flags |= (~(a ^ b) & (a ^ (a + b)) & 0x8000) >> 11;
        mask |= Z8000_V;
    } else if ((kind & ~(unsigned)PEND_ZS) == PEND_SUB) {
        flags |= ((a ^ b) & (a ^ (a - b)) & 0x8000) >> 11;
        mask |= Z8000_V;
    }
    if (kind & PEND_ZS) {
        flags |= flags_zs(zs, SIZE_W);
        mask |= Z8000_Z | Z8000_S;
    }
    set_flags(c, mask, flags);
}

/* A long word in a register pair, its upper half in the lower half of `pair`. */
static inline void pair_put(u8 *at, u32 pair)
{
    u16 words[2] = {(u16)pair, (u16)(pair >> 16)};

    __builtin_memcpy(at, words, sizeof words);
}

/* Whose entry `e` is. */
static struct code *page_of(struct z8000_fast *f, const struct entry *e)
{
    return &f->code[(size_t)((const u8 *)e - (const u8 *)f->code) / sizeof *f->code];
}

static u32 index_of(struct z8000_fast *f, const struct entry *e)
{
    return (u32)(e - page_of(f, e)->entry);
}

static bool is_away(const struct z8000_fast *f, const struct entry *e)
{
    return e >= f->away && e < f->away + FAST_WORDS;
}

/* The PC of an entry; `page` is what was looked for where it is away. */
static u16 pc_of(struct z8000_fast *f, const struct entry *e, u32 page)
{
    if (is_away(f, e))
        return (u16)(page * Z8000_FAST_PAGE + 2 * (u32)(e - f->away));
    return (u16)(page_of(f, e)->number * Z8000_FAST_PAGE + 2 * index_of(f, e));
}

/* One line a form keeps what follows readable. */
/* clang-format off */
#define PAGE(number_) fast_code(f, (number_), labels[OP_DECODE], labels[OP_EDGE])
#define WORD(at)    (*(u16 *)(void *)(regs + (at)))
#define E(k)        (e + (k)) /* the form's own entry: k is 1 behind an LD that is one with it */
#define WHOLE(x)    __asm__("" : "+r"(x)) /* else the compiler splits it into several of its parts */
#define GO(n)       do { e += (n); WHOLE(e); goto *e->go; } while (0)
#define ENTER(to_)  do { e = (to_); left -= e->sum; if (left < 0) goto out; goto *e->go; } while (0)
#define LATER(k, x, y, r) do { kind = (k) | PEND_ZS; fa = (x); fb = (y); zs = (r); } while (0)
#define LATER_ZS(r) do { kind |= PEND_ZS; zs = (r); } while (0)
#define MADE_ALL()  do { kind = MADE; carry = (u32)(c->fcw & Z8000_C) << (CARRY_BIT - 7); } while (0)
#define FLUSH()     do { make_flags(c, kind, fa, fb, zs, carry); kind = MADE; } while (0)
#define FAR(from, bytes) ((struct entry *)(void *)((u8 *)(from) + (bytes)))
#define FLY()       do { to = e->imm; ENTER(FAR(f->decoded[to], e->at)); } while (0)
#define AT(k)       FAR(E(k), (s16)E(k)->imm)
#define JUMP(k)     ENTER(AT(k))
#define COPY()      (WORD(e->b) = WORD(e->a))

/* What a pointer register points at, at host address `p`; slow if there is no page. Words
 * ignore the lowest address line. */
enum { BYTE_IN = Z8000_FAST_PAGE - 1, WORD_IN = Z8000_FAST_PAGE - 2 };
/* The upper byte of a pair in host memory order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SEGMENT(reg) regs[(reg) + 1]
#else
#define SEGMENT(reg) regs[reg]
#endif
#define POINT(table, reg, within, k) \
    u32 offset = WORD((reg) + 2); \
    WHOLE(offset); \
    u8 *p = f->table##_of[SEGMENT(reg)][offset / Z8000_FAST_PAGE]; \
    if (__builtin_expect(!p, 0)) \
        goto out_##k; \
    p += offset & (within)

#define ADDED(k, y_, width) \
    { u32 y = (y_); fa = WORD(E(k)->b); fb = y; zs = fa + y; WHOLE(zs); carry = zs; WORD(E(k)->b) = (u16)zs; \
      kind = PEND_ADD | PEND_ZS; GO((k) + (width)); }
#define SUBTRACTED(k, y_, width) \
    { u32 y = (y_); fa = WORD(E(k)->b); fb = y; zs = fa - y; WHOLE(zs); carry = zs; WORD(E(k)->b) = (u16)zs; \
      kind = PEND_SUB | PEND_ZS; GO((k) + (width)); }
#define BOTH(k, y_, width) \
    { u32 x = WORD(E(k)->b) & (y_); WORD(E(k)->b) = (u16)x; LATER_ZS(x); GO((k) + (width)); }

#define ARITH(name, result, sign) \
    L_##name: result(0, WORD(e->a), 1) \
    L_##name##I: result(0, e->imm, 2) \
    L_COPY_##name: COPY(); result(1, WORD(E(1)->a), 1) \
    L_COPY_##name##I: COPY(); result(1, E(1)->imm, 2) \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); GO(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); GO(2)

#define LOGIC(name, sign) \
    L_##name: { u32 x = WORD(e->b) sign WORD(e->a); WORD(e->b) = (u16)x; LATER_ZS(x); GO(1); } \
    L_##name##I: { u32 x = WORD(e->b) sign e->imm; WORD(e->b) = (u16)x; LATER_ZS(x); GO(2); } \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); GO(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); GO(2)

#define COMPARED(x_, y_) \
    u32 x = (x_), y = (y_); carry = x - y; LATER(PEND_SUB, x, y, carry)

#define COMPARE(cc, type, sign) \
    L_CPJ_##cc: { COMPARED(WORD(e->b), WORD(e->a)); \
                  if ((type)x sign (type)y) { JUMP(1); } ENTER(e + 2); } \
    L_CPIJ_##cc: { COMPARED(WORD(e->b), e->imm); \
                   if ((type)x sign (type)y) { JUMP(2); } ENTER(e + 3); }

#define SUBTRACT(cc, sign) \
    L_SUBJ_##cc: { COMPARED(WORD(e->b), WORD(e->a)); WORD(e->b) = (u16)carry; \
                   if (x sign y) { JUMP(1); } ENTER(e + 2); }

#define MULTIPLY(k, by) \
    s32 product = (s16)WORD(E(k)->b + 2) * (s16)(by); \
    pair_put(regs + E(k)->b, (u32)product << 16 | (u32)product >> 16)
#define MULTIPLIED() do { make_product(c, product); MADE_ALL(); } while (0)

/* A word in memory that one step changes: a page that is written is read at the same place. */
#define STEP_MEMORY(name, sign) \
    L_##name##_MEMORY: { POINT(write, e->a, WORD_IN, 0); u16 x; \
        __builtin_memcpy(&x, p, 2); \
        x = __builtin_bswap16(x); \
        LATER(sign, x, e->imm, sign == PEND_ADD ? fa + fb : fa - fb); \
        WHOLE(zs); \
        x = __builtin_bswap16((u16)zs); \
        __builtin_memcpy(p, &x, 2); GO(1); }

/* Two words on the stack, in RR14, on one page. */
#define STACK(table, by) \
    u32 at = (u16)(c->r[15] + (by)), in; \
    WHOLE(at); \
    in = at & WORD_IN; \
    u8 *p = f->table##_of[SEGMENT(28)][at / Z8000_FAST_PAGE]; \
    if (__builtin_expect(!p || in == WORD_IN, 0)) \
        goto out; \
    p += in

/* Runs from the PC until the next run of instructions would take more than `budget` clocks (the
 * first one may, if `past`) or something has no short way. Says whether it got on and the
 * budget ended it; all state is as between two instructions. */
static bool burst(struct z8000_fast *f, s32 budget, bool past)
{
    /* cppcheck takes an address of a label for a logical and. */
    static const void *const labels[OP_COUNT] = {
        // cppcheck-suppress assignBoolToPointer
        [OP_SLOW] = &&out, [OP_DECODE] = &&L_DECODE, [OP_EDGE] = &&L_EDGE, [OP_AWAY] = &&L_AWAY, [OP_NOP] = &&L_NOP,
        [OP_LD] = &&L_LD, [OP_LDI] = &&L_LDI, [OP_LDK] = &&L_LDK, [OP_LDB] = &&L_LDB,
        [OP_LDBI] = &&L_LDBI, [OP_CLR] = &&L_CLR, [OP_EX] = &&L_EX,
        [OP_LD_LOAD] = &&L_LD_LOAD, [OP_LD_STORE] = &&L_LD_STORE,
        [OP_LDB_LOAD] = &&L_LDB_LOAD, [OP_LDB_STORE] = &&L_LDB_STORE,
        [OP_ADD] = &&L_ADD, [OP_ADDI] = &&L_ADDI, [OP_SUB] = &&L_SUB, [OP_SUBI] = &&L_SUBI,
        [OP_CP] = &&L_CP, [OP_CPI] = &&L_CPI,
        [OP_ADD_Q] = &&L_ADD_Q, [OP_ADDI_Q] = &&L_ADDI_Q, [OP_SUB_Q] = &&L_SUB_Q,
        [OP_SUBI_Q] = &&L_SUBI_Q,
        [OP_AND] = &&L_AND, [OP_ANDI] = &&L_ANDI, [OP_OR] = &&L_OR, [OP_ORI] = &&L_ORI,
        [OP_XOR] = &&L_XOR, [OP_XORI] = &&L_XORI,
        [OP_AND_Q] = &&L_AND_Q, [OP_ANDI_Q] = &&L_ANDI_Q, [OP_OR_Q] = &&L_OR_Q,
        [OP_ORI_Q] = &&L_ORI_Q, [OP_XOR_Q] = &&L_XOR_Q, [OP_XORI_Q] = &&L_XORI_Q,
        [OP_INC] = &&L_INC, [OP_DEC] = &&L_DEC, [OP_INC_Q] = &&L_INC_Q, [OP_DEC_Q] = &&L_DEC_Q,
        [OP_JR] = &&L_JR, [OP_JR_ALWAYS] = &&L_JR_ALWAYS, [OP_DJNZ] = &&L_DJNZ,
        [OP_DBJNZ] = &&L_DBJNZ,
        [OP_CPJ_EQ] = &&L_CPJ_EQ, [OP_CPJ_NE] = &&L_CPJ_NE, [OP_CPJ_ULT] = &&L_CPJ_ULT,
        [OP_CPJ_UGE] = &&L_CPJ_UGE, [OP_CPJ_UGT] = &&L_CPJ_UGT, [OP_CPJ_ULE] = &&L_CPJ_ULE,
        [OP_CPJ_LT] = &&L_CPJ_LT, [OP_CPJ_GE] = &&L_CPJ_GE, [OP_CPJ_GT] = &&L_CPJ_GT,
        [OP_CPJ_LE] = &&L_CPJ_LE,
        [OP_CPIJ_EQ] = &&L_CPIJ_EQ, [OP_CPIJ_NE] = &&L_CPIJ_NE, [OP_CPIJ_ULT] = &&L_CPIJ_ULT,
        [OP_CPIJ_UGE] = &&L_CPIJ_UGE, [OP_CPIJ_UGT] = &&L_CPIJ_UGT,
        [OP_CPIJ_ULE] = &&L_CPIJ_ULE, [OP_CPIJ_LT] = &&L_CPIJ_LT, [OP_CPIJ_GE] = &&L_CPIJ_GE,
        [OP_CPIJ_GT] = &&L_CPIJ_GT, [OP_CPIJ_LE] = &&L_CPIJ_LE,
        [OP_SUBJ_EQ] = &&L_SUBJ_EQ, [OP_SUBJ_NE] = &&L_SUBJ_NE, [OP_SUBJ_ULT] = &&L_SUBJ_ULT,
        [OP_SUBJ_UGE] = &&L_SUBJ_UGE,
        [OP_INC_MEMORY] = &&L_INC_MEMORY, [OP_DEC_MEMORY] = &&L_DEC_MEMORY,
        [OP_CALR] = &&L_CALR, [OP_RET] = &&L_RET, [OP_MULT] = &&L_MULT, [OP_MULTI] = &&L_MULTI,
        [OP_MULT_LOAD] = &&L_MULT_LOAD, [OP_MULT_Q] = &&L_MULT_Q, [OP_MULTI_Q] = &&L_MULTI_Q,
        [OP_MULT_LOAD_Q] = &&L_MULT_LOAD_Q, [OP_COPY_LOAD] = &&L_COPY_LOAD,
        [OP_COPY_STORE] = &&L_COPY_STORE, [OP_COPY_ADD] = &&L_COPY_ADD,
        [OP_COPY_ADDI] = &&L_COPY_ADDI, [OP_COPY_SUB] = &&L_COPY_SUB,
        [OP_COPY_SUBI] = &&L_COPY_SUBI, [OP_COPY_AND] = &&L_COPY_AND,
        [OP_COPY_ANDI] = &&L_COPY_ANDI, [OP_COPY_MULTI_Q] = &&L_COPY_MULTI_Q,
        [OP_COPY_MULT_LOAD_Q] = &&L_COPY_MULT_LOAD_Q, [OP_GENERIC] = &&L_GENERIC,
    };
    struct z8000 *c = f->cpu;
    u8 *regs = (u8 *)c->r;
    const size_t base = (size_t)c->segment * Z8000_FAST_SEGMENT_PAGES;
    s32 left = budget;
    unsigned kind;
    u32 fa = 0, fb = 0, zs = 0, carry;
    size_t to = base | c->pc / Z8000_FAST_PAGE;
    u32 turn;
    struct entry *e;
    bool limited;

    if ((c->pc & 1) || !f->read[to])
        return false;
    if (!f->away[0].go)
        for (u32 i = 0; i < FAST_WORDS; i++)
            f->away[i].go = labels[OP_AWAY];
    MADE_ALL();
    be32_put(&turn, c->bare ? 0x80000000u : 0);
    e = &PAGE((u32)to)->entry[c->pc / 2 % FAST_WORDS];
    if (e->go == labels[OP_DECODE])
        fast_decode(page_of(f, e), index_of(f, e), labels);
    left -= e->sum;
    if (left < 0 && !past)
        goto out;
    goto *e->go;

L_DECODE:
    fast_decode(page_of(f, e), index_of(f, e), labels);
    ENTER(e);
L_EDGE:
    to = base | ((page_of(f, e)->number + 1) & (Z8000_FAST_SEGMENT_PAGES - 1));
    /* Not the next page itself: `e` is already at its first word if we leave here. */
    if (left < 0 || !f->read[to])
        goto out;
    ENTER(PAGE((u32)to)->entry);
L_AWAY:
    if (!f->read[to])
        goto out;
    ENTER(&PAGE((u32)to)->entry[e - f->away]);
L_NOP: GO(1);
L_LD: COPY(); GO(1);
L_LDI: WORD(e->b) = e->imm; GO(2);
L_LDK: WORD(e->a) = e->imm; GO(1);
L_LDB: regs[e->b] = regs[e->a]; GO(1);
L_LDBI: regs[e->a] = (u8)e->imm; GO(1);
L_CLR: WORD(e->a) = 0; GO(1);
L_EX: { u16 x = WORD(e->a); WORD(e->a) = WORD(e->b); WORD(e->b) = x; GO(1); }
#define LOAD(k) { POINT(read, E(k)->a, WORD_IN, k); u16 x; \
    __builtin_memcpy(&x, p, 2); WORD(E(k)->b) = __builtin_bswap16(x); GO(1 + (k)); }
#define STORE(k) { POINT(write, E(k)->a, WORD_IN, k); u16 x = __builtin_bswap16(WORD(E(k)->b)); \
    __builtin_memcpy(p, &x, 2); GO(1 + (k)); }
L_LD_LOAD: LOAD(0)
L_COPY_LOAD: COPY(); LOAD(1)
L_LD_STORE: STORE(0)
L_COPY_STORE: COPY(); STORE(1)
L_LDB_LOAD: { POINT(read, e->a, BYTE_IN, 0); regs[e->b] = *p; GO(1); }
L_LDB_STORE: { POINT(write, e->a, BYTE_IN, 0); *p = regs[e->b]; GO(1); }
    ARITH(ADD, ADDED, +);
    ARITH(SUB, SUBTRACTED, -);
    LOGIC(AND, &);
    LOGIC(OR, |);
    LOGIC(XOR, ^);
L_COPY_AND: COPY(); BOTH(1, WORD(E(1)->a), 1)
L_COPY_ANDI: COPY(); BOTH(1, E(1)->imm, 2)
L_CP: { COMPARED(WORD(e->b), WORD(e->a)); GO(1); }
L_CPI: { COMPARED(WORD(e->b), e->imm); GO(2); }
L_INC: { u32 x = WORD(e->a), y = e->imm; LATER(PEND_ADD, x, y, x + y); WORD(e->a) = (u16)zs; GO(1); }
L_DEC: { u32 x = WORD(e->a), y = e->imm; LATER(PEND_SUB, x, y, x - y); WORD(e->a) = (u16)zs; GO(1); }
L_INC_Q: WORD(e->a) = (u16)(WORD(e->a) + e->imm); GO(1);
L_DEC_Q: WORD(e->a) = (u16)(WORD(e->a) - e->imm); GO(1);
L_JR:
    FLUSH();
    if (condition(c->fcw, e->b))
        JUMP(0);
    ENTER(e + 1);
L_JR_ALWAYS: JUMP(0);
L_DJNZ:
    if (--WORD(e->a))
        JUMP(0);
    ENTER(e + 1);
L_DBJNZ:
    if (--regs[e->a])
        JUMP(0);
    ENTER(e + 1);
    COMPARE(EQ, u16, ==)
    COMPARE(NE, u16, !=)
    COMPARE(ULT, u16, <)
    COMPARE(UGE, u16, >=)
    COMPARE(UGT, u16, >)
    COMPARE(ULE, u16, <=)
    COMPARE(LT, s16, <)
    COMPARE(GE, s16, >=)
    COMPARE(GT, s16, >)
    COMPARE(LE, s16, <=)
    SUBTRACT(EQ, ==)
    SUBTRACT(NE, !=)
    SUBTRACT(ULT, <)
    SUBTRACT(UGE, >=)
L_CALR: {
    STACK(write, -4);

    u32 frame = e->frame ^ turn;

    __builtin_memcpy(p, &frame, 4);
    c->r[15] = (u16)at;
    FLY();
}
L_RET: {
    STACK(read, 0);
    u32 frame;

    __builtin_memcpy(&frame, p, 4);
    frame ^= turn;
    if (__builtin_expect(frame != e->frame, 0)) {
        u32 now = be32_get(&frame);

        /* To another segment, or to an odd address: the exact way. */
        if ((now ^ page_of(f, e)->pushed) & 0xff000001)
            goto out;
        e->frame = frame;
        fast_go_to(e, page_of(f, e)->base, (u16)now);
    }
    c->r[15] = (u16)(at + 4);
    FLY();
}
    STEP_MEMORY(INC, PEND_ADD);
    STEP_MEMORY(DEC, PEND_SUB);
/* By zero it takes less, which for an immediate the run's clocks know already. */
#define TIMES(k, by, then) \
    { u16 y = (by); MULTIPLY(k, y); if (__builtin_expect(!y, 0)) left += FAST_MULT_ZERO; then }
#define LOADED(k, then) \
    { POINT(read, E(k)->a, WORD_IN, k); TIMES(k, (u16)(p[0] << 8 | p[1]), then) }
#define IMMEDIATE(k, then) { MULTIPLY(k, E(k)->imm); then }
L_MULT: TIMES(0, WORD(e->a), MULTIPLIED(); GO(1);)
L_MULT_Q: TIMES(0, WORD(e->a), GO(1);)
L_MULT_LOAD: LOADED(0, MULTIPLIED(); GO(1);)
L_MULT_LOAD_Q: LOADED(0, GO(1);)
L_MULTI: IMMEDIATE(0, MULTIPLIED(); GO(2);)
L_MULTI_Q: IMMEDIATE(0, GO(2);)
L_COPY_MULTI_Q: COPY(); IMMEDIATE(1, GO(3);)
L_COPY_MULT_LOAD_Q: COPY(); LOADED(1, GO(2);)
L_GENERIC: {
    u32 clocks;

    if (left <= 0)
        goto out;
    FLUSH();
    clocks = generic(f, e, page_of(f, e)->host, index_of(f, e));
    MADE_ALL();
    if (!clocks)
        goto out;
    left -= (s32)clocks;
    ENTER(e + e->a);
}

out_1:
    e++;
out_0:
out:
    limited = left < 0;
    left += e->sum;
    c->pc = pc_of(f, e, (u32)to);
    make_flags(c, kind, fa, fb, zs, carry);
    c->clocks += (u64)(budget - left);
    return limited && left != budget;
}

/* clang-format on */

/* Between two steps, in the mode that pages are told for, and nobody asks for anything. */
static bool plain_user(const struct z8000 *c)
{
    return c->u.stage == STAGE_REST && !c->halted && !c->lines &&
           (c->fcw & (Z8000_SEG | Z8000_SYSTEM)) == Z8000_SEG;
}

static bool can_burst(const struct z8000 *c)
{
    return plain_user(c) && !c->u.repeating;
}

static enum z8000_result run(struct z8000_fast *f, u64 until, bool past)
{
    struct z8000 *c = f->cpu;

    while (c->clocks < until) {
        enum z8000_result result;

        if (can_burst(c) && burst(f, (s32)MIN(until - c->clocks, (u64)BURST_MOST), past) &&
            past)
            continue;
        if (c->u.repeating && plain_user(c))
            fast_block(f, until);
        if (c->clocks >= until)
            break;
        result = z8000_step(c);
        if (result != Z8000_DONE)
            return result;
    }
    return Z8000_DONE;
}

enum z8000_result z8000_fast_run(struct z8000_fast *f, u64 until)
{
    return run(f, until, false);
}

enum z8000_result z8000_fast_run_past(struct z8000_fast *f, u64 until)
{
    return run(f, until, true);
}
