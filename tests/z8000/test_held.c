/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * WAIT at any transaction changes nothing (DV04): every first word in every mode of both
 * processors, with random further words, registers and requests, is run freely, then held
 * at each of its transactions in turn, then at all. Bus order, registers and memory must be
 * those of the free run. At each hold the state goes out as an image and into a fresh
 * processor, so that the image is shown to hold all there is.
 */
#include "tests/z8000/bench.h"

enum { CODE = 0x021000, STEPS = 3 };

struct outcome {
    u8 image[Z8000_IMAGE_BYTES];
    size_t logged;
    u32 memory;
};

static struct bench bench;
static struct z8000_cycle free_log[BENCH_LOG];

static void prepare(struct bench *b, u16 word, unsigned kind, u64 seed)
{
    bool z8002 = kind == 0;
    u64 at = (u64)word << 8 | kind;

    bench_cpu(b, z8002);
    b->seed = seed;
    for (unsigned n = 0; n < 16; n++)
        b->cpu.r[n] = (u16)keyed_random(seed, at, n);
    /* Counts of block instructions stay small, so that repeats end within the log. */
    b->cpu.r[4] &= 3;
    b->cpu.fcw = (u16)(keyed_random(seed, at, 20) & 0x38fc);
    b->cpu.fcw |= (u16)(kind == 2 ? Z8000_SEG : 0);
    b->cpu.fcw |= (u16)(keyed_below(seed, at, 21, 4) ? Z8000_SYSTEM : 0);
    b->cpu.lines = (u8)(keyed_below(seed, at, 22, 8) ? 0 : keyed_below(seed, at, 23, 16));
    b->cpu.segment = z8002 ? 0 : CODE >> 16;
    b->cpu.pc = (u16)CODE;
    b->cpu.psapseg = b->cpu.nspseg = 0x8300;
    b->cpu.psapoff = 0x4000;
    b->cpu.nspoff = (u16)keyed_random(seed, at, 24);
    for (unsigned i = 0; i < 5; i++) {
        u16 further = (u16)keyed_random(seed, at, 30 + i);

        bench_word(b, (z8002 ? CODE & 0xffff : CODE) + 2 * i, i ? further : word);
    }
}

static void step_through_holds(struct bench *b)
{
    u8 image[Z8000_IMAGE_BYTES];
    unsigned guard = 0;

    while (z8000_step(&b->cpu) == Z8000_HELD && guard++ < 100) {
        struct z8000 fresh;

        z8000_export(&b->cpu, image);
        z8000_init(&fresh, !b->cpu.z8002, b->table, bench_bus, b);
        CHECK(z8000_import(&fresh, image));
        b->cpu = fresh;
    }
    CHECK(guard < 100);
}

static struct outcome run(struct bench *b, int hold)
{
    struct outcome o = {.memory = 0};

    b->hold = hold;
    for (unsigned n = 0; n < STEPS; n++)
        step_through_holds(b);
    z8000_export(&b->cpu, o.image);
    o.logged = b->logged;
    for (size_t i = 0; i < b->undone; i++)
        o.memory = o.memory * 31 + b->memory[b->undo_at[i]];
    bench_undo(b);
    return o;
}

static bool same_log(const struct bench *b)
{
    for (size_t i = 0; i < b->logged && i < BENCH_LOG; i++) {
        const struct z8000_cycle *x = &b->log[i], *y = &free_log[i];

        if (x->status != y->status || x->segment != y->segment || x->offset != y->offset ||
            x->data != y->data || x->write != y->write || x->byte != y->byte ||
            x->normal != y->normal)
            return false;
    }
    return true;
}

static bool same(const struct outcome *x, const struct outcome *y)
{
    return x->logged == y->logged && x->memory == y->memory &&
           memcmp(x->image, y->image, sizeof x->image) == 0;
}

static void one(struct bench *b, u16 word, unsigned kind, u64 seed)
{
    struct outcome expected, got;

    prepare(b, word, kind, seed);
    expected = run(b, HOLD_NONE);
    memcpy(free_log, b->log, sizeof *free_log * MIN(b->logged, (size_t)BENCH_LOG));
    for (int hold = HOLD_ALL; hold < (int)MIN(expected.logged, (size_t)60); hold++) {
        if (hold == HOLD_NONE)
            continue;
        prepare(b, word, kind, seed);
        got = run(b, hold);
        if (!same(&expected, &got) || !same_log(b)) {
            printf("word %04x kind %u hold %d\n", word, kind, hold);
            CHECK(false);
            return;
        }
    }
}

static void test_every_word_held_everywhere(void)
{
    u64 seeds = test_length(1, 40);

    bench_open(&bench);
    for (u64 seed = 1; seed <= seeds; seed++)
        for (u32 word = 0; word < 65536 && !checks_failed; word++)
            one(&bench, (u16)word, (unsigned)((word + seed) % 3), seed);
    for (u32 word = 0; word < 65536 && !checks_failed; word += 7)
        for (unsigned kind = 0; kind < 3; kind++)
            one(&bench, (u16)word, kind, 99);
    bench_close(&bench);
}

static void test_images_of_nonsense_are_refused_or_harmless(void)
{
    u8 image[Z8000_IMAGE_BYTES];
    unsigned taken = 0;

    bench_open(&bench);
    bench_cpu(&bench, false);
    z8000_export(&bench.cpu, image);
    CHECK(z8000_import(&bench.cpu, image));
    image[0] ^= 1;
    CHECK(!z8000_import(&bench.cpu, image));
    image[0] ^= 1;
    for (u64 n = 0; n < 200000; n++) {
        u8 bent[Z8000_IMAGE_BYTES];

        memcpy(bent, image, sizeof bent);
        for (u64 i = 0; i < 1 + n % 12; i++)
            bent[4 + keyed_below(7, n, i, sizeof bent - 4)] = (u8)keyed_random(8, n, i);
        bent[63 + n % 9] = (u8)keyed_below(9, n, 0, 12);
        if (!z8000_import(&bench.cpu, bent))
            continue;
        taken++;
        for (unsigned steps = 0; steps < 4; steps++)
            z8000_step(&bench.cpu);
        bench_undo(&bench);
        bench.logged = 0;
    }
    CHECK(taken > 100);
    bench_close(&bench);
}

TESTS(CASE(test_every_word_held_everywhere),
      CASE(test_images_of_nonsense_are_refused_or_harmless))
