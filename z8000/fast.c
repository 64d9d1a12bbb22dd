/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast way: each page of code is decoded, as it is reached, into entries with the
 * address of their code below (threaded by computed goto). Flags of arithmetic are kept as
 * the operation and its operands and made only when something looks; a decoded entry whose
 * flags the next instructions overwrite unseen does not even keep those.
 */
#include "z8000/fast.h"
#include "z8000/core.h"

enum {
    WORDS = Z8000_FAST_PAGE / 2,
    SETS = 256,
    LOOKAHEAD = 6,
    /* More clocks than a page of straight code can take without generic forms (which look
     * themselves), so the limit is looked at only where control jumps or leaves the page. */
    SLACK = WORDS * 16,
};

/* Flags not made yet. */
enum kind { MADE, PEND_ADD, PEND_SUB, PEND_CP, PEND_AND, PEND_OR, PEND_XOR, PEND_INC, PEND_DEC };

struct entry {
    const void *go;
    s32 clocks;
    u8 a, b;  /* byte offsets of registers in z8000.r */
    u16 imm;
};

struct code {
    const u8 *host; /* the page decoded; NULL: none */
    u32 number;
    struct entry entry[WORDS + 1]; /* the last one leaves the page */
};

struct z8000_fast {
    struct z8000 *cpu;
    z8000_bus *bus;
    void *owner;
    u8 *read[Z8000_FAST_PAGES], *write[Z8000_FAST_PAGES];
    u8 *writable[Z8000_FAST_PAGES]; /* as the owner said, whatever is decoded */
    struct code code[SETS];
};

size_t z8000_fast_size(void)
{
    return sizeof(struct z8000_fast);
}

static bool decoded(const struct z8000_fast *f, const u8 *page)
{
    for (u32 i = 0; i < SETS; i++)
        if (page && f->code[i].host == page)
            return true;
    return false;
}

/* Forgets what was decoded; the page may be written directly again, unless it is decoded
 * under another address too. */
static void drop(struct z8000_fast *f, struct code *code)
{
    const u8 *host = code->host;

    code->host = NULL;
    if (decoded(f, host))
        return;
    for (u32 i = 0; i < Z8000_FAST_PAGES; i++)
        if (f->writable[i] == host)
            f->write[i] = f->writable[i];
}

void z8000_fast_changed(struct z8000_fast *f, const u8 *page)
{
    for (u32 i = 0; i < SETS; i++)
        if (f->code[i].host && f->code[i].host == page)
            drop(f, &f->code[i]);
}

void z8000_fast_map(struct z8000_fast *f, u32 number, u8 *read, u8 *write)
{
    struct code *code = &f->code[number % SETS];

    if (code->host && code->number == number && code->host != read)
        drop(f, code);
    f->read[number] = read;
    f->writable[number] = write;
    f->write[number] = decoded(f, write) ? NULL : write;
}

static u32 page_of(u8 segment, u16 offset)
{
    return (u32)segment << 7 | offset / Z8000_FAST_PAGE;
}

static bool watching_bus(void *owner, struct z8000_cycle *c)
{
    struct z8000_fast *f = owner;
    bool done = f->bus(f->owner, c);

    if (done && c->write && c->normal && c->status >= Z8000_ST_DATA) {
        u32 number = page_of(c->segment, c->offset);

        if (f->writable[number] && !f->write[number])
            z8000_fast_changed(f, f->writable[number]);
    }
    return done;
}

struct z8000_fast *z8000_fast_init(void *memory, struct z8000 *c)
{
    struct z8000_fast *f = memory;

    f->cpu = c;
    f->bus = c->bus;
    f->owner = c->owner;
    c->bus = watching_bus;
    c->owner = f;
    return f;
}

/* The forms with a short way. Each has its place in the table of labels of burst(). */
enum op {
    OP_SLOW, OP_DECODE, OP_EDGE, OP_NOP,
    OP_LD, OP_LDI, OP_LDK, OP_LDB, OP_LDBI, OP_CLR, OP_EX,
    OP_LD_LOAD, OP_LD_STORE, OP_LDB_LOAD, OP_LDB_STORE,
    OP_ADD, OP_ADDI, OP_SUB, OP_SUBI, OP_CP, OP_CPI,
    OP_ADD_Q, OP_ADDI_Q, OP_SUB_Q, OP_SUBI_Q, /* quiet: flags not wanted */
    OP_AND, OP_ANDI, OP_OR, OP_ORI, OP_XOR, OP_XORI,
    OP_AND_Q, OP_ANDI_Q, OP_OR_Q, OP_ORI_Q, OP_XOR_Q, OP_XORI_Q,
    OP_INC, OP_DEC, OP_INC_Q, OP_DEC_Q,
    OP_JR, OP_JR_ALWAYS, OP_DJNZ, OP_DBJNZ,
    OP_CPJ_EQ, OP_CPJ_NE, OP_CPJ_ULT, OP_CPJ_UGE, OP_CPJ_UGT, OP_CPJ_ULE, OP_CPJ_LT, OP_CPJ_GE,
    OP_CPJ_GT, OP_CPJ_LE,
    OP_CPIJ_EQ, OP_CPIJ_NE, OP_CPIJ_ULT, OP_CPIJ_UGE, OP_CPIJ_UGT, OP_CPIJ_ULE, OP_CPIJ_LT,
    OP_CPIJ_GE, OP_CPIJ_GT, OP_CPIJ_LE,
    OP_SUBJ_EQ, OP_SUBJ_NE, OP_SUBJ_ULT, OP_SUBJ_UGE,
    OP_CALR, OP_RET, OP_GENERIC,
    OP_COUNT,
};

static u16 fetch(const u8 *host, u32 index)
{
    return (u16)(host[2 * index] << 8 | host[2 * index + 1]);
}

/* What a plain form decodes to. `quiet` 0: has no flags; else its form without flags. */
static const struct plain {
    u16 value, mask;
    u8 op, quiet, words, clocks;
} plains[] = {
    {0x8d07, 0xffff, OP_NOP, 0, 1, 7},
    {0xa100, 0xff00, OP_LD, 0, 1, 3},
    {0x2100, 0xfff0, OP_LDI, 0, 2, 7},
    {0xbd00, 0xff00, OP_LDK, 0, 1, 5},
    {0xa000, 0xff00, OP_LDB, 0, 1, 3},
    {0xc000, 0xf000, OP_LDBI, 0, 1, 5},
    {0x8d08, 0xff0f, OP_CLR, 0, 1, 7},
    {0xad00, 0xff00, OP_EX, 0, 1, 6},
    {0x2100, 0xff00, OP_LD_LOAD, 0, 1, 7},
    {0x2f00, 0xff00, OP_LD_STORE, 0, 1, 8},
    {0x2000, 0xfff0, OP_SLOW, 0, 2, 7},
    {0x2000, 0xff00, OP_LDB_LOAD, 0, 1, 7},
    {0x2e00, 0xff00, OP_LDB_STORE, 0, 1, 8},
    {0x8100, 0xff00, OP_ADD, OP_ADD_Q, 1, 4},
    {0x0100, 0xfff0, OP_ADDI, OP_ADDI_Q, 2, 7},
    {0x8300, 0xff00, OP_SUB, OP_SUB_Q, 1, 4},
    {0x0300, 0xfff0, OP_SUBI, OP_SUBI_Q, 2, 7},
    {0x8b00, 0xff00, OP_CP, OP_NOP, 1, 4},
    {0x0b00, 0xfff0, OP_CPI, OP_CPI, 2, 7},
    {0x8700, 0xff00, OP_AND, OP_AND_Q, 1, 4},
    {0x0700, 0xfff0, OP_ANDI, OP_ANDI_Q, 2, 7},
    {0x8500, 0xff00, OP_OR, OP_OR_Q, 1, 4},
    {0x0500, 0xfff0, OP_ORI, OP_ORI_Q, 2, 7},
    {0x8900, 0xff00, OP_XOR, OP_XOR_Q, 1, 4},
    {0x0900, 0xfff0, OP_XORI, OP_XORI_Q, 2, 7},
    {0xa900, 0xff00, OP_INC, OP_INC_Q, 1, 4},
    {0xab00, 0xff00, OP_DEC, OP_DEC_Q, 1, 4},
    {0xd000, 0xf000, OP_CALR, 0, 1, 15},
    {0x9e08, 0xffff, OP_RET, 0, 1, 13},
    {0xe800, 0xff00, OP_JR_ALWAYS, 0, 1, 6},
    {0xe000, 0xf000, OP_JR, 0, 1, 6},
    {0xf080, 0xf080, OP_DJNZ, 0, 1, 11},
    {0xf000, 0xf080, OP_DBJNZ, 0, 1, 11},
};

static const struct plain *find(u16 word)
{
    for (size_t i = 0; i < ARRAY_SIZE(plains); i++)
        if ((word & plains[i].mask) == plains[i].value)
            return &plains[i];
    return NULL;
}

/* ADD, SUB and CP of words set all flags that the other word forms set. */
static bool overwrites_flags(u8 op)
{
    return op >= OP_ADD && op <= OP_CPI;
}

static bool flags_unseen(const u8 *host, u32 index)
{
    for (unsigned n = 0; n < LOOKAHEAD && index < WORDS; n++) {
        const struct plain *p = find(fetch(host, index));

        /* A form that may turn out slow is stopped in front of, with all flags to be shown. */
        if (!p || index + p->words > WORDS)
            return false;
        if (overwrites_flags(p->op))
            return true;
        if (p->quiet || (p->op != OP_LD && p->op != OP_LDI && p->op != OP_LDK &&
                         p->op != OP_NOP && p->op != OP_CLR && p->op != OP_EX))
            return false;
        index += p->words;
    }
    return false;
}

static u8 byte_offset(unsigned n)
{
    bool low = n >= 8;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (u8)(2 * (n & 7) + !low);
#else
    return (u8)(2 * (n & 7) + low);
#endif
}

/* JR's condition after a comparison, as the comparison of its operands; OP_SLOW: none. */
static u8 fused(u16 jump)
{
    static const u8 ops[16] = {
        [1] = OP_CPJ_LT,  [2] = OP_CPJ_LE,  [3] = OP_CPJ_ULE,  [6] = OP_CPJ_EQ,
        [7] = OP_CPJ_ULT, [9] = OP_CPJ_GE,  [10] = OP_CPJ_GT,  [11] = OP_CPJ_UGT,
        [14] = OP_CPJ_NE, [15] = OP_CPJ_UGE,
    };

    return jump >> 12 == 0xe ? ops[jump >> 8 & 15] : OP_SLOW;
}

/* The same after SUB, for the conditions that its operands alone decide. */
static u8 fused_subtract(u16 jump)
{
    switch (fused(jump)) {
    case OP_CPJ_EQ: return OP_SUBJ_EQ;
    case OP_CPJ_NE: return OP_SUBJ_NE;
    case OP_CPJ_ULT: return OP_SUBJ_ULT;
    case OP_CPJ_UGE: return OP_SUBJ_UGE;
    default: return OP_SLOW;
    }
}

/* Words from the jump's own entry to its target; false if that is on another page. */
static bool jump_distance(u16 word, u32 index, s32 *distance)
{
    s32 by = word >> 12 == 0xe ? 1 + (s8)word : 1 - (word & 0x7f);

    *distance = by;
    return (s32)index + by >= 0 && (s32)index + by < WORDS;
}

static void operands(struct entry *e, const struct plain *p, const u8 *host, u32 index)
{
    u16 word = fetch(host, index);

    e->a = (u8)(2 * (word >> 4 & 15));
    e->b = (u8)(2 * (word & 15));
    if (p->words == 2)
        e->imm = fetch(host, index + 1);
    switch (p->op) {
    case OP_LDK:
    case OP_INC:
    case OP_DEC: e->imm = (u16)((word & 15) + (p->op != OP_LDK)); break;
    case OP_LDB:
        e->a = byte_offset(word >> 4 & 15);
        e->b = byte_offset(word & 15);
        break;
    case OP_LDBI:
        e->a = byte_offset(word >> 8 & 15);
        e->imm = word & 0xff;
        break;
    case OP_LDB_LOAD:
    case OP_LDB_STORE: e->b = byte_offset(word & 15); break;
    case OP_DJNZ: e->a = (u8)(2 * (word >> 8 & 15)); break;
    case OP_DBJNZ: e->a = byte_offset(word >> 8 & 15); break;
    case OP_JR: e->b = word >> 8 & 15; break;
    default: break;
    }
}

/* Handlers that make no transactions themselves. */
static bool pure_handler(handler *run)
{
    static handler *const pure[] = {
        run_alu,   run_unary,       run_test,          run_neg,          run_clear,
        run_tset,  run_load,        run_store,         run_exchange,     run_step_by,
        run_bit,   run_bit_dynamic, run_dab,           run_extend,       run_tcc,
        run_mult,  run_div,         run_rotate,        run_shift,        run_shift_dynamic,
        run_digit, run_flag,        run_ldctlb_read,   run_ldctlb_write, run_load_byte,
    };

    for (size_t i = 0; i < ARRAY_SIZE(pure); i++)
        if (run == pure[i])
            return true;
    return false;
}

/* Forms on registers, immediates and what a pointer register points at, by the handlers of
 * the exact way: the entry has the row and the words. */
static u8 decode_generic(struct entry *e, const u8 *host, u32 index)
{
    u16 word = fetch(host, index), i = 0;
    const struct row *row;
    bool simple;

    while ((word & z8000_rows[i].mask) != z8000_rows[i].value)
        i++;
    row = &z8000_rows[i];
    simple = row->mode == MODE_NONE || row->mode == MODE_R || row->mode == MODE_IM ||
             (row->mode == MODE_IR && row->size != SIZE_L);
    if (!simple || !row->name || (row->flags & (PRIVILEGED | EXTENDED | LOW_FIELD)) ||
        !pure_handler(row->run) || index + 1u + row->before + row->after > WORDS)
        return OP_SLOW;
    e->imm = i;
    e->a = (u8)(1 + row->before + row->after);
    return OP_GENERIC;
}

/* Fills an entry; which code it goes to. */
static u8 decode(struct entry *e, const u8 *host, u32 index)
{
    const struct plain *p = find(fetch(host, index));
    u32 after;
    s32 distance;
    u8 both;

    if (!p || p->op == OP_SLOW)
        return decode_generic(e, host, index);
    if (index + p->words > WORDS)
        return OP_SLOW;
    after = index + p->words;
    e->clocks = p->clocks;
    operands(e, p, host, index);
    if (p->op == OP_JR || p->op == OP_JR_ALWAYS || p->op == OP_DJNZ || p->op == OP_DBJNZ) {
        if (!jump_distance(fetch(host, index), index, &distance))
            return OP_SLOW;
        e->imm = (u16)distance;
        return p->op;
    }
    if (p->op == OP_CALR) {
        e->imm = fetch(host, index);
        return p->op;
    }
    if (p->op == OP_SUB) {
        both = after < WORDS ? fused_subtract(fetch(host, after)) : OP_SLOW;
        if (both != OP_SLOW && jump_distance(fetch(host, after), after, &distance)) {
            e->imm = (u16)(distance + 1);
            e->clocks += 6;
            return both;
        }
    }
    if (p->op == OP_CP || p->op == OP_CPI) {
        both = after < WORDS ? fused(fetch(host, after)) : OP_SLOW;
        if (both == OP_SLOW || !jump_distance(fetch(host, after), after, &distance))
            return p->op;
        if (p->op == OP_CP) {
            e->imm = (u16)(distance + 1);
            e->clocks += 6;
            return both;
        }
        /* The immediate has the field: the jump's own entry gives the distance. */
        e->clocks += 6;
        e->a = (u8)distance;
        return distance == (s8)distance ? (u8)(both + OP_CPIJ_EQ - OP_CPJ_EQ) : OP_CPI;
    }
    return p->quiet && flags_unseen(host, after) ? p->quiet : p->op;
}

/* The operand in memory, for a generic form; false: slow. */
static bool generic_memory(struct z8000_fast *f, const struct row *row, u8 **at)
{
    struct z8000 *c = f->cpu;
    unsigned n = field_hi(c) & 14;
    u16 offset = c->r[n + 1];
    u32 number = page_of(c->r[n] >> 8 & 0x7f, offset);
    u8 *page = row->flags & PUT ? f->write[number] : f->read[number];

    if (!page || ((row->flags & GET) && page != f->read[number]))
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
        c->u.word[i] = fetch(host, index + i);
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

static struct code *code_page(struct z8000_fast *f, u32 number, const void *const *labels)
{
    struct code *code = &f->code[number % SETS];

    if (code->host && code->number == number)
        return code;
    if (code->host)
        drop(f, code);
    code->host = f->read[number];
    code->number = number;
    for (u32 i = 0; i < WORDS; i++)
        code->entry[i].go = labels[OP_DECODE];
    code->entry[WORDS].go = labels[OP_EDGE];
    for (u32 i = 0; i < Z8000_FAST_PAGES; i++)
        if (f->writable[i] && f->writable[i] == code->host)
            f->write[i] = NULL;
    return code;
}

/* Makes the flags of the operation that was put off. */
static void make_flags(struct z8000 *c, enum kind kind, u16 a, u16 b)
{
    static const u8 ops[] = {
        [PEND_ADD] = ALU_ADD, [PEND_SUB] = ALU_SUB, [PEND_CP] = ALU_CP,   [PEND_AND] = ALU_AND,
        [PEND_OR] = ALU_OR,   [PEND_XOR] = ALU_XOR, [PEND_INC] = ALU_ADD, [PEND_DEC] = ALU_SUB,
    };
    u16 carry = c->fcw & Z8000_C;

    if (kind == MADE)
        return;
    alu_compute(c, (enum alu)ops[kind], SIZE_W, a, b);
    if (kind >= PEND_INC)
        set_flags(c, Z8000_C, carry);
}

/* clang-format off: one line a form keeps the table readable. */
#define WORD(at)    (*(u16 *)(void *)(regs + (at)))
#define GO(n)       do { e += (n); goto *e->go; } while (0)
#define DONE(n)     do { left -= e->clocks; GO(n); } while (0)
#define LATER(k, x, y) do { kind = (k); fa = (x); fb = (y); } while (0)
#define FLUSH()     do { if (kind) { make_flags(c, kind, fa, fb); kind = MADE; } } while (0)
#define JUMP(by)    do { left -= e->clocks; if (left < 0) { e += (by); goto out; } GO(by); } while (0)

/* What a pointer register points at, at host address `p`; slow if there is no page. Words
 * ignore the lowest address line. */
enum { BYTE_IN = Z8000_FAST_PAGE - 1, WORD_IN = Z8000_FAST_PAGE - 2 };
#define POINT(table, reg, within) \
    u16 off = WORD((reg) + 2); \
    u8 *p = f->table[(u32)(WORD(reg) & 0x7f00) >> 1 | off / Z8000_FAST_PAGE]; \
    if (__builtin_expect(!p, 0)) \
        goto out; \
    p += off & (within)

#define ARITH(name, sign, pend) \
    L_##name: { u16 x = WORD(e->b), y = WORD(e->a); WORD(e->b) = (u16)(x sign y); \
                LATER(pend, x, y); DONE(1); } \
    L_##name##I: { u16 x = WORD(e->b); WORD(e->b) = (u16)(x sign e->imm); \
                LATER(pend, x, e->imm); DONE(2); } \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); DONE(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); DONE(2)

/* Logic leaves some flags alone, so earlier ones have to be made first. */
#define LOGIC(name, sign, pend) \
    L_##name: { FLUSH(); u16 x = WORD(e->b), y = WORD(e->a); WORD(e->b) = (u16)(x sign y); \
                LATER(pend, x, y); DONE(1); } \
    L_##name##I: { FLUSH(); u16 x = WORD(e->b); WORD(e->b) = (u16)(x sign e->imm); \
                LATER(pend, x, e->imm); DONE(2); } \
    L_##name##_Q: WORD(e->b) = (u16)(WORD(e->b) sign WORD(e->a)); DONE(1); \
    L_##name##I_Q: WORD(e->b) = (u16)(WORD(e->b) sign e->imm); DONE(2)

#define COMPARE(cc, type, sign) \
    L_CPJ_##cc: { u16 x = WORD(e->b), y = WORD(e->a); LATER(PEND_CP, x, y); \
                  if ((type)x sign (type)y) { JUMP((s16)e->imm); } DONE(2); } \
    L_CPIJ_##cc: { u16 x = WORD(e->b), y = e->imm; LATER(PEND_CP, x, y); \
                  if ((type)x sign (type)y) { JUMP(2 + (s8)e->a); } DONE(3); }

#define SUBTRACT(cc, sign) \
    L_SUBJ_##cc: { u16 x = WORD(e->b), y = WORD(e->a); WORD(e->b) = (u16)(x - y); \
                   LATER(PEND_SUB, x, y); if (x sign y) { JUMP((s16)e->imm); } DONE(2); }

/* To an address on any page; leaves where that has no code in memory. */
#define FLY(segment_, pc_) do { \
        c->segment = (segment_); \
        c->pc = (pc_); \
        if (left < 0 || (c->pc & 1) || !f->read[page_of(c->segment, c->pc)]) \
            goto landed; \
        code = code_page(f, page_of(c->segment, c->pc), labels); \
        e = &code->entry[c->pc / 2 % WORDS]; \
        goto *e->go; \
    } while (0)

/* The host word at an address on the stack, in RR14. */
#define STACK(table, by) \
    u16 off = (u16)(c->r[15] + (by)); \
    u8 *p = f->table[(u32)(c->r[14] & 0x7f00) >> 1 | off / Z8000_FAST_PAGE]; \
    if (__builtin_expect(!p || (off & (Z8000_FAST_PAGE - 1)) > Z8000_FAST_PAGE - 4 || (off & 1), 0)) \
        goto out; \
    p += off & WORD_IN

/* Runs from the PC until `left` clocks are used or something has no short way. Returns the
 * clocks used; all state is as between two instructions. */
static s64 burst(struct z8000_fast *f, s64 budget)
{
    static const void *const labels[OP_COUNT] = {
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
        [OP_CALR] = &&L_CALR, [OP_RET] = &&L_RET, [OP_GENERIC] = &&L_GENERIC,
    };
    struct z8000 *c = f->cpu;
    u8 *regs = (u8 *)c->r;
    s64 left = budget;
    enum kind kind = MADE;
    u16 fa = 0, fb = 0;
    struct code *code;
    struct entry *e;

    if ((c->pc & 1) || !f->read[page_of(c->segment, c->pc)])
        return 0;
    code = code_page(f, page_of(c->segment, c->pc), labels);
    e = &code->entry[c->pc / 2 % WORDS];
    goto *e->go;

L_DECODE:
    e->go = labels[decode(e, code->host, (u32)(e - code->entry))];
    goto *e->go;
L_EDGE: {
    u16 pc = (u16)((code->number * Z8000_FAST_PAGE + Z8000_FAST_PAGE) & 0xffff);
    u32 number = page_of(c->segment, pc);

    /* Not the next page itself: `e` is already at its first word if we leave here. */
    if (left < 0 || !f->read[number])
        goto out;
    code = code_page(f, number, labels);
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
L_LD_LOAD: { POINT(read, e->a & ~3, WORD_IN); u16 x;
             __builtin_memcpy(&x, p, 2); WORD(e->b) = __builtin_bswap16(x); DONE(1); }
L_LD_STORE: { POINT(write, e->a & ~3, WORD_IN); u16 x = __builtin_bswap16(WORD(e->b));
             __builtin_memcpy(p, &x, 2); DONE(1); }
L_LDB_LOAD: { POINT(read, e->a & ~3, BYTE_IN); regs[e->b] = *p; DONE(1); }
L_LDB_STORE: { POINT(write, e->a & ~3, BYTE_IN); *p = regs[e->b]; DONE(1); }
    ARITH(ADD, +, PEND_ADD);
    ARITH(SUB, -, PEND_SUB);
    LOGIC(AND, &, PEND_AND);
    LOGIC(OR, |, PEND_OR);
    LOGIC(XOR, ^, PEND_XOR);
L_CP: LATER(PEND_CP, WORD(e->b), WORD(e->a)); DONE(1);
L_CPI: LATER(PEND_CP, WORD(e->b), e->imm); DONE(2);
L_INC: FLUSH(); LATER(PEND_INC, WORD(e->a), e->imm); WORD(e->a) = (u16)(fa + fb); DONE(1);
L_DEC: FLUSH(); LATER(PEND_DEC, WORD(e->a), e->imm); WORD(e->a) = (u16)(fa - fb); DONE(1);
L_INC_Q: WORD(e->a) = (u16)(WORD(e->a) + e->imm); DONE(1);
L_DEC_Q: WORD(e->a) = (u16)(WORD(e->a) - e->imm); DONE(1);
L_JR:
    FLUSH();
    if (condition(c->fcw, e->b))
        JUMP((s16)e->imm);
    DONE(1);
L_JR_ALWAYS: JUMP((s16)e->imm);
L_DJNZ:
    if (--WORD(e->a))
        JUMP((s16)e->imm);
    DONE(1);
L_DBJNZ:
    if (--regs[e->a])
        JUMP((s16)e->imm);
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
    u16 pc = (u16)(code->number * Z8000_FAST_PAGE + 2 * (u32)(e + 1 - code->entry));

    p[0] = 0x80 | c->segment;
    p[1] = 0;
    p[2] = (u8)(pc >> 8);
    p[3] = (u8)pc;
    c->r[15] = off;
    pc = (u16)(pc - 2 * ((s16)(e->imm << 4) >> 4));
    left -= e->clocks;
    FLY(c->segment, pc);
}
L_RET: {
    STACK(read, 0);
    u8 segment = p[0] & 0x7f;
    u16 pc = (u16)(p[2] << 8 | p[3]);

    c->r[15] = (u16)(off + 4);
    left -= e->clocks;
    FLY(segment, pc);
}
L_GENERIC: {
    u32 clocks;

    FLUSH();
    clocks = generic(f, e, code->host, (u32)(e - code->entry));
    if (!clocks)
        goto out;
    left -= clocks;
    e += e->a;
    if (left < 0)
        goto out;
    goto *e->go;
}

out:
    c->pc = (u16)(code->number * Z8000_FAST_PAGE + 2 * (u32)(e - code->entry));
landed:
    make_flags(c, kind, fa, fb);
    c->clocks += (u64)(budget - left);
    return budget - left;
}

/* clang-format on */

static bool can_burst(const struct z8000 *c)
{
    return c->u.stage == STAGE_REST && !c->u.repeating && !c->halted && !c->lines &&
           (c->fcw & (Z8000_SEG | Z8000_SYSTEM)) == Z8000_SEG;
}

enum z8000_result z8000_fast_run(struct z8000_fast *f, u64 until)
{
    struct z8000 *c = f->cpu;

    while (c->clocks < until) {
        enum z8000_result result;

        if (can_burst(c) && until - c->clocks > SLACK)
            burst(f, (s64)(until - c->clocks - SLACK));
        if (c->clocks >= until)
            break;
        result = z8000_step(c);
        if (result != Z8000_DONE)
            return result;
    }
    return Z8000_DONE;
}
