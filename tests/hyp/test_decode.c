/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tiny decoder: the moves it knows, in 16, 32 and 64-bit code, with their lengths, and
 * refusal of all else. Expected values are an assembler's.
 */
#include "hyp/dom/domain.h"
#include "hyp/virt/decode.h"
#include "tests/check.h"

struct expected {
    const char *text;
    u32 bits;
    u8 code[INSN_MOST];
    u32 len; /* 0: refused */
    bool write;
    u8 size, reg;
};

static const struct expected moves[] = {
    {"mov %eax,(%rdi)", 64, {0x89, 0x07}, 2, true, 4, 0},
    {"mov (%rax),%ecx", 64, {0x8b, 0x08}, 2, false, 4, 1},
    {"mov %r9,0x20(%r12)", 64, {0x4d, 0x89, 0x4c, 0x24, 0x20}, 5, true, 8, 9},
    {"mov 0xfee00020,%edx (SIB, disp32)",
     64,
     {0x8b, 0x14, 0x25, 0x20, 0, 0xe0, 0xfe},
     7,
     false,
     4,
     2},
    {"movl $0x10,0x80(%rbx)", 64, {0xc7, 0x83, 0x80, 0, 0, 0, 0x10, 0, 0, 0}, 10, true, 4, 0},
    {"movb $1,(%rcx)", 64, {0xc6, 0x01, 0x01}, 3, true, 1, 0},
    {"mov %ax,(%rdi)", 64, {0x66, 0x89, 0x07}, 3, true, 2, 0},
    {"mov %ah,(%rdi)", 64, {0x88, 0x27}, 2, true, 1, 16},
    {"mov %spl,(%rdi)", 64, {0x40, 0x88, 0x27}, 3, true, 1, 4},
    {"movzbl (%rsi),%eax", 64, {0x0f, 0xb6, 0x06}, 3, false, 1, 0},
    {"movswq (%rsi),%rax", 64, {0x48, 0x0f, 0xbf, 0x06}, 4, false, 2, 0},
    {"movslq (%rsi),%rax", 64, {0x48, 0x63, 0x06}, 3, false, 4, 0},
    {"movabs 0xfee00030,%eax", 64, {0xa1, 0x30, 0, 0xe0, 0xfe, 0, 0, 0, 0}, 9, false, 4, 0},
    {"mov 0xfee00030,%eax", 32, {0xa1, 0x30, 0, 0xe0, 0xfe}, 5, false, 4, 0},
    {"mov %eax,0xfee000b0", 32, {0xa3, 0xb0, 0, 0xe0, 0xfe}, 5, true, 4, 0},
    {"mov 0x10(%bx,%si),%ax", 16, {0x8b, 0x40, 0x10}, 3, false, 2, 0},
    {"mov %eax,0x1234 (16-bit)", 16, {0x66, 0xa3, 0x34, 0x12}, 4, true, 4, 0},
    {"mov %eax,%ecx", 64, {0x89, 0xc1}, 0, false, 0, 0},
    {"add %eax,(%rdi)", 64, {0x01, 0x07}, 0, false, 0, 0},
    {"push (%rdi)", 64, {0xff, 0x37}, 0, false, 0, 0},
    {"arpl in 32-bit code", 32, {0x63, 0x06}, 0, false, 0, 0},
};

static void test_known_moves(void)
{
    for (u32 i = 0; i < ARRAY_SIZE(moves); i++) {
        const struct expected *x = &moves[i];
        struct insn n;
        bool ok = insn_decode(&n, x->code, sizeof(x->code), x->bits);

        if (ok != (x->len != 0) || (ok && (n.length != x->len || n.write != x->write ||
                                           n.size != x->size || n.reg != x->reg))) {
            printf("%s: ok %d length %u write %d size %u reg %u\n", x->text, ok, n.length,
                   n.write, n.size, n.reg);
            CHECK(!"decoded as expected");
        }
        for (u32 len = 0; len < x->len; len++) /* cut short: refused */
            CHECK(!insn_decode(&n, x->code, len, x->bits));
    }
}

static void test_registers(void)
{
    struct guest_regs r = {.rax = 0x1122334455667788, .rbx = ~0ull, .rsp = 5};
    struct insn i = {.reg = 0, .size = 4, .reg_size = 4};

    CHECK_EQ(insn_value(&i, &r), 0x55667788);
    insn_set(&i, &r, 0x99);
    CHECK_EQ(r.rax, 0x99); /* 32 bits clear the upper half */
    r.rax = 0x1122334455667788;
    i.size = i.reg_size = 2;
    insn_set(&i, &r, 0xabcd);
    CHECK_EQ(r.rax, 0x112233445566abcd);
    i = (struct insn){.reg = 16, .size = 1, .reg_size = 1}; /* ah */
    CHECK_EQ(insn_value(&i, &r), 0xab);
    insn_set(&i, &r, 0x42);
    CHECK_EQ(r.rax, 0x11223344556642cd);
    i = (struct insn){.reg = 3, .size = 1, .reg_size = 8, .sign_extend = true}; /* rbx */
    insn_set(&i, &r, 0x80);
    CHECK_EQ(r.rbx, 0xffffffffffffff80);
    i = (struct insn){.reg = 4, .size = 8};
    CHECK_EQ(insn_value(&i, &r), 5); /* rsp */
}

TESTS(CASE(test_known_moves), CASE(test_registers))
