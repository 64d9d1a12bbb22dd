/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LTR, where the processor cannot be trusted with it: QEMU's TCG takes a null selector, and then
 * the whole machine ends at the guest's next change of rings. There the instruction exits and is
 * done here, to the end, so that nothing can change between the look and the use. AMD APM vol. 2,
 * 4.8.3, 8.2; vol. 3, LTR; vol. 3, 1.4 and 1.7 for operands in memory.
 */
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/x86.h"
#include "hyp/dom/access.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/svm/svm.h"

enum { NP = 11, GP = 13, TASK_FREE = 9, TASK_FREE_16 = 1, BUSY = 2, LOCAL = 4, RING = 3 };
enum { BX = 3, SP = 4, BP = 5, SI = 6, DI = 7, NONE = 16 };

/* The instruction, as far as it is read. */
struct ltr {
    u8 code[INSN_MOST];
    u32 len, at;
    u32 bits;    /* of addresses */
    u32 segment; /* VIRT_*; of the operand */
    u8 rex, modrm;
    bool overridden;
};

static s64 displacement(struct ltr *i, u32 bytes)
{
    u32 at = i->at;

    i->at += bytes;
    if (i->at > i->len)
        return 0;
    switch (bytes) {
    case 1: return (s8)i->code[at];
    case 2: return (s16)(i->code[at] | i->code[at + 1] << 8);
    case 4:
        return (s32)(i->code[at] | (u32)i->code[at + 1] << 8 | (u32)i->code[at + 2] << 16 |
                     (u32)i->code[at + 3] << 24);
    default: return 0;
    }
}

/* Prefixes, opcode, ModRM. The opcode is known to be LTR's: the exit says so. */
static bool begin(struct vcpu *v, struct ltr *i)
{
    static const u8 override[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}; /* es to gs */
    u32 mode = virt_code_bits(v);
    u8 b = 0;

    *i = (struct ltr){.bits = mode, .segment = VIRT_DS};
    i->len = insn_fetch(v, i->code, INSN_MOST);
    for (; i->at < i->len; i->at++) {
        b = i->code[i->at];
        if (b == 0x67)
            i->bits = mode == 32 ? 16 : 32;
        for (u32 s = 0; s < ARRAY_SIZE(override); s++)
            if (b == override[s])
                i->segment = s, i->overridden = true;
        if (b != 0x66 && b != 0x67 && (b & 0xfe) != 0xf2 && (b & 0xe7) != 0x26 &&
            (b & 0xfe) != 0x64)
            break;
    }
    if (mode == 64 && (b & 0xf0) == 0x40)
        i->rex = i->code[i->at++];
    if (i->at + 3 > i->len)
        return false;
    i->modrm = i->code[i->at + 2];
    i->at += 3;
    return true;
}

static u64 reg(struct vcpu *v, u32 number)
{
    return number == NONE ? 0 : insn_register(&v->regs, number);
}

/* 16-bit addressing: vol. 3, table 1-13. */
static u64 narrow_address(struct vcpu *v, struct ltr *i)
{
    static const u8 base[] = {BX, BX, BP, BP, SI, DI, BP, BX};
    static const u8 index[] = {SI, DI, SI, DI, NONE, NONE, NONE, NONE};
    u32 mod = i->modrm >> 6, rm = i->modrm & 7;

    if (mod == 0 && rm == 6)
        return (u16)displacement(i, 2);
    if (base[rm] == BP && !i->overridden)
        i->segment = VIRT_SS;
    return (u16)(reg(v, base[rm]) + reg(v, index[rm]) + (u64)displacement(i, mod));
}

/* The rest: with SIB, and relative to the instruction's end in 64-bit code. */
static u64 address(struct vcpu *v, struct ltr *i)
{
    u32 mod = i->modrm >> 6, base = i->modrm & 7, index = NONE, scale = 0;
    u64 at;

    if (base == SP && i->at < i->len) {
        u8 sib = i->code[i->at++];

        base = sib & 7;
        scale = sib >> 6;
        index = (sib >> 3 & 7) | (i->rex & 2u) << 2;
        if (index == SP)
            index = NONE;
    } else if (mod == 0 && base == BP && virt_code_bits(v) == 64) {
        at = (u64)displacement(i, 4);
        return at + v->regs.rip + i->at;
    }
    if (mod == 0 && base == BP)
        return (reg(v, index) << scale) + (u64)displacement(i, 4);
    if (!(i->rex & 1) && (base == SP || base == BP) && !i->overridden)
        i->segment = VIRT_SS;
    at = reg(v, base | (i->rex & 1u) << 3) + (reg(v, index) << scale);
    return at + (u64)displacement(i, mod == 2 ? 4 : mod);
}

/* Bytes at a linear address; false: the page fault is on its way. */
static bool load(struct vcpu *v, u64 linear, void *to, size_t len)
{
    u32 code;

    if (!guest_read(v, to, linear, len))
        return true;
    if (!guest_probe(v, linear, false, false, &code))
        guest_probe(v, linear + len - 1, false, false, &code);
    virt_inject_page_fault(v, linear, code);
    return false;
}

/* The selector; false: an exception is on its way. */
static bool get_operand(struct vcpu *v, struct ltr *i, u16 *selector)
{
    struct virt_segment s;
    u64 at;

    if (i->modrm >> 6 == 3) {
        *selector = (u16)insn_register(&v->regs, (i->modrm & 7u) | (i->rex & 1u) << 3);
        return true;
    }
    at = i->bits == 16 ? narrow_address(v, i) : address(v, i);
    if (i->bits == 32)
        at = (u32)at;
    virt_data_segment(v, i->segment, &s);
    at += s.base;
    if (virt_code_bits(v) != 64)
        at = (u32)at;
    return load(v, at, selector, sizeof(*selector));
}

static void refuse(struct vcpu *v, u8 vector, u16 selector)
{
    virt_inject_exception(v, vector, true, selector & ~(u32)RING);
}

/* 0, or the exception that a descriptor is worth. */
static u8 fault_of(const u64 *d, bool long_mode)
{
    u32 type = d[0] >> 40 & 0x1f;

    if (type != TASK_FREE && (type != TASK_FREE_16 || long_mode))
        return GP;
    if (long_mode && d[1] >> 40 & 0x1f)
        return GP;
    return d[0] >> 47 & 1 ? 0 : NP;
}

static void set_task(struct vcpu *v, u16 selector, const u64 *d)
{
    struct vmcb *b = v->virt->vmcb;
    u32 limit = (u32)((d[0] & 0xffff) | (d[0] >> 32 & 0xf0000));

    if (this_cpu()->loaded == v)
        svm_unload();
    b->tr.selector = selector;
    b->tr.attr = (u16)((d[0] >> 40 & 0xff) | (d[0] >> 44 & 0xf00) | svm.task_busy);
    b->tr.limit = d[0] >> 55 & 1 ? limit << 12 | 0xfff : limit;
    b->tr.base = (d[0] >> 16 & 0xffffff) | (d[0] >> 32 & 0xff000000) | d[1] << 32;
}

void svm_ltr(struct vcpu *v)
{
    const struct vmcb *b = v->virt->vmcb;
    bool long_mode = b->efer & EFER_LMA;
    u32 size = long_mode ? 16 : 8;
    u64 d[2] = {0}, at;
    struct ltr i;
    u16 selector;
    u8 vector, type;

    if (!begin(v, &i)) {
        svm_fault(v);
        return;
    }
    if (!get_operand(v, &i, &selector))
        return;
    at = b->gdtr.base + (selector & ~7u);
    if (!(selector & ~(u32)RING) || selector & LOCAL ||
        (selector & ~7u) + size - 1 > b->gdtr.limit) {
        refuse(v, GP, selector);
        return;
    }
    if (!load(v, at, d, size))
        return;
    vector = fault_of(d, long_mode);
    type = (u8)(d[0] >> 40 | BUSY);
    if (vector) {
        refuse(v, vector, selector);
    } else if (guest_write(v, at + 5, &type, 1)) {
        virt_inject_page_fault(v, at + 5, 3);
    } else {
        set_task(v, selector, d);
        svm_skip(v, i.at);
    }
}
