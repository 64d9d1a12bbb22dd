/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table 1 of the 1987 paper, each row measured in emulated time as the difference between
 * many and few repetitions, beside a model with named assumptions and what it leaves over.
 */
#include "z8000/bench/table.h"

enum { FEW = 2, MANY = 12 };

static const struct row {
    const char *name, *how;
    double paper_ms;
    enum rig_program program;
    u16 argument;
    unsigned nodes;
    u16 answer;       /* bytes the other node sends back */
    u16 copied;       /* bytes that processors copy for one operation */
    u16 summed;       /* bytes of data that go through a checksum */
    double device_ms; /* time of a device that no processor or line can shorten */
} rows[] = {
    {"null kernel call", "SC 0 in a loop", 1, RIG_NULL, 0, 1, 0, 0, 0, 0},
    {"create and destroy link", "both calls in a loop", 3, RIG_LINK, 0, 1, 0, 0, 0, 0},
    {"disk block, 512 bytes", "read into the process; half a turn at 3,600 per minute", 110,
     RIG_BLOCK, 0, 1, 0, 0, 0, 1000.0 / 120},
    {"send and receive 0 bytes, local", "to itself", 10, RIG_MESSAGE, 0, 1, 0, 0, 0, 0},
    {"send and receive 1024 bytes, local", "to itself", 25, RIG_MESSAGE, 1024, 1, 0, 2048, 0,
     0},
    {"send and receive 0 bytes, remote", "there and back", 63, RIG_REMOTE, 0, 2, 0, 0, 0, 0},
    {"send and receive 1024 bytes, remote", "1024 bytes there, an empty answer back", 280,
     RIG_REMOTE, 1024, 2, 0, 2048, 2048, 0},
    {"1024 bytes there and back, remote",
     "two crossings: more than 280 ms allow at 5,000 bytes/s", 0, RIG_REMOTE, 1024, 2, 1024,
     4096, 4096, 0},
};

struct cost {
    double clocks, kernel, line_bytes, interrupts;
};

static bool measure(struct rig *r, const struct row *row, struct cost *cost)
{
    struct rig_time few, many;
    double n = MANY - FEW;

    r->answer = row->answer;
    if (!rig_run(r, row->program, FEW, row->argument, row->nodes, &few) ||
        !rig_run(r, row->program, MANY, row->argument, row->nodes, &many))
        return false;
    cost->clocks = (double)(many.user - few.user) / n;
    cost->kernel = (double)(many.kernel_busy - few.kernel_busy) / n;
    cost->line_bytes = (double)(many.line_bytes - few.line_bytes) / n;
    cost->interrupts = (double)(many.interrupts - few.interrupts) / n;
    return true;
}

/*
 * The paper's kernel was compiled by a plain compiler and not tuned: the assumption is that
 * such code takes this many times the clocks of ours, chosen before any row was measured. What
 * the compiler has no part in counts once: the line, the device, block moves, sums over data,
 * the machine's own interrupt sequences, and the loop that feeds the line, since the paper's rate
 * is what its interface reached with one.
 */
static const double compiled_factor = 3;
enum {
    COPY_WORD = 9,      /* clocks of LDIR */
    SUM_WORD = 22,      /* ADD, INC, DJNZ */
    INTERRUPT = 39 + 16 /* into it, and IRET */
};

/* Clocks from a byte's end on the line to the next one's beginning: put_frame looks first 18
 * clocks after it has sent, then every 33, and sends 45 after the look that found it ready. */
static double feeding(const struct rig_machine *m)
{
    u32 byte = m->hz / m->bytes_per_second, looks = byte > 18 ? (byte - 18 + 32) / 33 : 0;

    return 18.0 + 33.0 * looks + 45.0 - byte;
}

static void print_model(const struct row *row, const struct cost *c,
                        const struct rig_machine *m)
{
    double ms = 1000.0 / m->hz, line = c->line_bytes * 1000.0 / m->bytes_per_second;
    double handshake = row->nodes == 2 ? c->line_bytes * feeding(m) * ms : 0;
    double copies = row->copied / 2.0 * COPY_WORD * ms,
           sums = row->summed / 2.0 * SUM_WORD * ms;
    double interrupts = c->interrupts * INTERRUPT * ms;
    double once = line + handshake + copies + sums + interrupts + row->device_ms;
    double code = c->clocks * ms - once, model = once + code * compiled_factor;

    printf(",\n     \"model\": {\"line_ms\": %.3f, \"handshake_ms\": %.3f, \"device_ms\": %.3f,"
           " \"copies_ms\": %.3f, \"sums_ms\": %.3f, \"interrupts\": %.1f,"
           " \"interrupts_ms\": %.3f, \"code_ms\": %.3f, \"compiled_code_factor\": %g,"
           " \"model_ms\": %.3f",
           line, handshake, row->device_ms, copies, sums, c->interrupts, interrupts, code,
           compiled_factor, model);
    if (row->paper_ms > 0)
        printf(", \"residual_ms\": %.3f", row->paper_ms - model);
    printf("}");
}

static void print_row(const struct row *row, const struct cost *c, const struct rig_machine *m,
                      bool model)
{
    double measured = c->clocks * 1000.0 / m->hz;

    printf("    {\"row\": \"%s\", \"how\": \"%s\", \"measured_ms\": %.3f, \"clocks\": %.1f,"
           " \"kernel_busy_clocks\": %.1f, \"line_bytes\": %.1f",
           row->name, row->how, measured, c->clocks, c->kernel, c->line_bytes);
    if (row->paper_ms > 0)
        printf(", \"paper_ms\": %g, \"ratio\": %.3f", row->paper_ms, measured / row->paper_ms);
    if (model)
        print_model(row, c, m);
    printf("}");
}

/* With one processor there are no ports. */
static bool possible(const struct row *row, const struct rig_machine *m)
{
    return !m->one_processor || (row->nodes == 1 && row->program != RIG_BLOCK);
}

bool table_print(struct rig *r, const char *name, struct rig_machine machine, bool model)
{
    bool first = true;

    r->machine = machine;
    printf("  \"%s\": [\n", name);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cost cost;

        if (!possible(&rows[i], &machine))
            continue;
        if (!measure(r, &rows[i], &cost))
            return false;
        printf("%s", first ? "" : ",\n");
        print_row(&rows[i], &cost, &machine, model);
        first = false;
    }
    printf("\n  ]");
    return true;
}
