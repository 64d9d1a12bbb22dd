/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From instructions to entries, a run at a time: the short form that each has, forms that are
 * joined to the one before them, flags that nobody will see, the clocks from each to the end.
 */
#include "base/bytes.h"
#include "z8000/fast_code.h"

enum { PAIR = 0xfc }; /* of a byte offset in the registers: that of the even one */

/* What a plain form decodes to. */
static const struct plain {
    u16 value, mask;
    u8 op, words, clocks;
} plains[] = {
    {0x8d07, 0xffff, OP_NOP, 1, 7},         {0xa100, 0xff00, OP_LD, 1, 3},
    {0x2100, 0xfff0, OP_LDI, 2, 7},         {0xbd00, 0xff00, OP_LDK, 1, 5},
    {0xa000, 0xff00, OP_LDB, 1, 3},         {0xc000, 0xf000, OP_LDBI, 1, 5},
    {0x8d08, 0xff0f, OP_CLR, 1, 7},         {0xad00, 0xff00, OP_EX, 1, 6},
    {0x2100, 0xff00, OP_LD_LOAD, 1, 7},     {0x2f00, 0xff00, OP_LD_STORE, 1, 8},
    {0x2000, 0xfff0, OP_SLOW, 2, 7},        {0x2000, 0xff00, OP_LDB_LOAD, 1, 7},
    {0x2e00, 0xff00, OP_LDB_STORE, 1, 8},   {0x8100, 0xff00, OP_ADD, 1, 4},
    {0x0100, 0xfff0, OP_ADDI, 2, 7},        {0x8300, 0xff00, OP_SUB, 1, 4},
    {0x0300, 0xfff0, OP_SUBI, 2, 7},        {0x8b00, 0xff00, OP_CP, 1, 4},
    {0x0b00, 0xfff0, OP_CPI, 2, 7},         {0x8700, 0xff00, OP_AND, 1, 4},
    {0x0700, 0xfff0, OP_ANDI, 2, 7},        {0x8500, 0xff00, OP_OR, 1, 4},
    {0x0500, 0xfff0, OP_ORI, 2, 7},         {0x8900, 0xff00, OP_XOR, 1, 4},
    {0x0900, 0xfff0, OP_XORI, 2, 7},        {0xa900, 0xff00, OP_INC, 1, 4},
    {0xab00, 0xff00, OP_DEC, 1, 4},         {0xd000, 0xf000, OP_CALR, 1, 15},
    {0x9900, 0xff00, OP_MULT, 1, 70},       {0x1900, 0xfff0, OP_MULTI, 2, 70},
    {0x2900, 0xff00, OP_INC_MEMORY, 1, 11}, {0x2b00, 0xff00, OP_DEC_MEMORY, 1, 11},
    {0x1900, 0xff00, OP_MULT_LOAD, 1, 70},  {0x9e08, 0xffff, OP_RET, 1, 13},
    {0xe800, 0xff00, OP_JR_ALWAYS, 1, 6},   {0xe000, 0xf000, OP_JR, 1, 6},
    {0xf080, 0xf080, OP_DJNZ, 1, 11},       {0xf000, 0xf080, OP_DBJNZ, 1, 11},
};

static const struct plain *find(u16 word)
{
    for (size_t i = 0; i < ARRAY_SIZE(plains); i++)
        if ((word & plains[i].mask) == plains[i].value)
            return &plains[i];
    return NULL;
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

/* CALR's target, and its return address as it is pushed. */
static void call_operands(struct entry *e, const struct code *code, u32 index, u16 word)
{
    u16 after = (u16)(code->number * Z8000_FAST_PAGE + 2 * (index + 1));
    u16 to = (u16)(after - 2 * ((s16)(u16)(word << 4) >> 4));

    fast_go_to(e, code->base, to);
    be32_put(&e->frame, code->pushed | after);
}

/* RET's first guess: to itself. */
static void return_operands(struct entry *e, const struct code *code, u32 index)
{
    u16 pc = (u16)(code->number * Z8000_FAST_PAGE + 2 * index);

    fast_go_to(e, code->base, pc);
    be32_put(&e->frame, code->pushed | pc);
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
    case OP_RET: return_operands(e, code, index); break;
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

static bool jumps(u8 op)
{
    return op == OP_JR || op == OP_JR_ALWAYS || op == OP_DJNZ || op == OP_DBJNZ;
}

/* One instruction on its own: which form it is, its operands and its clocks. */
static u8 decode_one(struct entry *e, const struct code *code, u32 index, u8 *words)
{
    u16 word = fast_word(code->host, index);
    const struct plain *p = find(word);
    s32 distance = 0;

    e->sum = 0;
    if (!p || p->op == OP_SLOW)
        return decode_generic(e, code->host, index);
    if (index + p->words > FAST_WORDS ||
        (jumps(p->op) && !jump_distance(word, index, &distance)))
        return OP_SLOW;
    *words = p->words;
    e->sum = p->clocks;
    operands(e, p, code, index);
    if (jumps(p->op))
        e->imm = jump_field(distance);
    if (p->op == OP_MULTI && e->imm == 0)
        e->sum -= FAST_MULT_ZERO;
    return p->op;
}

/* Whether control goes on elsewhere, or in front of the next form by looking at the limit. */
static bool ends_run(u8 op)
{
    return op == OP_SLOW || op == OP_GENERIC || op == OP_CALR || op == OP_RET || jumps(op);
}

/* All flags, without looking at any and without stopping in front. */
static bool overwrites_flags(u8 op)
{
    return (op >= OP_ADD && op <= OP_CPI) || op == OP_MULT || op == OP_MULTI;
}

/* Forms that neither look at flags nor may turn out slow (which shows them all). */
static bool passes_flags(u8 op)
{
    return (op >= OP_NOP && op <= OP_EX) || (op >= OP_AND && op <= OP_XORI) || op == OP_INC ||
           op == OP_DEC;
}

/* The form without its flags, which nobody will see. */
static u8 quiet(u8 op)
{
    switch (op) {
    case OP_ADD: return OP_ADD_Q;
    case OP_ADDI: return OP_ADDI_Q;
    case OP_SUB: return OP_SUB_Q;
    case OP_SUBI: return OP_SUBI_Q;
    case OP_CP: return OP_NOP;
    case OP_AND: return OP_AND_Q;
    case OP_ANDI: return OP_ANDI_Q;
    case OP_OR: return OP_OR_Q;
    case OP_ORI: return OP_ORI_Q;
    case OP_XOR: return OP_XOR_Q;
    case OP_XORI: return OP_XORI_Q;
    case OP_INC: return OP_INC_Q;
    case OP_DEC: return OP_DEC_Q;
    case OP_MULT: return OP_MULT_Q;
    case OP_MULTI: return OP_MULTI_Q;
    case OP_MULT_LOAD: return OP_MULT_LOAD_Q;
    default: return op;
    }
}

/* A comparison and a conditional jump after it as one form: JR's condition as that of the
 * operands; OP_SLOW: has none. */
static u8 compared(u8 cc, u8 first)
{
    static const u8 ops[16] = {
        [1] = OP_CPJ_LT,  [2] = OP_CPJ_LE,   [3] = OP_CPJ_ULE, [6] = OP_CPJ_EQ,
        [7] = OP_CPJ_ULT, [9] = OP_CPJ_GE,   [10] = OP_CPJ_GT, [11] = OP_CPJ_UGT,
        [14] = OP_CPJ_NE, [15] = OP_CPJ_UGE,
    };

    return ops[cc] ? (u8)(ops[cc] + first - OP_CPJ_EQ) : OP_SLOW;
}

/* The same after SUB, for the conditions that its operands alone decide. */
static u8 subtracted(u8 cc)
{
    switch (cc) {
    case 6: return OP_SUBJ_EQ;
    case 7: return OP_SUBJ_ULT;
    case 14: return OP_SUBJ_NE;
    case 15: return OP_SUBJ_UGE;
    default: return OP_SLOW;
    }
}

/* LD of registers and the form after it. */
static u8 copied(u8 next)
{
    switch (next) {
    case OP_LD_LOAD: return OP_COPY_LOAD;
    case OP_LD_STORE: return OP_COPY_STORE;
    case OP_ADD: return OP_COPY_ADD;
    case OP_ADDI: return OP_COPY_ADDI;
    case OP_SUB: return OP_COPY_SUB;
    case OP_SUBI: return OP_COPY_SUBI;
    case OP_AND: return OP_COPY_AND;
    case OP_ANDI: return OP_COPY_ANDI;
    case OP_MULTI_Q: return OP_COPY_MULTI_Q;
    case OP_MULT_LOAD_Q: return OP_COPY_MULT_LOAD_Q;
    default: return OP_SLOW;
    }
}

/* Two forms as one, which takes the second's operands from its own entry. */
static u8 joined(u8 op, u8 next, const struct entry *after)
{
    u8 both = OP_SLOW;

    if (op == OP_LD)
        both = copied(next);
    else if (op == OP_CP && next == OP_JR)
        both = compared(after->b, OP_CPJ_EQ);
    else if (op == OP_CPI && next == OP_JR)
        both = compared(after->b, OP_CPIJ_EQ);
    else if (op == OP_SUB && next == OP_JR)
        both = subtracted(after->b);
    return both == OP_SLOW ? op : both;
}

/* A run in order, and what each of its instructions is on its own. */
struct run {
    u32 length;
    u8 at[FAST_WORDS], op[FAST_WORDS];
};

/* From the last to the first: what clocks are to come, whether flags will be seen, and which
 * two are one. `sum`: of what the run goes on with. */
static void finish(struct entry *entries, const struct run *run, s32 sum,
                   const void *const *labels)
{
    bool unseen = false;
    u8 next = OP_SLOW;

    for (u32 i = run->length; i-- > 0;) {
        struct entry *e = &entries[run->at[i]];
        u8 op = run->op[i], form = unseen ? quiet(op) : op;

        unseen = overwrites_flags(op) || (unseen && passes_flags(op));
        sum = e->sum += sum;
        if (i + 1 < run->length)
            form = joined(form, next, &entries[run->at[i + 1]]);
        e->go = labels[form];
        next = form;
    }
}

void fast_decode(struct code *code, u32 index, const void *const *labels)
{
    struct run run = {.length = 0};
    u8 op = OP_NOP;

    while (!ends_run(op) && code->entry[index].go == labels[OP_DECODE]) {
        u8 words = 1;

        op = decode_one(&code->entry[index], code, index, &words);
        run.at[run.length] = (u8)index;
        run.op[run.length++] = op;
        index += words;
    }
    finish(code->entry, &run, ends_run(op) ? 0 : code->entry[index].sum, labels);
}
