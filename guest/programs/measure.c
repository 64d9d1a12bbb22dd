/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the counters and printing rows. Reading costs the same each time, so that it
 * drops out as everything else does that does not depend on the number of turns.
 */
#include "guest/programs/measure.h"
#include "guest/machine/protocol.h"

struct reading {
    u64 ticks, switches, flushes;
    bool counted;
};

static bool asked(enum machine_op op, struct words *w)
{
    words_start(w, op);
    return words_call(demos_link("machine"), w, NULL, 0, NULL) >= 0;
}

static struct reading read_all(void)
{
    struct reading r = {0};
    struct words w;

    r.counted = asked(MACHINE_COUNTS, &w);
    if (r.counted) {
        r.switches = words_get(&w);
        r.flushes = words_get(&w);
    }
    if (!asked(MACHINE_CYCLES, &w))
        demos_die("no link to the machine (started with +machine?)");
    r.ticks = words_get(&w);
    return r;
}

static struct reading spent(void (*work)(u64), u64 turns)
{
    struct reading before = read_all(), after;

    work(turns);
    after = read_all();
    after.ticks -= before.ticks;
    after.switches -= before.switches;
    after.flushes -= before.flushes;
    return after;
}

static u64 thousandths(u64 once, u64 thrice, u64 turns)
{
    return thrice > once ? ((thrice - once) * 1000 + turns) / (2 * turns) : 0;
}

struct cost measure(void (*work)(u64), u64 turns)
{
    struct reading once = {0}, thrice = {0};

    /* Where others share the CPU the short part may take longer than the long one. */
    for (u32 tries = 0; tries < MEASURE_TRIES && thrice.ticks <= once.ticks; tries++) {
        once = spent(work, turns);
        thrice = spent(work, 3 * turns);
    }
    return (struct cost){.ticks = thousandths(once.ticks, thrice.ticks, turns),
                         .switches = thousandths(once.switches, thrice.switches, turns),
                         .flushes = thousandths(once.flushes, thrice.flushes, turns),
                         .counted = once.counted};
}

struct cost measure_middle(void (*work)(u64), u64 turns)
{
    struct cost c[3];

    for (u32 i = 0; i < ARRAY_SIZE(c); i++)
        c[i] = measure(work, turns);
    for (u32 i = 0; i < ARRAY_SIZE(c); i++) {
        u64 others[2] = {c[(i + 1) % 3].ticks, c[(i + 2) % 3].ticks};

        if (c[i].ticks >= MIN(others[0], others[1]) && c[i].ticks <= MAX(others[0], others[1]))
            return c[i];
    }
    return c[0];
}

/* Hundredths are enough: what an alarm does every ten milliseconds is not the row's. */
static void print_count(const char *letter, u64 thousandths)
{
    u64 hundredths = (thousandths + 5) / 10;

    demos_print(", \"%s\": %llu.%02llu", letter, (unsigned long long)(hundredths / 100),
                (unsigned long long)(hundredths % 100));
}

void measure_print(const char *row, const char *name, const struct cost *c, u64 divide)
{
    u64 value = divide > 1 ? c->ticks * 1000 / divide : c->ticks;
    u64 unit = divide > 1 ? 1000000 : 1000;

    demos_print(
        "{\"row\": \"%s\", \"name\": \"%s\", \"value\": %llu.%0*llu, \"unit\": \"ticks\"", row,
        name, (unsigned long long)(value / unit), divide > 1 ? 6 : 3,
        (unsigned long long)(value % unit));
    if (c->counted) {
        print_count("X", c->switches);
        print_count("F", c->flushes);
    }
    demos_print("}\n");
}
