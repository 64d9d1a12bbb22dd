/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports that exit belong to nobody, but for the console's 0xE9: reads are all ones, writes
 * are lost. INS and OUTS go a bounded piece at a time, by segments and pages as a processor
 * has them, so that what faults in their middle faults in the guest. AMD APM vol. 2, 15.10.
 */
#include "hyp/dom/access.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"
#include "hyp/mm/frame.h"
#include "hyp/virt/decode.h"
#include "hyp/virt/exit.h"

enum { CONSOLE_PORT = 0xe9, STRING_PIECE = 256, FLAG_STEP = 0x100, FLAG_DOWN = 0x400 };
enum { VECTOR_SS = 12, VECTOR_GP = 13 };
enum { SEG_WRITABLE = 2, SEG_DOWN = 4, SEG_CODE = 8, SEG_PRESENT = 0x80, SEG_BIG = 0x400 };

static void port_write(struct vcpu *v, u16 port, char *bytes, size_t len)
{
    if (port == CONSOLE_PORT)
        console_say(v->domain, bytes, len);
}

/* Where a string instruction finds its operand. */
struct place {
    u64 mask; /* of index and count, by the size of addresses */
    u32 segment;
};

/* Read from the instruction's prefixes: what EXITINFO1 says of them depends on the processor. */
static struct place find_place(struct vcpu *v, bool in)
{
    u32 bits = virt_code_bits(v), len;
    struct place p = {.segment = in ? VIRT_ES : VIRT_DS};
    u8 code[INSN_MOST];
    bool other = false;

    len = insn_fetch(v, code, sizeof(code));
    for (u32 i = 0; i < len && (code[i] < 0x6c || code[i] > 0x6f); i++) {
        if (code[i] == 0x67)
            other = true;
        else if (!in && (code[i] & 0xe7) == 0x26)
            p.segment = code[i] >> 3 & 3; /* ES, CS, SS, DS */
        else if (!in && (code[i] == 0x64 || code[i] == 0x65))
            p.segment = code[i] & 1 ? VIRT_GS : VIRT_FS;
    }
    p.mask = bits == 64              ? (other ? 0xffffffff : ~0ull)
             : (bits == 32) != other ? 0xffffffff
                                     : 0xffff;
    return p;
}

/* The segment lets these bytes be read, or written. */
static bool fits(const struct virt_segment *s, u64 offset, u64 len, bool write)
{
    u64 last = offset + len - 1;

    if (!(s->attr & SEG_PRESENT) ||
        (s->attr & SEG_CODE ? write || !(s->attr & SEG_WRITABLE) /* readable, for code */
                            : write && !(s->attr & SEG_WRITABLE)))
        return false;
    if ((s->attr & (SEG_CODE | SEG_DOWN)) == SEG_DOWN)
        return offset > s->limit && last <= (s->attr & SEG_BIG ? 0xffffffff : 0xffff);
    return last <= s->limit;
}

static bool canonical(u64 linear)
{
    return (u64)((s64)(linear << 16) >> 16) == linear;
}

/* Linear address of `len` bytes of the operand, or the exception is injected. */
static bool address(struct vcpu *v, u32 segment, u64 offset, u64 len, bool write, u64 *linear)
{
    struct virt_segment s;
    bool wide = virt_code_bits(v) == 64;

    virt_data_segment(v, segment, &s);
    *linear = s.base + offset;
    if (wide ? canonical(*linear) && canonical(*linear + len - 1)
             : fits(&s, offset, len, write)) {
        if (!wide)
            *linear = (u32)*linear;
        return true;
    }
    virt_inject_exception(v, segment == VIRT_SS ? VECTOR_SS : VECTOR_GP, true, 0);
    return false;
}

/* Each page of the operand may be touched by who runs; else that page's fault is injected. */
static bool permitted(struct vcpu *v, u64 linear, u64 len, bool write)
{
    u64 second = (linear + len - 1) & ~(PAGE_SIZE - 1);
    bool user = virt_cpl(v) == 3;
    u32 code;

    if (guest_probe(v, linear, write, user, &code)) {
        virt_inject_page_fault(v, linear, code);
        return false;
    }
    if (second > linear && guest_probe(v, second, write, user, &code)) {
        virt_inject_page_fault(v, second, code);
        return false;
    }
    return true;
}

/* Moves the bytes; false: an exception is injected. Ring 0's plain case needs no second walk. */
static bool move(struct vcpu *v, const struct virt_exit_info *x, u64 linear, u64 len)
{
    char piece[STRING_PIECE];
    bool careful = virt_cpl(v) == 3 || (linear & (PAGE_SIZE - 1)) + len > PAGE_SIZE;
    int error;

    if (careful && !permitted(v, linear, len, x->io.in))
        return false;
    for (u32 i = 0; i < len; i++)
        piece[i] = (char)0xff;
    error = x->io.in ? guest_write(v, linear, piece, len) : guest_read(v, piece, linear, len);
    if (error && !careful && !permitted(v, linear, len, x->io.in))
        return false; /* otherwise no memory is there: all ones, or lost */
    if (!x->io.in)
        port_write(v, x->io.port, piece, len);
    return true;
}

static void advance(u64 *reg, u64 value, u64 mask)
{
    *reg = mask == 0xffff ? (*reg & ~mask) | (value & mask) : value & mask;
}

/* How many at once: within a page, so that nothing is done of what faults. */
static u64 count_for(const struct vcpu *v, u64 left, u64 offset, u32 size)
{
    u64 room = (PAGE_SIZE - (offset & (PAGE_SIZE - 1))) / size;

    if (v->regs.rflags & (FLAG_STEP | FLAG_DOWN) || !room)
        return MIN(left, 1ull);
    return MIN(MIN(left, room), (u64)(STRING_PIECE / size));
}

static void handle_string(struct vcpu *v, const struct virt_exit_info *x)
{
    struct place p = find_place(v, x->io.in);
    u64 *index = x->io.in ? &v->regs.rdi : &v->regs.rsi, offset = *index & p.mask, linear;
    u64 left = x->io.repeat ? v->regs.rcx & p.mask : 1;
    u64 n = count_for(v, left, offset, x->io.size), len = n * x->io.size;

    if (n) {
        if (!address(v, p.segment, offset, len, x->io.in, &linear) || !move(v, x, linear, len))
            return;
        advance(index, v->regs.rflags & FLAG_DOWN ? offset - len : offset + len, p.mask);
        if (x->io.repeat)
            advance(&v->regs.rcx, left - n, p.mask);
    }
    if (n == left)
        virt_skip_to(v, x->gpa);
    else
        virt_stepped(v);
}

void exit_port(struct vcpu *v, const struct virt_exit_info *x)
{
    u64 mask = (1ull << 8 * x->io.size) - 1;
    char byte = (char)v->regs.rax;

    if (x->io.string) {
        handle_string(v, x);
        return;
    }
    if (!x->io.in)
        port_write(v, x->io.port, &byte, 1);
    else if (x->io.size == 4)
        v->regs.rax = 0xffffffff;
    else
        v->regs.rax |= mask;
    virt_skip_to(v, x->gpa);
}
