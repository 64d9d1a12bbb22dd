/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD APM vol. 3, chapter 1 and appendix A.
 */
#include "hyp/virt/decode.h"
#include "hyp/dom/domain.h"

struct cursor {
    const u8 *code;
    u32 at, len, bits;
    bool wide_operand, wide_address; /* the other of 16/32 is chosen by prefix */
    u8 rex;
};

static bool take(struct cursor *c, u8 *byte)
{
    if (c->at >= c->len)
        return false;
    *byte = c->code[c->at++];
    return true;
}

static u8 prefixes(struct cursor *c)
{
    bool operand = false, address = false;
    u8 b = 0;

    while (take(c, &b)) {
        if (b == 0x66)
            operand = true;
        else if (b == 0x67)
            address = true;
        else if (b != 0x2e && b != 0x36 && b != 0x3e && b != 0x26 && b != 0x64 && b != 0x65 &&
                 b != 0xf0)
            break;
    }
    c->rex = 0;
    if (c->bits == 64 && (b & 0xf0) == 0x40) {
        c->rex = b;
        b = 0;
        take(c, &b);
    }
    c->wide_operand = (c->bits != 16) != operand;
    c->wide_address = (c->bits != 16) != address;
    return b;
}

static u8 operand_size(const struct cursor *c)
{
    return c->rex & 8 ? 8 : c->wide_operand ? 4 : 2;
}

/* Skips ModRM, SIB and displacement of a memory operand; *reg is the middle field. False
 * for register operands. */
static bool skip_operand(struct cursor *c, u8 *reg)
{
    u8 modrm, sib = 0;
    u32 mod, rm, skip;

    if (!take(c, &modrm))
        return false;
    mod = modrm >> 6;
    rm = modrm & 7;
    *reg = (u8)((modrm >> 3 & 7) | (c->rex & 4) << 1);
    if (mod == 3)
        return false;
    if (c->bits != 64 && !c->wide_address) {
        skip = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 6) ? 2 : 0;
    } else {
        if (rm == 4 && !take(c, &sib))
            return false;
        skip = mod == 1 ? 1 : mod == 2 ? 4 : 0;
        if (mod == 0 && (rm == 5 || (rm == 4 && (sib & 7) == 5)))
            skip = 4;
    }
    c->at += skip;
    return c->at <= c->len;
}

static bool immediate(struct cursor *c, struct insn *i, u32 bytes)
{
    u64 value = 0;
    u8 b;

    for (u32 k = 0; k < bytes; k++) {
        if (!take(c, &b))
            return false;
        value |= (u64)b << 8 * k;
    }
    i->immediate = true;
    i->data = bytes == 4 ? (u64)(s64)(s32)value : value;
    return true;
}

/* Without REX, byte registers 4-7 are the second bytes of 0-3. */
static void byte_register(const struct cursor *c, struct insn *i)
{
    if (!c->rex && i->reg >= 4 && i->reg < 8)
        i->reg = (u8)(16 + i->reg - 4);
}

static bool two_bytes(struct cursor *c, struct insn *i)
{
    u8 b;

    if (!take(c, &b) || (b != 0xb6 && b != 0xb7 && b != 0xbe && b != 0xbf))
        return false;
    i->size = b & 1 ? 2 : 1;
    i->reg_size = operand_size(c);
    i->sign_extend = b >= 0xbe;
    return skip_operand(c, &i->reg);
}

static bool one_byte(struct cursor *c, struct insn *i, u8 b)
{
    i->size = i->reg_size = b & 1 ? operand_size(c) : 1;
    switch (b) {
    case 0x88:
    case 0x89:
    case 0x8a:
    case 0x8b:
        i->write = b < 0x8a;
        if (!skip_operand(c, &i->reg))
            return false;
        if (i->size == 1)
            byte_register(c, i);
        return true;
    case 0xa0:
    case 0xa1:
    case 0xa2:
    case 0xa3:
        i->write = b >= 0xa2;
        c->at += c->bits == 64 ? (c->wide_address ? 8 : 4) : c->wide_address ? 4 : 2;
        return c->at <= c->len;
    case 0xc6:
    case 0xc7:
        i->write = true;
        return skip_operand(c, &i->reg) && !(i->reg & 7) && immediate(c, i, MIN(i->size, 4));
    case 0x63: /* MOVSXD */
        i->size = 4;
        i->sign_extend = true;
        return c->bits == 64 && skip_operand(c, &i->reg);
    default: return false;
    }
}

bool insn_decode(struct insn *i, const u8 *code, u32 len, u32 code_bits)
{
    struct cursor c = {.code = code, .len = len, .bits = code_bits};
    u8 b = prefixes(&c);
    bool ok;

    *i = (struct insn){0};
    ok = b == 0x0f ? two_bytes(&c, i) : one_byte(&c, i, b);
    i->length = (u8)c.at;
    return ok;
}

/* struct guest_regs keeps rbx after rax; the processor's numbers do not. */
static u64 *slot(const struct guest_regs *r, u32 reg)
{
    static const u8 place[16] = {0, 2, 3, 1, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15};

    return (u64 *)(uintptr_t)&r->rax + place[reg & 15];
}

u64 insn_register(const struct guest_regs *r, u32 number)
{
    return *slot(r, number);
}

static u64 mask_of(u32 bytes)
{
    return bytes == 8 ? ~0ull : (1ull << 8 * bytes) - 1;
}

u64 insn_value(const struct insn *i, const struct guest_regs *r)
{
    if (i->immediate)
        return i->data & mask_of(i->size);
    if (i->reg >= 16)
        return *slot(r, i->reg - 16u) >> 8 & 0xff;
    return *slot(r, i->reg) & mask_of(i->size);
}

void insn_set(const struct insn *i, struct guest_regs *r, u64 value)
{
    u64 *to, mask = mask_of(i->reg_size);

    value &= mask_of(i->size);
    if (i->sign_extend && value >> (8 * i->size - 1) & 1)
        value |= ~mask_of(i->size);
    if (i->reg >= 16) {
        to = slot(r, i->reg - 16u);
        *to = (*to & ~0xff00ull) | (value & 0xff) << 8;
        return;
    }
    to = slot(r, i->reg);
    *to = i->reg_size == 4 ? (u32)value : (*to & ~mask) | (value & mask);
}
