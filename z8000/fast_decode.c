/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From an instruction to its entry: the short form it has, jumps that are joined to the
 * comparison before them, flags that nobody will see.
 */
#include "base/bytes.h"
#include "z8000/fast_code.h"

/* How far to look for an instruction that overwrites flags unseen; those on the way may set
 * some and keep others, but none looks. */
enum { LOOKAHEAD = 6 };
enum { PAIR = 0xfc }; /* of a byte offset in the registers: that of the even one */

/* What a plain form decodes to. `quiet` 0: has no flags; else its form without flags. */
static const struct plain {
    u16 value, mask;
    u8 op, quiet, words, clocks;
} plains[] = {
    {0x8d07, 0xffff, OP_NOP, 0, 1, 7},          {0xa100, 0xff00, OP_LD, 0, 1, 3},
    {0x2100, 0xfff0, OP_LDI, 0, 2, 7},          {0xbd00, 0xff00, OP_LDK, 0, 1, 5},
    {0xa000, 0xff00, OP_LDB, 0, 1, 3},          {0xc000, 0xf000, OP_LDBI, 0, 1, 5},
    {0x8d08, 0xff0f, OP_CLR, 0, 1, 7},          {0xad00, 0xff00, OP_EX, 0, 1, 6},
    {0x2100, 0xff00, OP_LD_LOAD, 0, 1, 7},      {0x2f00, 0xff00, OP_LD_STORE, 0, 1, 8},
    {0x2000, 0xfff0, OP_SLOW, 0, 2, 7},         {0x2000, 0xff00, OP_LDB_LOAD, 0, 1, 7},
    {0x2e00, 0xff00, OP_LDB_STORE, 0, 1, 8},    {0x8100, 0xff00, OP_ADD, OP_ADD_Q, 1, 4},
    {0x0100, 0xfff0, OP_ADDI, OP_ADDI_Q, 2, 7}, {0x8300, 0xff00, OP_SUB, OP_SUB_Q, 1, 4},
    {0x0300, 0xfff0, OP_SUBI, OP_SUBI_Q, 2, 7}, {0x8b00, 0xff00, OP_CP, OP_NOP, 1, 4},
    {0x0b00, 0xfff0, OP_CPI, OP_CPI, 2, 7},     {0x8700, 0xff00, OP_AND, OP_AND_Q, 1, 4},
    {0x0700, 0xfff0, OP_ANDI, OP_ANDI_Q, 2, 7}, {0x8500, 0xff00, OP_OR, OP_OR_Q, 1, 4},
    {0x0500, 0xfff0, OP_ORI, OP_ORI_Q, 2, 7},   {0x8900, 0xff00, OP_XOR, OP_XOR_Q, 1, 4},
    {0x0900, 0xfff0, OP_XORI, OP_XORI_Q, 2, 7}, {0xa900, 0xff00, OP_INC, OP_INC_Q, 1, 4},
    {0xab00, 0xff00, OP_DEC, OP_DEC_Q, 1, 4},   {0xd000, 0xf000, OP_CALR, 0, 1, 15},
    {0x9900, 0xff00, OP_MULT, 0, 1, 70},        {0x1900, 0xfff0, OP_MULTI, 0, 2, 70},
    {0x2900, 0xff00, OP_INC_MEMORY, 0, 1, 11},  {0x2b00, 0xff00, OP_DEC_MEMORY, 0, 1, 11},
    {0x1900, 0xff00, OP_MULT_LOAD, 0, 1, 70},   {0x9e08, 0xffff, OP_RET, 0, 1, 13},
    {0xe800, 0xff00, OP_JR_ALWAYS, 0, 1, 6},    {0xe000, 0xf000, OP_JR, 0, 1, 6},
    {0xf080, 0xf080, OP_DJNZ, 0, 1, 11},        {0xf000, 0xf080, OP_DBJNZ, 0, 1, 11},
};

static const struct plain *find(u16 word)
{
    for (size_t i = 0; i < ARRAY_SIZE(plains); i++)
        if ((word & plains[i].mask) == plains[i].value)
            return &plains[i];
    return NULL;
}

/* ADD, SUB, CP and MULT of words set all flags that the other word forms set. */
static bool overwrites_flags(u8 op)
{
    return (op >= OP_ADD && op <= OP_CPI) || op == OP_MULT || op == OP_MULTI;
}

static bool flags_unseen(const u8 *host, u32 index)
{
    for (unsigned n = 0; n < LOOKAHEAD && index < FAST_WORDS; n++) {
        const struct plain *p = find(fast_word(host, index));

        /* A form that may turn out slow is stopped in front of, with all flags to be shown. */
        if (!p || index + p->words > FAST_WORDS)
            return false;
        if (overwrites_flags(p->op))
            return true;
        if (!p->quiet && p->op != OP_LD && p->op != OP_LDI && p->op != OP_LDK &&
            p->op != OP_NOP && p->op != OP_CLR && p->op != OP_EX)
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
        [1] = OP_CPJ_LT,  [2] = OP_CPJ_LE,   [3] = OP_CPJ_ULE, [6] = OP_CPJ_EQ,
        [7] = OP_CPJ_ULT, [9] = OP_CPJ_GE,   [10] = OP_CPJ_GT, [11] = OP_CPJ_UGT,
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

/* A distance in entries as bytes, which saves the multiplication. */
static u16 jump_field(s32 distance)
{
    return (u16)(distance * (s32)sizeof(struct entry));
}

/* Words from the jump's own entry to its target; false if that is on another page. */
static bool jump_distance(u16 word, u32 index, s32 *distance)
{
    s32 by = word >> 12 == 0xe ? 1 + (s8)word : 1 - (word & 0x7f);

    *distance = by;
    return (s32)index + by >= 0 && (s32)index + by < FAST_WORDS;
}

/* CALR's target, and its return address as it is pushed where the PC's segment word has bit 15. */
static void call_operands(struct entry *e, const struct code *code, u32 index, u16 word)
{
    u16 after = (u16)(code->number * Z8000_FAST_PAGE + 2 * (index + 1));

    e->imm = (u16)(after - 2 * ((s16)(u16)(word << 4) >> 4));
    be32_put(&e->frame, code->pushed | after);
}

static void operands(struct entry *e, const struct plain *p, const struct code *code, u32 index)
{
    const u8 *host = code->host;
    u16 word = fast_word(host, index);

    e->a = (u8)(2 * (word >> 4 & 15));
    e->b = (u8)(2 * (word & 15));
    if (p->words == 2)
        e->imm = fast_word(host, index + 1);
    switch (p->op) {
    case OP_INC_MEMORY:
    case OP_DEC_MEMORY:
        e->a &= PAIR;
        e->imm = (u16)((word & 15) + 1);
        break;
    case OP_LDK:
    case OP_INC:
    case OP_DEC: e->imm = (u16)((word & 15) + (p->op != OP_LDK)); break;
    case OP_LD_LOAD:
    case OP_LD_STORE: e->a &= PAIR; break;
    case OP_LDB:
        e->a = byte_offset(word >> 4 & 15);
        e->b = byte_offset(word & 15);
        break;
    case OP_LDBI:
        e->a = byte_offset(word >> 8 & 15);
        e->imm = word & 0xff;
        break;
    case OP_MULT_LOAD:
        e->a &= PAIR;
        e->b = (u8)(2 * (word & 14));
        break;
    case OP_MULT:
    case OP_MULTI: e->b = (u8)(2 * (word & 14)); break;
    case OP_LDB_LOAD:
    case OP_LDB_STORE:
        e->a &= PAIR;
        e->b = byte_offset(word & 15);
        break;
    case OP_CALR: call_operands(e, code, index, word); break;
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
        run_alu,   run_unary,       run_test,        run_neg,          run_clear,
        run_tset,  run_load,        run_store,       run_exchange,     run_step_by,
        run_bit,   run_bit_dynamic, run_dab,         run_extend,       run_tcc,
        run_mult,  run_div,         run_rotate,      run_shift,        run_shift_dynamic,
        run_digit, run_flag,        run_ldctlb_read, run_ldctlb_write, run_load_byte,
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
    u16 word = fast_word(host, index), i = 0;
    const struct row *row;
    bool simple;

    while ((word & z8000_rows[i].mask) != z8000_rows[i].value)
        i++;
    row = &z8000_rows[i];
    simple = row->mode == MODE_NONE || row->mode == MODE_R || row->mode == MODE_IM ||
             (row->mode == MODE_IR && row->size != SIZE_L);
    if (!simple || !row->name || (row->flags & (PRIVILEGED | EXTENDED | LOW_FIELD)) ||
        !pure_handler(row->run) || index + 1u + row->before + row->after > FAST_WORDS)
        return OP_SLOW;
    e->imm = i;
    e->a = (u8)(1 + row->before + row->after);
    return OP_GENERIC;
}

u8 fast_decode(struct entry *e, const struct code *code, u32 index)
{
    const u8 *host = code->host;
    const struct plain *p = find(fast_word(host, index));
    u32 after;
    s32 distance;
    u8 both;

    if (!p || p->op == OP_SLOW)
        return decode_generic(e, host, index);
    if (index + p->words > FAST_WORDS)
        return OP_SLOW;
    after = index + p->words;
    e->clocks = p->clocks;
    operands(e, p, code, index);
    if (p->op == OP_JR || p->op == OP_JR_ALWAYS || p->op == OP_DJNZ || p->op == OP_DBJNZ) {
        if (!jump_distance(fast_word(host, index), index, &distance))
            return OP_SLOW;
        e->imm = jump_field(distance);
        return p->op;
    }
    if (p->op == OP_SUB) {
        both = after < FAST_WORDS ? fused_subtract(fast_word(host, after)) : OP_SLOW;
        if (both != OP_SLOW && jump_distance(fast_word(host, after), after, &distance)) {
            e->imm = jump_field(distance + 1);
            e->clocks += 6;
            return both;
        }
    }
    if (p->op == OP_CP || p->op == OP_CPI) {
        both = after < FAST_WORDS ? fused(fast_word(host, after)) : OP_SLOW;
        if (both == OP_SLOW || !jump_distance(fast_word(host, after), after, &distance))
            return p->op;
        if (p->op == OP_CP) {
            e->imm = jump_field(distance + 1);
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
