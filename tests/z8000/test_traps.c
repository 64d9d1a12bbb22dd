/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: frames and vectors of both processors, priority, requests between the
 * iterations of a block instruction, HALT, the way back by IRET, and reset.
 */
#include "tests/z8000/bench.h"

static struct bench bench;

static u16 word_at(u32 at)
{
    return (u16)(bench.memory[at] << 8 | bench.memory[at + 1]);
}

/* A Z8001 in segment 2 with its status area in segment 5 and the system stack in 6. */
static void z8001(u16 fcw, u16 word)
{
    bench_open(&bench);
    bench_cpu(&bench, false);
    bench.cpu.fcw = fcw;
    bench.cpu.segment = 2;
    bench.cpu.pc = 0x1000;
    bench.cpu.psapseg = 0x8500;
    bench.cpu.psapoff = 0x0100;
    if ((fcw & (Z8000_SEG | Z8000_SYSTEM)) == (Z8000_SEG | Z8000_SYSTEM)) {
        bench.cpu.r[14] = 0x8600;
    } else {
        bench.cpu.nspseg = 0x8600;
    }
    if (fcw & Z8000_SYSTEM)
        bench.cpu.r[15] = 0x2000;
    else
        bench.cpu.nspoff = 0x2000;
    bench_word(&bench, 0x021000, word);
    for (u32 entry = 0x08; entry < 0x40; entry += 8) {
        bench_word(&bench, 0x050102 + entry, 0xc000);
        bench_word(&bench, 0x050104 + entry, (u16)(0x8000 | (0x10 + entry / 8) << 8));
        bench_word(&bench, 0x050106 + entry, (u16)(0x3000 + entry));
    }
}

static void check_frame(u16 identifier, u16 fcw, u16 segment, u16 offset)
{
    CHECK_EQ(bench.cpu.r[15], 0x1ff8);
    CHECK_EQ(word_at(0x061ff8), identifier);
    CHECK_EQ(word_at(0x061ffa), fcw);
    CHECK_EQ(word_at(0x061ffc), segment);
    CHECK_EQ(word_at(0x061ffe), offset);
}

static void test_internal_traps(void)
{
    static const struct {
        u16 fcw, word;
        u32 entry;
    } cases[] = {
        {0xc000, 0x7f12, 0x18}, {0x4000, 0x7f12, 0x18}, {0x8000, 0x7f55, 0x18},
        {0x0000, 0x7a00, 0x10}, {0x8000, 0x3b04, 0x10}, {0xc000, 0x8f00, 0x08},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        z8001(cases[i].fcw, cases[i].word);
        CHECK_EQ(z8000_step(&bench.cpu), Z8000_DONE);
        check_frame(cases[i].word, cases[i].fcw, 0x8200, 0x1002);
        CHECK_EQ(bench.cpu.segment, 0x10 + cases[i].entry / 8);
        CHECK_EQ(bench.cpu.pc, 0x3000 + cases[i].entry);
        CHECK_EQ(bench.cpu.clocks, 39);
        bench_close(&bench);
    }
}

static void test_priority_and_acknowledge(void)
{
    static const u8 order[] = {Z8000_ST_NMI_ACK, Z8000_ST_SEGMENT_ACK, Z8000_ST_VI_ACK,
                               Z8000_ST_NVI_ACK};
    size_t seen = 0;

    z8001(0xd800, 0x8d07);
    bench.memory[0x050102 + 0x28] = bench.memory[0x050102 + 0x20] = 0xd8;
    bench.memory[0x050102 + 0x38] = bench.memory[0x050102 + 0x30] = 0xd8;
    bench.cpu.lines = Z8000_NMI | Z8000_SEGT | Z8000_VI | Z8000_NVI;
    for (unsigned n = 0; n < 4; n++) {
        z8000_step(&bench.cpu);
        for (; bench.logged; bench.logged--) {
            u8 status = bench.log[bench.logged - 1].status;

            if (status >= Z8000_ST_SEGMENT_ACK && status <= Z8000_ST_VI_ACK) {
                CHECK_EQ(status, order[seen++]);
                if (status == Z8000_ST_VI_ACK)
                    bench.cpu.lines &= (u8)~Z8000_VI;
            }
        }
    }
    CHECK_EQ(seen, 4);
    bench_close(&bench);
}

static void test_request_between_iterations(void)
{
    z8001(0xd800, 0xbb21); /* LDIR @RR4,@RR2,R0 */
    bench_word(&bench, 0x021002, 0x0040);
    bench.cpu.r[0] = 3;
    bench.cpu.r[2] = bench.cpu.r[4] = 0x8700;
    bench.cpu.r[3] = 0x100;
    bench.cpu.r[5] = 0x200;
    bench_word(&bench, 0x101028, 0);
    z8000_step(&bench.cpu);
    CHECK(z8000_repeating(&bench.cpu));
    bench.cpu.lines = Z8000_NMI;
    bench_word(&bench, 0x153028, 0x7b00); /* the NMI entry: IRET */
    z8000_step(&bench.cpu);
    CHECK(!z8000_repeating(&bench.cpu));
    CHECK_EQ(bench.cpu.segment, 2);
    CHECK_EQ(bench.cpu.pc, 0x1000);
    CHECK_EQ(bench.cpu.r[15], 0x2000);
    while (bench.cpu.pc == 0x1000)
        z8000_step(&bench.cpu);
    CHECK_EQ(bench.cpu.r[0], 0);
    CHECK_EQ(bench.cpu.r[3], 0x106);
    bench_close(&bench);
}

static void test_halt_waits_for_a_request(void)
{
    z8001(0xc000, 0x7a00);
    CHECK_EQ(z8000_step(&bench.cpu), Z8000_DONE);
    CHECK_EQ(z8000_step(&bench.cpu), Z8000_HALTED);
    bench.cpu.lines = Z8000_VI;
    CHECK_EQ(z8000_step(&bench.cpu), Z8000_HALTED);
    CHECK_EQ(bench.cpu.clocks, 8 + 3 + 3);
    bench.cpu.lines = Z8000_SEGT;
    bench_word(&bench, 0x143020, 0xa1ff);
    CHECK_EQ(z8000_step(&bench.cpu), Z8000_DONE);
    CHECK_EQ(word_at(0x061ffe), 0x1002);
    CHECK_EQ(bench.cpu.pc, 0x3022);
    bench_close(&bench);
}

static void test_z8002_frame_and_vector(void)
{
    bench_open(&bench);
    bench_cpu(&bench, true);
    bench.cpu.fcw = 0x1000;
    bench.cpu.pc = 0x1000;
    bench.cpu.nspoff = 0x2000;
    bench.cpu.psapoff = 0x0400;
    bench.cpu.lines = Z8000_VI;
    bench.seed = 5;
    bench_word(&bench, 0x041c, 0x4000);
    for (u32 vector = 0; vector < 256; vector++)
        bench_word(&bench, 0x041e + 2 * vector, (u16)(0x3000 + 2 * vector));
    bench_word(&bench, 0x3000, 0x8d07);
    z8000_step(&bench.cpu);
    CHECK_EQ(bench.cpu.r[15], 0x1ffa);
    CHECK_EQ(word_at(0x1ffc), 0x1000);
    CHECK_EQ(word_at(0x1ffe), 0x1000);
    CHECK_EQ(bench.log[5].offset, 0x041c);
    CHECK_EQ(bench.log[6].offset, 0x041e + 2 * (word_at(0x1ffa) & 0xff));
    bench_close(&bench);
}

static void test_reset(void)
{
    for (unsigned z8002 = 0; z8002 < 2; z8002++) {
        bench_open(&bench);
        bench_cpu(&bench, z8002 != 0);
        bench_word(&bench, 2, 0x4010);
        bench_word(&bench, 4, z8002 ? 0x0100 : 0x8300);
        bench_word(&bench, 6, 0x0100);
        bench_word(&bench, z8002 ? 0x0100 : 0x030100, 0x7a00);
        bench.cpu.refresh = 0x9e00;
        bench.cpu.psapoff = 0x1200;
        z8000_reset(&bench.cpu);
        CHECK_EQ(z8000_step(&bench.cpu), Z8000_DONE);
        CHECK(bench.cpu.halted);
        CHECK_EQ(bench.cpu.fcw, 0x4010);
        CHECK_EQ(bench.cpu.pc, 0x0102);
        CHECK_EQ(bench.cpu.psapoff, 0);
        CHECK_EQ(bench.cpu.refresh, 0x1e00);
        bench_close(&bench);
    }
}

TESTS(CASE(test_internal_traps), CASE(test_priority_and_acknowledge),
      CASE(test_request_between_iterations), CASE(test_halt_waits_for_a_request),
      CASE(test_z8002_frame_and_vector), CASE(test_reset))
