/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every instruction form: first word, operand, words that follow, clocks. Among rows that
 * match a word the earlier wins, so exact forms stand before general ones. Clocks are
 * {nonsegmented, segmented short, segmented long} and leave out what depends on data.
 *
 * The upper two bits of a word choose the operand's mode: 00 immediate where bits 7-4 are
 * zero, else a pointer in a register; 01 an address, indexed unless bits 7-4 are zero;
 * 10 a register.
 */
#include "z8000/core.h"

#define CLOCKS(ns, ss, sl) \
    {                      \
        ns, ss, sl         \
    }
#define EACH(n)    (n, n, n)
#define DIRECT(n)  (n, (n) + 1, (n) + 3)
#define INDEXED(n) ((n) + 1, (n) + 1, (n) + 4)

#define ROW(v, m, mode_, sz, fl, ar, bef, aft, clk, nm, fn)                                \
    {                                                                                      \
        .value = (v), .mask = (m), .mode = MODE_##mode_, .size = SIZE_##sz, .flags = (fl), \
        .arg = (ar), .before = (bef), .after = (aft), .clocks = CLOCKS clk, .name = (nm),  \
        .run = (fn)                                                                        \
    }

/* Operand modes of opcode `op` (six bits), the other register in bits 3-0. */
#define REG(op, sz, fl, ar, n, nm, fn) \
    ROW(0x8000 | (op) << 8, 0xff00, R, sz, fl, ar, 0, 0, EACH(n), nm, fn)
#define IMM(op, sz, fl, ar, n, nm, fn) \
    ROW((op) << 8, 0xfff0, IM, sz, fl, ar, 0, (SIZE_##sz == SIZE_L ? 2 : 1), EACH(n), nm, fn)
#define PTR(op, sz, fl, ar, n, nm, fn) \
    ROW((op) << 8, 0xff00, IR, sz, fl, ar, 0, 0, EACH(n), nm, fn)
#define ADDR(op, sz, fl, ar, n, nm, fn)                                       \
    ROW(0x4000 | (op) << 8, 0xfff0, DA, sz, fl, ar, 0, 0, DIRECT(n), nm, fn), \
        ROW(0x4000 | (op) << 8, 0xff00, X, sz, fl, ar, 0, 0, INDEXED(n), nm, fn)
#define ARITH(op, sz, ar, r, im, da, nm, fn)                           \
    REG(op, sz, GET, ar, r, nm, fn), IMM(op, sz, GET, ar, im, nm, fn), \
        PTR(op, sz, GET, ar, im, nm, fn), ADDR(op, sz, GET, ar, da, nm, fn)

/* Opcodes whose bits 3-0 are part of the opcode. */
#define REG4(op, lo, sz, fl, ar, n, nm, fn) \
    ROW(0x8000 | (op) << 8 | (lo), 0xff0f, R, sz, fl, ar, 0, 0, EACH(n), nm, fn)
#define PTR4(op, lo, sz, fl, ar, aft, n, nm, fn) \
    ROW((op) << 8 | (lo), 0xff0f, IR, sz, fl, ar, 0, aft, EACH(n), nm, fn)
#define ADDR4(op, lo, sz, fl, ar, aft, n, nm, fn)                                      \
    ROW(0x4000 | (op) << 8 | (lo), 0xffff, DA, sz, fl, ar, 0, aft, DIRECT(n), nm, fn), \
        ROW(0x4000 | (op) << 8 | (lo), 0xff0f, X, sz, fl, ar, 0, aft, INDEXED(n), nm, fn)
#define MEM4(op, lo, sz, fl, ar, n, nm, fn) \
    PTR4(op, lo, sz, fl, ar, 0, n, nm, fn), ADDR4(op, lo, sz, fl, ar, 0, (n) + 3, nm, fn)
#define UNARY(op, lo, sz, fl, r, n, nm, fn) \
    REG4(op, lo, sz, fl, 0, r, nm, fn), MEM4(op, lo, sz, fl, 0, n, nm, fn)

/* BIT, RES, SET: bits 7-4 zero in the pointer mode is the form with two registers. */
#define BITS(op, sz, fl, ar, ir, nm)                                                  \
    REG(op, sz, fl, ar, 4, nm, run_bit),                                              \
        ROW((op) << 8, 0xfff0, NONE, sz, 0, ar, 1, 0, EACH(10), nm, run_bit_dynamic), \
        PTR(op, sz, fl, ar, ir, nm, run_bit), ADDR(op, sz, fl, ar, (ir) + 2, nm, run_bit)

/* INC's addresses cost the same in every mode, as the table of clocks has it. */
#define STEPS(op, sz, ar, nm, da, x)                                                       \
    REG(op, sz, GET | PUT, ar, 4, nm, run_step_by),                                        \
        PTR(op, sz, GET | PUT, ar, 11, nm, run_step_by),                                   \
        ROW(0x4000 | (op) << 8, 0xfff0, DA, sz, GET | PUT, ar, 0, 0, da, nm, run_step_by), \
        ROW(0x4000 | (op) << 8, 0xff00, X, sz, GET | PUT, ar, 0, 0, x, nm, run_step_by)

#define EXCHANGE(op, sz, nm)                                                          \
    REG(op, sz, GET | PUT, 0, 6, nm, run_exchange),                                   \
        PTR(op, sz, GET | PUT, 0, 12, nm, run_exchange),                              \
        ROW(0x4000 | (op) << 8, 0xfff0, DA, sz, GET | PUT, 0, 0, 0, DIRECT(15), nm,   \
            run_exchange),                                                            \
        ROW(0x4000 | (op) << 8, 0xff00, X, sz, GET | PUT, 0, 0, 0, EACH_16_17_19, nm, \
            run_exchange)
#define EACH_16_17_19 (16, 17, 19)
#define JP_PTR        (10, 15, 15)
#define CALL_PTR      (10, 15, 15)
#define CALL_DA       (12, 18, 20)
#define CALL_X        (13, 18, 21)
#define RET           (10, 13, 13)
#define IRET          (13, 16, 16)
#define LDPS_PTR      (12, 16, 16)
#define LDPS_DA       (16, 20, 22)
#define LDPS_X        (17, 20, 23)

/* Base and displacement (with the PC where bits 7-4 are zero), base and index. */
#define BASED(op, sz, fl, n, nm, nmr, fn)                             \
    ROW((op) << 8, 0xfff0, RA, sz, fl, 0, 1, 0, EACH(n), nmr, fn),    \
        ROW((op) << 8, 0xff00, BA, sz, fl, 0, 1, 0, EACH(n), nm, fn), \
        ROW(0x4000 | (op) << 8, 0xff00, BX, sz, fl, 0, 1, 0, EACH(n), nm, fn)

/* PUSH and POP: bits 7-4 are the stack pointer, bits 3-0 the operand. */
#define STACK(op, sz, fl, r, ir, da, nm, fn)                                                   \
    ROW(0x8000 | (op) << 8, 0xff00, R, sz, (fl) | LOW_FIELD, 0, 0, 0, EACH(r), nm, fn),        \
        ROW((op) << 8, 0xff00, IR, sz, (fl) | LOW_FIELD, 0, 0, 0, EACH(ir), nm, fn),           \
        ROW(0x4000 | (op) << 8, 0xff0f, DA, sz, (fl) | LOW_FIELD, 0, 0, 0, DIRECT(da), nm,     \
            fn),                                                                               \
        ROW(0x4000 | (op) << 8, 0xff00, X, sz, (fl) | LOW_FIELD, 0, 0, 0, INDEXED((da)-1), nm, \
            fn)

#define LDM(lo, nm, fn)                                                    \
    ROW(0x1c00 | (lo), 0xff0f, IR, W, 0, 0, 1, 0, EACH(11), nm, fn),       \
        ROW(0x5c00 | (lo), 0xffff, DA, W, 0, 0, 1, 0, DIRECT(14), nm, fn), \
        ROW(0x5c00 | (lo), 0xff0f, X, W, 0, 0, 1, 0, INDEXED(14), nm, fn)

#define ROTATE(lo, n, nm) \
    REG4(0x32, lo, B, 0, 0, n, nm "b", run_rotate), REG4(0x33, lo, W, 0, 0, n, nm, run_rotate)
#define SHIFT(v, sz, ar, nm) ROW(v, 0xff0f, NONE, sz, 0, ar, 1, 0, EACH(13), nm, run_shift)
#define DYNAMIC(v, sz, ar, nm) \
    ROW(v, 0xff0f, NONE, sz, 0, ar, 1, 0, EACH(15), nm, run_shift_dynamic)

/* Two words, the second naming count and other registers; `ar` 1 is downwards. */
#define BLOCK(v, sz, fl, ar, n, nm, fn) ROW(v, 0xff0f, NONE, sz, fl, ar, 1, 0, EACH(n), nm, fn)
#define BLOCK_BW(lo, ar, n, nm, fn) \
    BLOCK(0xba00 | (lo), B, 0, ar, n, nm "b", fn), BLOCK(0xbb00 | (lo), W, 0, ar, n, nm, fn)
#define PORT_BW(lo, ar, n, nm, fn)                          \
    BLOCK(0x3a00 | (lo), B, PRIVILEGED, ar, n, nm "b", fn), \
        BLOCK(0x3b00 | (lo), W, PRIVILEGED, ar, n, nm, fn)
#define SIMPLE(v, m, fl, ar, n, nm, fn) ROW(v, m, NONE, W, fl, ar, 0, 0, EACH(n), nm, fn)

const struct row z8000_rows[] = {
    /* Arithmetic and logic on a register and an operand. */
    ARITH(0x00, B, ALU_ADD, 4, 7, 9, "addb", run_alu),
    ARITH(0x01, W, ALU_ADD, 4, 7, 9, "add", run_alu),
    ARITH(0x16, L, ALU_ADD, 8, 14, 15, "addl", run_alu),
    ARITH(0x02, B, ALU_SUB, 4, 7, 9, "subb", run_alu),
    ARITH(0x03, W, ALU_SUB, 4, 7, 9, "sub", run_alu),
    ARITH(0x12, L, ALU_SUB, 8, 14, 15, "subl", run_alu),
    ARITH(0x04, B, ALU_OR, 4, 7, 9, "orb", run_alu),
    ARITH(0x05, W, ALU_OR, 4, 7, 9, "or", run_alu),
    ARITH(0x06, B, ALU_AND, 4, 7, 9, "andb", run_alu),
    ARITH(0x07, W, ALU_AND, 4, 7, 9, "and", run_alu),
    ARITH(0x08, B, ALU_XOR, 4, 7, 9, "xorb", run_alu),
    ARITH(0x09, W, ALU_XOR, 4, 7, 9, "xor", run_alu),
    ARITH(0x0a, B, ALU_CP, 4, 7, 9, "cpb", run_alu),
    ARITH(0x0b, W, ALU_CP, 4, 7, 9, "cp", run_alu),
    ARITH(0x10, L, ALU_CP, 8, 14, 15, "cpl", run_alu),
    REG(0x34, B, GET, ALU_ADC, 5, "adcb", run_alu),
    REG(0x35, W, GET, ALU_ADC, 5, "adc", run_alu),
    REG(0x36, B, GET, ALU_SBC, 5, "sbcb", run_alu),
    REG(0x37, W, GET, ALU_SBC, 5, "sbc", run_alu),
    ARITH(0x19, W, 0, 70, 70, 71, "mult", run_mult),
    ARITH(0x18, L, 0, 282, 282, 283, "multl", run_mult),
    ARITH(0x1b, W, 0, 107, 107, 108, "div", run_div),
    ARITH(0x1a, L, 0, 744, 744, 745, "divl", run_div),

    /* Moves. */
    ARITH(0x20, B, 0, 3, 7, 9, "ldb", run_load),
    ARITH(0x21, W, 0, 3, 7, 9, "ld", run_load),
    ARITH(0x14, L, 0, 5, 11, 12, "ldl", run_load),
    PTR(0x2e, B, PUT, 0, 8, "ldb", run_store),
    ADDR(0x2e, B, PUT, 0, 11, "ldb", run_store),
    PTR(0x2f, W, PUT, 0, 8, "ld", run_store),
    ADDR(0x2f, W, PUT, 0, 11, "ld", run_store),
    PTR(0x1d, L, PUT, 0, 11, "ldl", run_store),
    ADDR(0x1d, L, PUT, 0, 14, "ldl", run_store),
    BASED(0x30, B, GET, 14, "ldb", "ldrb", run_load),
    BASED(0x31, W, GET, 14, "ld", "ldr", run_load),
    BASED(0x35, L, GET, 17, "ldl", "ldrl", run_load),
    BASED(0x32, B, PUT, 14, "ldb", "ldrb", run_store),
    BASED(0x33, W, PUT, 14, "ld", "ldr", run_store),
    BASED(0x37, L, PUT, 17, "ldl", "ldrl", run_store),
    BASED(0x34, W, 0, 15, "lda", "ldar", run_lda),
    ADDR(0x36, W, 0, 0, 12, "lda", run_lda),
    EXCHANGE(0x2c, B, "exb"),
    EXCHANGE(0x2d, W, "ex"),
    ROW(0xc000, 0xf000, NONE, B, 0, 0, 0, 0, EACH(5), "ldb", run_load_byte),
    SIMPLE(0xbd00, 0xff00, 0, 0, 5, "ldk", run_load_nibble),
    LDM(1, "ldm", run_ldm_load),
    LDM(9, "ldm", run_ldm_store),

    /* One operand. */
    UNARY(0x0c, 0, B, GET | PUT, 7, 12, "comb", run_unary),
    UNARY(0x0d, 0, W, GET | PUT, 7, 12, "com", run_unary),
    UNARY(0x0c, 2, B, GET | PUT, 7, 12, "negb", run_neg),
    UNARY(0x0d, 2, W, GET | PUT, 7, 12, "neg", run_neg),
    UNARY(0x0c, 4, B, GET, 7, 8, "testb", run_test),
    UNARY(0x0d, 4, W, GET, 7, 8, "test", run_test),
    UNARY(0x1c, 8, L, GET, 13, 13, "testl", run_test),
    UNARY(0x0c, 6, B, GET | PUT, 7, 11, "tsetb", run_tset),
    UNARY(0x0d, 6, W, GET | PUT, 7, 11, "tset", run_tset),
    UNARY(0x0c, 8, B, PUT, 7, 8, "clrb", run_clear),
    UNARY(0x0d, 8, W, PUT, 7, 8, "clr", run_clear),
    PTR4(0x0c, 1, B, GET, 0, 1, 11, "cpb", run_compare_immediate),
    ADDR4(0x0c, 1, B, GET, 0, 1, 14, "cpb", run_compare_immediate),
    PTR4(0x0d, 1, W, GET, 0, 1, 11, "cp", run_compare_immediate),
    ADDR4(0x0d, 1, W, GET, 0, 1, 14, "cp", run_compare_immediate),
    PTR4(0x0c, 5, B, PUT, 0, 1, 11, "ldb", run_load_immediate),
    ADDR4(0x0c, 5, B, PUT, 0, 1, 14, "ldb", run_load_immediate),
    PTR4(0x0d, 5, W, PUT, 0, 1, 11, "ld", run_load_immediate),
    ADDR4(0x0d, 5, W, PUT, 0, 1, 14, "ld", run_load_immediate),
    BITS(0x22, B, GET | PUT, 0, 11, "resb"),
    BITS(0x23, W, GET | PUT, 0, 11, "res"),
    BITS(0x24, B, GET | PUT, 1, 11, "setb"),
    BITS(0x25, W, GET | PUT, 1, 11, "set"),
    BITS(0x26, B, GET, 2, 8, "bitb"),
    BITS(0x27, W, GET, 2, 8, "bit"),
    STEPS(0x28, B, ALU_ADD, "incb", EACH(13), EACH(14)),
    STEPS(0x29, W, ALU_ADD, "inc", EACH(13), EACH(14)),
    STEPS(0x2a, B, ALU_SUB, "decb", DIRECT(13), INDEXED(13)),
    STEPS(0x2b, W, ALU_SUB, "dec", DIRECT(13), INDEXED(13)),
    REG4(0x30, 0, B, 0, 0, 5, "dab", run_dab),
    REG4(0x31, 0, B, 0, 0, 11, "extsb", run_extend),
    REG4(0x31, 10, W, 0, 0, 11, "exts", run_extend),
    REG4(0x31, 7, L, 0, 0, 11, "extsl", run_extend),
    REG(0x2e, B, 0, 0, 5, "tccb", run_tcc),
    REG(0x2f, W, 0, 0, 5, "tcc", run_tcc),
    REG(0x3e, B, 0, 0, 9, "rldb", run_digit),
    REG(0x3c, B, 0, 1, 9, "rrdb", run_digit),

    /* Rotates and shifts. */
    ROTATE(0, 6, "rl"),
    ROTATE(2, 7, "rl"),
    ROTATE(4, 6, "rr"),
    ROTATE(6, 7, "rr"),
    ROTATE(8, 6, "rlc"),
    ROTATE(10, 7, "rlc"),
    ROTATE(12, 6, "rrc"),
    ROTATE(14, 7, "rrc"),
    SHIFT(0xb201, B, 0, "sllb"),
    SHIFT(0xb209, B, 1, "slab"),
    SHIFT(0xb301, W, 0, "sll"),
    SHIFT(0xb309, W, 1, "sla"),
    SHIFT(0xb305, L, 0, "slll"),
    SHIFT(0xb30d, L, 1, "slal"),
    DYNAMIC(0xb203, B, 0, "sdlb"),
    DYNAMIC(0xb20b, B, 1, "sdab"),
    DYNAMIC(0xb303, W, 0, "sdl"),
    DYNAMIC(0xb30b, W, 1, "sda"),
    DYNAMIC(0xb307, L, 0, "sdll"),
    DYNAMIC(0xb30f, L, 1, "sdal"),

    /* Stack and flow. */
    STACK(0x13, W, GET, 9, 13, 14, "push", run_push),
    STACK(0x11, L, GET, 12, 20, 21, "pushl", run_push),
    ROW(0x0d09, 0xff0f, IM, W, GET, 0, 0, 1, EACH(12), "push", run_push),
    STACK(0x17, W, PUT, 8, 12, 16, "pop", run_pop),
    STACK(0x15, L, PUT, 12, 19, 23, "popl", run_pop),
    ROW(0x1e00, 0xff00, IR, W, 0, 0, 0, 0, JP_PTR, "jp", run_jump),
    ADDR(0x1e, W, 0, 0, 7, "jp", run_jump),
    ROW(0x1f00, 0xff0f, IR, W, 0, 0, 0, 0, CALL_PTR, "call", run_call),
    ROW(0x5f00, 0xffff, DA, W, 0, 0, 0, 0, CALL_DA, "call", run_call),
    ROW(0x5f00, 0xff0f, X, W, 0, 0, 0, 0, CALL_X, "call", run_call),
    ROW(0xd000, 0xf000, NONE, W, 0, 0, 0, 0, CALL_PTR, "calr", run_calr),
    ROW(0x9e00, 0xfff0, NONE, W, 0, 0, 0, 0, RET, "ret", run_ret),
    SIMPLE(0xe000, 0xf000, 0, 0, 6, "jr", run_jr),
    SIMPLE(0xf080, 0xf080, 0, 0, 11, "djnz", run_djnz),
    SIMPLE(0xf000, 0xf080, 0, 0, 11, "dbjnz", run_djnz),

    /* Blocks. */
    BLOCK_BW(0x1, 0, 20, "ldi", run_ldi),
    BLOCK_BW(0x9, 1, 20, "ldd", run_ldi),
    BLOCK_BW(0x0, 0, 20, "cpi", run_cpi),
    BLOCK_BW(0x4, 0, 20, "cpir", run_cpi),
    BLOCK_BW(0x8, 1, 20, "cpd", run_cpi),
    BLOCK_BW(0xc, 1, 20, "cpdr", run_cpi),
    BLOCK_BW(0x2, 0, 25, "cpsi", run_cpsi),
    BLOCK_BW(0x6, 0, 25, "cpsir", run_cpsi),
    BLOCK_BW(0xa, 1, 25, "cpsd", run_cpsi),
    BLOCK_BW(0xe, 1, 25, "cpsdr", run_cpsi),
    BLOCK(0xb800, B, 0, 0, 25, "trib", run_translate),
    BLOCK(0xb804, B, 0, 0, 25, "trirb", run_translate),
    BLOCK(0xb808, B, 0, 1, 25, "trdb", run_translate),
    BLOCK(0xb80c, B, 0, 1, 25, "trdrb", run_translate),
    BLOCK(0xb802, B, 0, 0, 25, "trtib", run_translate_test),
    BLOCK(0xb806, B, 0, 0, 25, "trtirb", run_translate_test),
    BLOCK(0xb80a, B, 0, 1, 25, "trtdb", run_translate_test),
    BLOCK(0xb80e, B, 0, 1, 25, "trtdrb", run_translate_test),

    /* Input and output; arg 2 of the block forms is the special kind. */
    PORT_BW(0x0, 0, 21, "ini", run_block_in),
    PORT_BW(0x8, 1, 21, "ind", run_block_in),
    PORT_BW(0x1, 2, 21, "sini", run_block_in),
    PORT_BW(0x9, 3, 21, "sind", run_block_in),
    PORT_BW(0x2, 0, 21, "outi", run_block_out),
    PORT_BW(0xa, 1, 21, "outd", run_block_out),
    PORT_BW(0x3, 2, 21, "souti", run_block_out),
    PORT_BW(0xb, 3, 21, "soutd", run_block_out),
    PORT_BW(0x4, 0, 12, "in", run_in_direct),
    PORT_BW(0x5, 1, 12, "sin", run_in_direct),
    PORT_BW(0x6, 0, 12, "out", run_out_direct),
    PORT_BW(0x7, 1, 12, "sout", run_out_direct),
    ROW(0x3c00, 0xff00, NONE, B, PRIVILEGED, 0, 0, 0, EACH(10), "inb", run_in),
    ROW(0x3d00, 0xff00, NONE, W, PRIVILEGED, 0, 0, 0, EACH(10), "in", run_in),
    ROW(0x3e00, 0xff00, NONE, B, PRIVILEGED, 0, 0, 0, EACH(10), "outb", run_out),
    ROW(0x3f00, 0xff00, NONE, W, PRIVILEGED, 0, 0, 0, EACH(10), "out", run_out),

    /* Control. */
    SIMPLE(0x8d07, 0xffff, 0, 0, 7, "nop", run_nop),
    SIMPLE(0x8d01, 0xff0f, 0, 1, 7, "setflg", run_flag),
    SIMPLE(0x8d03, 0xff0f, 0, 3, 7, "resflg", run_flag),
    SIMPLE(0x8d05, 0xff0f, 0, 5, 7, "comflg", run_flag),
    SIMPLE(0x8c01, 0xff0f, 0, 0, 7, "ldctlb", run_ldctlb_read),
    SIMPLE(0x8c09, 0xff0f, 0, 0, 7, "ldctlb", run_ldctlb_write),
    SIMPLE(0x7d02, 0xff0e, PRIVILEGED, 0, 7, "ldctl", run_ldctl),
    SIMPLE(0x7d04, 0xff0c, PRIVILEGED, 0, 7, "ldctl", run_ldctl),
    SIMPLE(0x7d0a, 0xff0e, PRIVILEGED, 0, 7, "ldctl", run_ldctl),
    SIMPLE(0x7d0c, 0xff0c, PRIVILEGED, 0, 7, "ldctl", run_ldctl),
    SIMPLE(0x7c00, 0xfffc, PRIVILEGED, 0, 7, "di", run_interrupts),
    SIMPLE(0x7c04, 0xfffc, PRIVILEGED, 0, 7, "ei", run_interrupts),
    SIMPLE(0x7a00, 0xffff, PRIVILEGED, 0, 8, "halt", run_halt),
    ROW(0x7b00, 0xffff, NONE, W, PRIVILEGED, 0, 0, 0, IRET, "iret", run_iret),
    SIMPLE(0x7b08, 0xffff, PRIVILEGED, 1, 5, "mset", run_multi_micro),
    SIMPLE(0x7b09, 0xffff, PRIVILEGED, 0, 5, "mres", run_multi_micro),
    SIMPLE(0x7b0a, 0xffff, PRIVILEGED, 0, 7, "mbit", run_mbit),
    SIMPLE(0x7b0d, 0xff0f, PRIVILEGED, 0, 12, "mreq", run_mreq),
    ROW(0x3900, 0xff0f, IR, W, PRIVILEGED, 0, 0, 0, LDPS_PTR, "ldps", run_ldps),
    ROW(0x7900, 0xffff, DA, W, PRIVILEGED, 0, 0, 0, LDPS_DA, "ldps", run_ldps),
    ROW(0x7900, 0xff0f, X, W, PRIVILEGED, 0, 0, 0, LDPS_X, "ldps", run_ldps),
    SIMPLE(0x7f00, 0xff00, 0, 0, 0, "sc", run_sc),

    /* Extended instructions. */
    ROW(0x0e00, 0xfe00, IR, W, EXTENDED, 0, 1, 0, EACH(11), "ext", run_epu_memory),
    ROW(0x4e00, 0xfef0, DA, W, EXTENDED, 0, 1, 0, DIRECT(14), "ext", run_epu_memory),
    ROW(0x4e00, 0xfe00, X, W, EXTENDED, 0, 1, 0, INDEXED(14), "ext", run_epu_memory),
    ROW(0x8f00, 0xff04, NONE, W, EXTENDED, 0, 1, 0, EACH(11), "ext8f", run_epu_registers),
    ROW(0x8e00, 0xff04, NONE, B, EXTENDED, 0, 1, 0, EACH(15), "ext8e", run_epu_flags),
    ROW(0x8e00, 0xfe00, NONE, W, EXTENDED, 0, 1, 0, EACH(11), "ext8e", run_epu_internal),

    /* Last: what no instruction begins with does nothing (the chip's way is not known). */
    SIMPLE(0x0000, 0x0000, 0, 0, 4, NULL, run_nop),
};
const size_t z8000_row_count = ARRAY_SIZE(z8000_rows);
