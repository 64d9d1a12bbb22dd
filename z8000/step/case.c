/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a case: raises its requests, supplies pages that hold the bus, counts steps, and
 * prints the lines that z8000/README.md lists.
 */
#include <string.h>
#include "z8000/step/case.h"

/* A vectored or nonvectored request goes away when it is acknowledged. */
static bool acknowledging(void *owner, struct z8000_cycle *cycle)
{
    struct test *t = owner;

    if (cycle->status == Z8000_ST_VI_ACK)
        t->cpu.lines &= (u8)~Z8000_VI;
    if (cycle->status == Z8000_ST_NVI_ACK)
        t->cpu.lines &= (u8)~Z8000_NVI;
    return world_bus(&t->world, cycle);
}

void test_set_cpu(struct test *t, bool z8002)
{
    t->cpu.z8002 = z8002;
    if (z8002) {
        t->cpu.segment = 0;
        t->cpu.fcw &= (u16)~Z8000_SEG;
    }
}

void test_new(struct test *t, const char *name)
{
    snprintf(t->name, sizeof t->name, "%s", name);
    world_clear(&t->world);
    z8000_init(&t->cpu, false, t->table, acknowledging, t);
    t->settings = t->defaults;
    t->started = true;
    t->until_halt = true;
    t->steps = CASE_STEPS_MOST;
}

static u8 acknowledge_of(u8 line)
{
    switch (line) {
    case Z8000_NMI: return Z8000_ST_NMI_ACK;
    case Z8000_SEGT: return Z8000_ST_SEGMENT_ACK;
    case Z8000_VI: return Z8000_ST_VI_ACK;
    default: return Z8000_ST_NVI_ACK;
    }
}

/* Raises the requests due before step n; says whether later ones are still to come. */
static bool raise_events(struct test *t, u64 n)
{
    bool later = false;

    for (size_t i = 0; i < t->world.event_count; i++) {
        struct event *e = &t->world.events[i];

        if (e->step == n && !e->raised) {
            e->raised = true; /* another run counts its steps anew */
            t->cpu.lines |= e->line;
            t->world.identifier[acknowledge_of(e->line)] = e->identifier;
        }
        later |= e->step > n && !e->raised;
    }
    return later;
}

/* One step of the core, pages supplied as it asks for them. */
static enum z8000_result step_once(struct test *t)
{
    enum z8000_result result;

    while ((result = z8000_step(&t->cpu)) == Z8000_HELD)
        world_supply(&t->world);
    return result;
}

/* A count of zero at the start means this many; more come only where a block instruction
 * uses its own count as a pointer, and then may never end. */
enum { ITERATIONS_MOST = 65536 };

struct counted {
    u64 clocks;
    u32 iterations;
};

/* A step as the case counts them: with `coalesce`, all iterations of a block instruction. */
static enum z8000_result counted_step(struct test *t, struct counted *made)
{
    u64 before = t->cpu.clocks;
    enum z8000_result result = step_once(t);

    made->iterations = t->cpu.iterations;
    while (t->settings.coalesce && z8000_repeating(&t->cpu) &&
           made->iterations < ITERATIONS_MOST) {
        step_once(t);
        made->iterations += t->cpu.iterations;
    }
    made->clocks = t->cpu.clocks - before;
    return result;
}

static void print_state(const struct test *t)
{
    const struct z8000 *c = &t->cpu;

    fprintf(t->world.out, "R");
    for (size_t i = 0; i < 16; i++)
        fprintf(t->world.out, " %04X", c->r[i]);
    fprintf(t->world.out,
            "\nS fcw=%04X pc=%02X:%04X nsp=%04X:%04X psap=%04X:%04X refresh=%04X halt=%d\n",
            c->fcw, c->segment, c->pc, c->nspseg, c->nspoff, c->psapseg, c->psapoff, c->refresh,
            c->halted);
}

/* Steps made; `why` says what ended them. */
static u64 run_steps(struct test *t, const char **why)
{
    u64 n;

    *why = t->until_halt ? "limit" : "steps";
    for (n = 0; n < t->steps; n++) {
        bool later = raise_events(t, n);
        u8 segment = t->cpu.segment;
        u16 pc = t->cpu.pc;
        struct counted made;
        enum z8000_result result = counted_step(t, &made);

        if (t->settings.trace && result == Z8000_DONE)
            fprintf(t->world.out, "STEP %llu pc=%02X:%04X op=%04X cyc=%llu iter=%u\n",
                    (unsigned long long)n, segment, pc, t->cpu.u.word[0],
                    (unsigned long long)made.clocks, made.iterations);
        if (t->cpu.halted && !later) {
            *why = "halt";
            return n + (result == Z8000_DONE);
        }
    }
    return n;
}

void test_run(struct test *t)
{
    const char *why;
    u64 clocks = t->cpu.clocks, n;

    t->world.trace_bus = t->settings.bus;
    fprintf(t->world.out, "CASE %s\n", t->name);
    n = run_steps(t, &why);
    fprintf(t->world.out, "END n=%llu cyc=%llu why=%s odd=%llu\n", (unsigned long long)n,
            (unsigned long long)(t->cpu.clocks - clocks), why,
            (unsigned long long)t->world.odd);
    print_state(t);
    world_report(&t->world);
    fprintf(t->world.out, ".\n");
    fflush(t->world.out);
}
