/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast way against the exact one: random programs of forms that it knows and forms
 * that it does not, with loops, code that writes itself, pages without host memory, pages
 * seen under two addresses; registers, flags, PC, clocks and memory must agree at every
 * stop (P31's condition).
 */
#include "tests/z8000/bench.h"
#include "z8000/fast.h"

enum { CODE = 0x021000, CODE_BYTES = 1400, DATA = 0x030000, STOPS = 12 };

static struct bench exact, quick;
static struct z8000_fast *fast;

/* Forms for random programs; `fields` are the bits that may be anything. */
static const struct {
    u16 value, fields;
    u8 words;
} forms[] = {
    {0xa100, 0x00ff, 1}, {0x2100, 0x000f, 2}, {0xbd00, 0x00ff, 1}, {0xa000, 0x00ff, 1},
    {0xc000, 0x0fff, 1}, {0x8d08, 0x00f0, 1}, {0xad00, 0x00ff, 1}, {0x2140, 0x000f, 1},
    {0x2f40, 0x000f, 1}, {0x2040, 0x000f, 1}, {0x2e40, 0x000f, 1}, {0x8100, 0x00ff, 1},
    {0x0100, 0x000f, 2}, {0x8300, 0x00ff, 1}, {0x0300, 0x000f, 2}, {0x8b00, 0x00ff, 1},
    {0x0b00, 0x000f, 2}, {0x8700, 0x00ff, 1}, {0x0700, 0x000f, 2}, {0x8500, 0x00ff, 1},
    {0x8900, 0x00ff, 1}, {0x0900, 0x000f, 2}, {0xa900, 0x00ff, 1}, {0xab00, 0x00ff, 1},
    {0xe000, 0x0f0f, 1}, {0xe0f0, 0x0f0f, 1}, {0xf080, 0x0f0f, 1}, {0xf000, 0x0f0f, 1},
    {0x8d07, 0, 1},      {0x8100, 0x00ff, 1}, {0x8b00, 0x00ff, 1}, {0xa900, 0x00ff, 1},
    {0x8000, 0x00ff, 1}, {0xb500, 0x00ff, 1}, {0xae00, 0x00ff, 1}, {0x8c09, 0x00f0, 1},
    {0x2160, 0x000f, 1}, {0x2f60, 0x000f, 1}, {0x0140, 0x000f, 1}, {0xb301, 0x00f0, 2},
    {0xd000, 0x001f, 1}, {0x9e08, 0, 1},      {0x2940, 0x000f, 1}, {0x1940, 0x000e, 1},
    {0x9900, 0x00fe, 1}, {0x8200, 0x00ff, 1}, {0x8a00, 0x00ff, 1}, {0x9600, 0x00ee, 1},
    {0x0d40, 0x0000, 1}, {0x0c48, 0x0000, 1}, {0x2c40, 0x000f, 1}, {0x1b00, 0x000e, 2},
    {0x2b40, 0x000f, 1}, {0x1900, 0x000e, 2}, {0xba41, 0, 0},      {0xbb61, 0, 0},
    {0xba49, 0, 0},      {0xbb64, 0, 0},      {0xba4c, 0, 0},      {0xba44, 0, 0},
    {0xb303, 0x00f0, 2}, {0xa700, 0x00ff, 1}, {0x8300, 0x00ff, 1}, {0xe700, 0x080f, 1},
};

static u16 random_word(u64 seed, u64 n)
{
    return (u16)keyed_random(seed, 2, n);
}

/* The second word of a block instruction, mostly with a count before it that is small: moves
 * to RR6, searches for R8 or RH0, and now and then registers that coincide. */
static u32 write_block(struct bench *b, u32 at, u64 seed, u64 n)
{
    u16 random = random_word(seed, n + 7000),
        first = (u16)(b->memory[at] << 8 | b->memory[at + 1]);
    u16 count = random & 7 ? 9 : random >> 4 & 15, cc = random & 8 ? 6 : random >> 12;
    bool moves = first & 1;

    bench_word(b, at, (u16)(0x2100 | count));
    bench_word(b, at + 2, random >> 5 & 0x1ff);
    bench_word(b, at + 4, first);
    bench_word(b, at + 6,
               (u16)(count << 8 | (moves ? (random & 16 ? 0x60 : 0x40) : 0x80 | cc)));
    return 8;
}

static void write_program(struct bench *b, u64 seed)
{
    u32 at = CODE;

    for (u64 n = 0; at < CODE + CODE_BYTES; n++) {
        size_t i = (size_t)keyed_below(seed, 3, n, ARRAY_SIZE(forms));

        bench_word(b, at, (u16)(forms[i].value | (random_word(seed, n) & forms[i].fields)));
        if (forms[i].words == 2)
            bench_word(b, at + 2, (u16)(random_word(seed, n + 5000) & 0x0fff));
        if (forms[i].words == 0)
            at += write_block(b, at, seed, n);
        at += 2u * forms[i].words;
    }
    bench_word(b, at, 0xe880); /* back, as far as JR goes */
    bench_word(b, at + 2, 0xe880);
    for (u32 i = 0; i < 0x2000; i += 2)
        bench_word(b, DATA + i, random_word(seed, 9000 + i));
}

/* RR4 points at data; RR6 at data or into the code itself. */
static void prepare(struct bench *b, u64 seed)
{
    bench_cpu(b, false);
    write_program(b, seed);
    for (unsigned n = 0; n < 16; n++)
        b->cpu.r[n] = random_word(seed, 20000 + n);
    b->cpu.r[4] = 0x8300;
    b->cpu.r[5] &= 0x1fff;
    b->cpu.r[6] = seed & 1 ? 0x8200 : 0x8300;
    b->cpu.r[7] = (u16)((CODE & 0xffff) + (b->cpu.r[7] & 0x3ff));
    if (seed & 2) {
        b->cpu.r[14] = 0x8300;
        b->cpu.r[15] = 0x1800;
    }
    b->cpu.fcw = (u16)(Z8000_SEG | (random_word(seed, 30000) & 0xfc));
    b->cpu.segment = CODE >> 16;
    b->cpu.pc = (u16)CODE;
    b->cpu.psapseg = 0x8500;
    b->cpu.r[15] |= seed % 3 == 0; /* an odd stack pointer */
    b->cpu.bare = seed % 5 == 0;
}

static void map_all(void)
{
    for (u32 number = 0; number < Z8000_FAST_PAGES; number++) {
        u8 *page = quick.memory + (size_t)number * Z8000_FAST_PAGE;
        bool hidden = keyed_chance(9, number, 0, 1u << 28);

        z8000_fast_map(fast, number, hidden ? NULL : page, hidden ? NULL : page);
    }
}

static void run_exact(u64 until)
{
    while (exact.cpu.clocks < until)
        if (z8000_step(&exact.cpu) != Z8000_DONE)
            return;
}

static bool agree(void)
{
    u8 one[Z8000_IMAGE_BYTES], two[Z8000_IMAGE_BYTES];

    /* Nothing of it matters between instructions, and little between iterations. */
    if (quick.cpu.u.repeating != exact.cpu.u.repeating ||
        (exact.cpu.u.repeating &&
         (quick.cpu.u.next != exact.cpu.u.next || quick.cpu.u.start != exact.cpu.u.start ||
          memcmp(quick.cpu.u.word, exact.cpu.u.word, 4) != 0)))
        return false;
    quick.cpu.u = exact.cpu.u;
    quick.cpu.iterations = exact.cpu.iterations;
    z8000_export(&exact.cpu, one);
    z8000_export(&quick.cpu, two);
    return memcmp(one, two, sizeof one) == 0 &&
           memcmp(exact.memory, quick.memory, 0x100000) == 0;
}

static void one(u64 seed)
{
    prepare(&exact, seed);
    prepare(&quick, seed);
    memset(fast, 0, z8000_fast_size());
    z8000_fast_init(fast, &quick.cpu);
    map_all();
    for (unsigned stop = 1; stop <= STOPS; stop++) {
        u64 until = stop * 9000ull + keyed_below(seed, 4, stop, 9000);

        run_exact(until);
        z8000_fast_run(fast, until);
        if (!agree()) {
            printf("seed %llu stop %u: pc %04x and %04x, clocks %llu and %llu, fcw %04x %04x\n",
                   (unsigned long long)seed, stop, exact.cpu.pc, quick.cpu.pc,
                   (unsigned long long)exact.cpu.clocks, (unsigned long long)quick.cpu.clocks,
                   exact.cpu.fcw, quick.cpu.fcw);
            CHECK(false);
            return;
        }
        exact.undone = quick.undone = 0;
    }
}

static void test_random_programs(void)
{
    u64 seeds = test_length(300, 20000);

    bench_open(&exact);
    bench_open(&quick);
    fast = calloc(1, z8000_fast_size());
    for (u64 seed = 1; seed <= seeds && !checks_failed; seed++)
        one(seed);
    free(fast);
    bench_close(&exact);
    bench_close(&quick);
}

/* A loop that overwrites an instruction of its own each time round. */
static void test_code_that_writes_itself(void)
{
    static const u16 words[] = {
        0xbd00, /* LDK R0,#0, whose digit is stored anew */
        0x8101, /* ADD R1,R0 */
        0x2f43, /* LD @RR4,R3 */
        0xa930, /* INC R3,#1 */
        0xf285, /* DJNZ R2, to the first */
        0x7a00,
    };

    bench_open(&quick);
    bench_cpu(&quick, false);
    fast = calloc(1, z8000_fast_size());
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        bench_word(&quick, CODE + 2 * (u32)i, words[i]);
    quick.cpu.fcw = Z8000_SEG;
    quick.cpu.segment = CODE >> 16;
    quick.cpu.pc = (u16)CODE;
    quick.cpu.r[2] = 10;
    quick.cpu.r[3] = 0xbd00;
    quick.cpu.r[4] = 0x8200;
    quick.cpu.r[5] = (u16)CODE;
    z8000_fast_init(fast, &quick.cpu);
    map_all();
    z8000_fast_map(fast, CODE / Z8000_FAST_PAGE, quick.memory + CODE, quick.memory + CODE);
    while (quick.cpu.r[2])
        z8000_fast_run(fast, quick.cpu.clocks + 5000);
    CHECK_EQ(quick.cpu.r[1], 0 + 0 + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8);
    free(fast);
    bench_close(&quick);
}

TESTS(CASE(test_random_programs), CASE(test_code_that_writes_itself))
