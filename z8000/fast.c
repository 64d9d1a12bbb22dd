/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast way: entries of decoded pages, threaded by computed goto. Flags of arithmetic
 * are kept as the operation and its operands and made only when something looks; an entry
 * whose flags the next instructions overwrite unseen does not even keep those.
 */
#include "base/bytes.h"
#include "z8000/fast_code.h"

enum {
    /* More clocks than a page of straight code can take without generic forms (which look
     * themselves), so the limit is looked at only where control jumps or leaves the page. */
    SLACK = FAST_WORDS * 16,
    BURST_MOST = 1 << 30,
    CLOCKS_CALR = 15,
    CLOCKS_MULT_ZERO = 70 - 18, /* saved by a zero */
};

/* Flags not made yet: of which operation C and V are, and whether Z and S are those of a
 * word kept beside it (else the operation's, or made). */
enum kind {
    MADE,
    PEND_ADD,
    PEND_SUB,
    PEND_INC, /* V alone; C is made */
    PEND_DEC,
    PEND_MULT, /* Z and S are of the product, unless PEND_ZS */
    PEND_ZS = 8,
};

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

/* C and V of a product, and Z and S if no later word has them. */
static void make_product(struct z8000 *c, unsigned kind, s32 product)
{
    bool fits = product == (s16)product;

    set_flags(c, Z8000_C | Z8000_V, fits ? 0 : Z8000_C);
    if (!(kind & PEND_ZS))
        set_flags(c, Z8000_Z | Z8000_S, flags_zs((u32)product, SIZE_L));
}

/* Makes the flags that were put off. All are of words. */
static void make_flags(struct z8000 *c, unsigned kind, u16 a, u16 b, u16 zs)
{
    u32 sum = (u32)a + b, difference = (u32)a - b;
    unsigned mask = 0, flags = 0;

    switch (kind & 7) {
    case PEND_ADD:
    case PEND_INC:
        flags = (~(a ^ b) & (a ^ sum) & 0x8000) >> 11 | (sum >> 16) << 7;
        mask = (kind & 7) == PEND_ADD ? Z8000_V | Z8000_C : Z8000_V;
        break;
    case PEND_SUB:
    case PEND_DEC:
        flags = ((a ^ b) & (a ^ difference) & 0x8000) >> 11 | (difference >> 31) << 7;
        mask = (kind & 7) == PEND_SUB ? Z8000_V | Z8000_C : Z8000_V;
        break;
    case PEND_MULT: make_product(c, kind, (s16)a * (s16)b); break;
    default: break;
    }
    if (kind & PEND_ZS) {
        flags |= (zs == 0 ? Z8000_Z : 0u) | (zs & 0x8000u) >> 10;
        mask |= Z8000_Z | Z8000_S;
    }
    set_flags(c, mask, flags);
}

/* Makes C, before an operation that sets all others. */
static inline void make_carry(struct z8000 *c, unsigned kind, u16 a, u16 b)
{
    bool carry;

    switch (kind & 7) {
    case PEND_ADD: carry = (u16)(a + b) < a; break;
    case PEND_SUB: carry = a < b; break;
    case PEND_MULT: carry = (s16)a * (s16)b != (s16)((s16)a * (s16)b); break;
    default: return;
    }
    set_flags(c, Z8000_C, carry ? Z8000_C : 0);
}

/* A register pair with its second word in the upper half: of a pointer, the offset. */
static inline u32 pair_get(const u8 *at)
{
    u16 words[2];

    __builtin_memcpy(words, at, sizeof words);
    return (u32)words[1] << 16 | words[0];
}

static inline void pair_put(u8 *at, u32 pair)
{
    u16 words[2] = {(u16)pair, (u16)(pair >> 16)};

    __builtin_memcpy(at, words, sizeof words);
}

/* The page that such a pointer points at. */
static inline u32 pair_page(u32 pair)
{
    return pair >> 25 | (pair >> 1 & 0x7f << 7);
}

/* One line a form keeps what follows readable. */
/* clang-format off */
#define PAGE(number_) fast_code(f, (number_), labels[OP_DECODE], labels[OP_EDGE])
#define WORD(at)    (*(u16 *)(void *)(regs + (at)))
#define GO(n)       do { e += (n); goto *e->go; } while (0)
#define DONE(n)     do { left -= e->clocks; GO(n); } while (0)
#define LATER(k, x, y, r) do { kind = (k) | PEND_ZS; fa = (x); fb = (y); zs = (u16)(r); } while (0)
#define LATER_ZS(r) do { kind |= PEND_ZS; zs = (u16)(r); } while (0)
#define FLUSH()     do { if (kind) { make_flags(c, kind, fa, fb, zs); kind = MADE; } } while (0)
#define CARRY()     do { if (kind & 7) make_carry(c, kind, fa, fb); } while (0)
#define AT(bytes)   ((struct entry *)(void *)((u8 *)e + (bytes)))
#define LEAP(to)    do { s32 clocks = e->clocks; e = (to); left -= clocks; if (left < 0) goto out; goto *e->go; } while (0)
#define JUMP()      LEAP(AT((s16)e->imm))

/* What a pointer register points at, at host address `p`; slow if there is no page. Words
 * ignore the lowest address line. */
enum { BYTE_IN = Z8000_FAST_PAGE - 1, WORD_IN = Z8000_FAST_PAGE - 2 };
#define POINT(table, reg, within) \
    u32 pair = pair_get(regs + (reg)); \
    u8 *p = f->table[pair_page(pair)]; \
    if (__builtin_expect(!p, 0)) \
        goto out; \
    p += pair >> 16 & (within)

#define ARITH(name, sign, pend) \
    L_##name: { u16 x = WORD(e->b), y = WORD(e->a); WORD(e->b) = (u16)(x sign y); \
                LATER(pend, x, y, x sign y); DONE(1); } \
    L_##name##I: { u16 x = WORD(e->b); WORD(e->b) = (u16)(x sign e->imm); \
                LATER(pend, x, e->imm, x sign e->imm); DONE(2); } \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); DONE(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); DONE(2)

#define LOGIC(name, sign) \
    L_##name: { u16 x = WORD(e->b) sign WORD(e->a); WORD(e->b) = x; LATER_ZS(x); DONE(1); } \
    L_##name##I: { u16 x = WORD(e->b) sign e->imm; WORD(e->b) = x; LATER_ZS(x); DONE(2); } \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); DONE(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); DONE(2)

#define COMPARE(cc, type, sign) \
    L_CPJ_##cc: { u16 x = WORD(e->b), y = WORD(e->a); LATER(PEND_SUB, x, y, x - y); \
                  if ((type)x sign (type)y) { JUMP(); } DONE(2); } \
    L_CPIJ_##cc: { u16 x = WORD(e->b), y = e->imm; LATER(PEND_SUB, x, y, x - y); \
                  if ((type)x sign (type)y) { LEAP(e + 2 + (s8)e->a); } DONE(3); }

#define SUBTRACT(cc, sign) \
    L_SUBJ_##cc: { u16 x = WORD(e->b), y = WORD(e->a); WORD(e->b) = (u16)(x - y); \
                   LATER(PEND_SUB, x, y, x - y); if (x sign y) { JUMP(); } DONE(2); }

/* After a form that takes long: the limit may have been passed. */
#define LIMITED(n) LEAP(e + (n))

/* By zero it takes 52 clocks less. */
#define MULTIPLY(by) do { \
        u8 *both = regs + e->b; \
        u16 x = *(u16 *)(void *)(both + 2); \
        s32 product = (s16)x * (s16)(by); \
        pair_put(both, (u32)product << 16 | (u32)product >> 16); \
        if (__builtin_expect(!(by), 0)) \
            left += CLOCKS_MULT_ZERO; \
        kind = PEND_MULT, fa = x, fb = (by); \
    } while (0)

/* A word in memory that one step changes: a page that is written is read at the same place. */
#define STEP_MEMORY(name, sign) \
    L_##name##_MEMORY: { POINT(write, e->a, WORD_IN); u16 x; \
        CARRY(); \
        __builtin_memcpy(&x, p, 2); \
        x = __builtin_bswap16(x); \
        LATER(PEND_##name, x, e->imm, x sign e->imm); \
        x = __builtin_bswap16(zs); \
        __builtin_memcpy(p, &x, 2); DONE(1); }

/* To an even address of this segment. */
#define FLY(pc_) do { \
        struct code *next; \
        to = (pc_); \
        next = f->decoded[code->base | to / Z8000_FAST_PAGE]; \
        if (left < 0 || !next) \
            goto far; \
        code = next; \
        e = (struct entry *)(void *)((u8 *)next->entry + \
                                     (to & WORD_IN) * (sizeof(struct entry) / 2)); \
        goto *e->go; \
    } while (0)

/* Two words on the stack, in RR14, on one page, by a PC whose segment word has bit 15. */
#define STACK(table, by) \
    u32 pair = pair_get((u8 *)&c->r[14]) + ((u32)(by) << 16), at = pair >> 16 & WORD_IN; \
    u8 *p = f->table[pair_page(pair)]; \
    if (__builtin_expect(!p || at == Z8000_FAST_PAGE - 2 || c->bare, 0)) \
        goto out; \
    p += at

/* Runs from the PC until `left` clocks are used or something has no short way. Returns the
 * clocks used; all state is as between two instructions. */
static s32 burst(struct z8000_fast *f, s32 budget)
{
    /* cppcheck takes an address of a label for a logical and. */
    static const void *const labels[OP_COUNT] = {
        // cppcheck-suppress assignBoolToPointer
        [OP_SLOW] = &&out, [OP_DECODE] = &&L_DECODE, [OP_EDGE] = &&L_EDGE, [OP_NOP] = &&L_NOP,
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
        [OP_MULT_LOAD] = &&L_MULT_LOAD, [OP_GENERIC] = &&L_GENERIC,
    };
    struct z8000 *c = f->cpu;
    u8 *regs = (u8 *)c->r;
    s32 left = budget;
    unsigned kind = MADE;
    u16 fa = 0, fb = 0, zs = 0;
    struct code *code;
    struct entry *e;
    u32 to;

    if ((c->pc & 1) || !f->read[fast_page(c->segment, c->pc)])
        return 0;
    code = PAGE(fast_page(c->segment, c->pc));
    e = &code->entry[c->pc / 2 % FAST_WORDS];
    goto *e->go;

L_DECODE:
    e->go = labels[fast_decode(e, code, (u32)(e - code->entry))];
    goto *e->go;
L_EDGE: {
    u16 pc = (u16)((code->number * Z8000_FAST_PAGE + Z8000_FAST_PAGE) & 0xffff);
    u32 number = fast_page(c->segment, pc);

    /* Not the next page itself: `e` is already at its first word if we leave here. */
    if (left < 0 || !f->read[number])
        goto out;
    code = PAGE(number);
    e = code->entry;
    goto *e->go;
}
L_NOP: DONE(1);
L_LD: WORD(e->b) = WORD(e->a); DONE(1);
L_LDI: WORD(e->b) = e->imm; DONE(2);
L_LDK: WORD(e->a) = e->imm; DONE(1);
L_LDB: regs[e->b] = regs[e->a]; DONE(1);
L_LDBI: regs[e->a] = (u8)e->imm; DONE(1);
L_CLR: WORD(e->a) = 0; DONE(1);
L_EX: { u16 x = WORD(e->a); WORD(e->a) = WORD(e->b); WORD(e->b) = x; DONE(1); }
L_LD_LOAD: { POINT(read, e->a, WORD_IN); u16 x;
             __builtin_memcpy(&x, p, 2); WORD(e->b) = __builtin_bswap16(x); DONE(1); }
L_LD_STORE: { POINT(write, e->a, WORD_IN); u16 x = __builtin_bswap16(WORD(e->b));
             __builtin_memcpy(p, &x, 2); DONE(1); }
L_LDB_LOAD: { POINT(read, e->a, BYTE_IN); regs[e->b] = *p; DONE(1); }
L_LDB_STORE: { POINT(write, e->a, BYTE_IN); *p = regs[e->b]; DONE(1); }
    ARITH(ADD, +, PEND_ADD);
    ARITH(SUB, -, PEND_SUB);
    LOGIC(AND, &);
    LOGIC(OR, |);
    LOGIC(XOR, ^);
L_CP: { u16 x = WORD(e->b), y = WORD(e->a); LATER(PEND_SUB, x, y, x - y); DONE(1); }
L_CPI: { u16 x = WORD(e->b); LATER(PEND_SUB, x, e->imm, x - e->imm); DONE(2); }
L_INC: { CARRY(); u16 x = WORD(e->a); LATER(PEND_INC, x, e->imm, x + e->imm); WORD(e->a) = zs; DONE(1); }
L_DEC: { CARRY(); u16 x = WORD(e->a); LATER(PEND_DEC, x, e->imm, x - e->imm); WORD(e->a) = zs; DONE(1); }
L_INC_Q: WORD(e->a) = (u16)(WORD(e->a) + e->imm); DONE(1);
L_DEC_Q: WORD(e->a) = (u16)(WORD(e->a) - e->imm); DONE(1);
L_JR:
    FLUSH();
    if (condition(c->fcw, e->b))
        JUMP();
    DONE(1);
L_JR_ALWAYS: JUMP();
L_DJNZ:
    if (--WORD(e->a))
        JUMP();
    DONE(1);
L_DBJNZ:
    if (--regs[e->a])
        JUMP();
    DONE(1);
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

    __builtin_memcpy(p, &e->frame, 4);
    c->r[15] = (u16)(pair >> 16);
    left -= CLOCKS_CALR;
    FLY(e->imm);
}
L_RET: {
    STACK(read, 0);
    u32 frame = be32_get(p);

    /* To another segment, or to an odd address: the exact way. */
    if (__builtin_expect((frame ^ code->pushed) & 0xff000001, 0))
        goto out;
    c->r[15] = (u16)((pair >> 16) + 4);
    left -= e->clocks;
    FLY((u16)frame);
}
    STEP_MEMORY(INC, +);
    STEP_MEMORY(DEC, -);
L_MULTI: {
    u16 y = e->imm;

    MULTIPLY(y);
    LIMITED(2);
}
L_MULT: {
    u16 y = WORD(e->a);

    MULTIPLY(y);
    LIMITED(1);
}
L_MULT_LOAD: {
    POINT(read, e->a, WORD_IN);
    u16 y = (u16)(p[0] << 8 | p[1]);

    MULTIPLY(y);
    LIMITED(1);
}
L_GENERIC: {
    u32 clocks;

    FLUSH();
    clocks = generic(f, e, code->host, (u32)(e - code->entry));
    if (!clocks)
        goto out;
    left -= (s32)clocks;
    e += e->a;
    if (left < 0)
        goto out;
    goto *e->go;
}

far:
    c->pc = (u16)to;
    if (left < 0 || !f->read[fast_page(c->segment, c->pc)])
        goto landed;
    code = PAGE(fast_page(c->segment, c->pc));
    e = &code->entry[to / 2 % FAST_WORDS];
    goto *e->go;
out:
    c->pc = (u16)(code->number * Z8000_FAST_PAGE + 2 * (u32)(e - code->entry));
landed:
    make_flags(c, kind, fa, fb, zs);
    c->clocks += (u64)(budget - left);
    return budget - left;
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

static enum z8000_result run(struct z8000_fast *f, u64 until, u64 slack)
{
    struct z8000 *c = f->cpu;

    while (c->clocks < until) {
        enum z8000_result result;

        if (can_burst(c) && until - c->clocks > slack)
            burst(f, (s32)MIN(until - c->clocks - slack, (u64)BURST_MOST));
        else if (c->u.repeating && plain_user(c))
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
    return run(f, until, SLACK);
}

enum z8000_result z8000_fast_run_past(struct z8000_fast *f, u64 until)
{
    return run(f, until, 0);
}
