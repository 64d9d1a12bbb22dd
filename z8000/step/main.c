/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * z8000-step: reads cases on standard input, prints results on standard output, so that
 * the core can be compared with another one or with a chip. The language is described in
 * z8000/README.md; a line that is not of it is reported with its number and left out.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/step/case.h"

/* What is left of a line. */
struct line {
    char *rest;
};

static bool parse(const char *text, int base, u64 most, u64 *value)
{
    char *end;

    if (!text || !*text || *text == '-' || *text == '+')
        return false;
    *value = strtoull(text, &end, base);
    return !*end && *value <= most;
}

/* The next word, or NULL. */
static const char *take(struct line *l)
{
    const char *space = " \t\r\n";
    char *word = l->rest + strspn(l->rest, space);

    l->rest = word + strcspn(word, space);
    if (*l->rest)
        *l->rest++ = 0;
    return *word ? word : NULL;
}

/* SS:OOOO, or OOOO alone in segment 0. */
static bool parse_address(const char *text, u32 *address)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    char segment[8] = "0";
    u64 high, low;

    if (colon && (size_t)(colon - text) < sizeof segment) {
        memcpy(segment, text, (size_t)(colon - text));
        segment[colon - text] = 0;
    } else if (colon) {
        return false;
    }
    if (!parse(segment, 16, 0x7f, &high) || !parse(colon ? colon + 1 : text, 16, 0xffff, &low))
        return false;
    *address = (u32)(high << 16 | low);
    return true;
}

static bool on_new(struct test *t, struct line *l)
{
    char *end = l->rest + strlen(l->rest);

    l->rest += strspn(l->rest, " \t");
    while (end > l->rest && strchr(" \t\r\n", end[-1]))
        *--end = 0;
    test_new(t, l->rest);
    l->rest = end;
    return true;
}

static bool on_cpu(struct test *t, struct line *l)
{
    const char *kind = take(l);

    if (!kind || (strcmp(kind, "z8001") != 0 && strcmp(kind, "z8002") != 0))
        return false;
    test_set_cpu(t, strcmp(kind, "z8002") == 0);
    return true;
}

static u16 *field(struct z8000 *c, const char *key)
{
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {
        {"psapseg", offsetof(struct z8000, psapseg)},
        {"psapoff", offsetof(struct z8000, psapoff)},
        {"nspseg", offsetof(struct z8000, nspseg)},
        {"nspoff", offsetof(struct z8000, nspoff)},
        {"refresh", offsetof(struct z8000, refresh)},
        {"fcw", offsetof(struct z8000, fcw)},
    };
    u64 n;

    if (key[0] == 'r' && parse(key + 1, 10, 15, &n))
        return &c->r[n];
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strcmp(key, fields[i].name) == 0)
            return (u16 *)(void *)((char *)c + fields[i].offset);
    return NULL;
}

static bool set_pc(struct z8000 *c, const char *text)
{
    u32 address;

    if (!parse_address(text, &address) || (c->z8002 && address >> 16))
        return false;
    c->segment = (u8)(address >> 16);
    c->pc = (u16)address;
    return true;
}

/* KEY=VALUE: the state as it is, no mode change happens. */
static bool set(struct test *t, const char *word)
{
    const char *equals = strchr(word, '=');
    char key[8] = "";
    u16 *where;
    u64 value;

    if (!equals || (size_t)(equals - word) >= sizeof key)
        return false;
    memcpy(key, word, (size_t)(equals - word));
    if (strcmp(key, "pc") == 0)
        return set_pc(&t->cpu, equals + 1);
    where = field(&t->cpu, key);
    if (!where || !parse(equals + 1, 16, 0xffff, &value))
        return false;
    if (where == &t->cpu.fcw && t->cpu.z8002)
        value &= 0x7fff;
    if (where == &t->cpu.psapoff)
        value &= 0xff00; /* the chip has no other bits */
    *where = (u16)value;
    return true;
}

static bool fill(struct test *t, struct line *l, unsigned bytes)
{
    const char *word;
    u32 at;
    u64 value;

    if (!parse_address(take(l), &at))
        return false;
    while ((word = take(l))) {
        if (!parse(word, 16, bytes == 2 ? 0xffff : 0xff, &value))
            return false;
        if (bytes == 2)
            world_put(&t->world, at, (u8)(value >> 8));
        world_put(&t->world, at + bytes - 1, (u8)value);
        at = (at & 0x7f0000) | ((at + bytes) & 0xffff);
    }
    return true;
}

static bool on_mem(struct test *t, struct line *l)
{
    return fill(t, l, 2);
}

static bool on_memb(struct test *t, struct line *l)
{
    return fill(t, l, 1);
}

static bool port(struct test *t, struct line *l, bool special)
{
    u64 number, value;
    const char *word;

    if (!parse(take(l), 16, 0xffff, &number))
        return false;
    while ((word = take(l)))
        if (!parse(word, 16, 0xffff, &value) ||
            !world_port(&t->world, special, (u16)number, (u16)value))
            return false;
    return true;
}

static bool on_io(struct test *t, struct line *l)
{
    return port(t, l, false);
}

static bool on_sio(struct test *t, struct line *l)
{
    return port(t, l, true);
}

static bool on_at(struct test *t, struct line *l)
{
    static const char *const names[] = {"nmi", "segt", "vi", "nvi"};
    u64 step, identifier = 0;
    const char *kind, *word;

    if (!parse(take(l), 10, ~0ull, &step) || !(kind = take(l)) ||
        t->world.event_count == WORLD_EVENTS)
        return false;
    word = take(l);
    if (word && !parse(word, 16, 0xffff, &identifier))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(kind, names[i]) == 0) {
            t->world.events[t->world.event_count++] = (struct event){
                .step = step, .line = (u8)(1 << i), .identifier = (u16)identifier};
            return true;
        }
    return false;
}

static bool on_steps(struct test *t, struct line *l)
{
    u64 steps;

    if (!parse(take(l), 10, ~0ull, &steps))
        return false;
    t->until_halt = false;
    t->steps = steps;
    return true;
}

static bool on_untilhalt(struct test *t, struct line *l)
{
    const char *most = take(l);
    u64 steps = CASE_STEPS_MOST;

    if (most && !parse(most, 10, ~0ull, &steps))
        return false;
    t->until_halt = true;
    t->steps = steps;
    return true;
}

static bool flag(struct test *t, struct line *l, size_t offset)
{
    u64 value;

    if (!parse(take(l), 10, 1, &value))
        return false;
    *(bool *)((char *)&t->settings + offset) = value != 0;
    if (!t->started)
        t->defaults = t->settings;
    return true;
}

static bool on_trace(struct test *t, struct line *l)
{
    return flag(t, l, offsetof(struct settings, trace));
}

static bool on_bus(struct test *t, struct line *l)
{
    return flag(t, l, offsetof(struct settings, bus));
}

static bool on_coalesce(struct test *t, struct line *l)
{
    return flag(t, l, offsetof(struct settings, coalesce));
}

static bool on_absent(struct test *t, struct line *l)
{
    const char *word;
    u32 address;

    while ((word = take(l))) {
        if (!parse_address(word, &address))
            return false;
        t->world.absent[address / WORLD_PAGE] = 1;
    }
    return true;
}

/* What the decoder knows of first words: `F WORD NAME WORDS ADDRESS`. */
static bool on_form(struct test *t, struct line *l)
{
    const char *text;
    u64 word;

    while ((text = take(l))) {
        struct z8000_form form;

        if (!parse(text, 16, 0xffff, &word))
            return false;
        if (!z8000_describe(t->table, (u16)word, &form))
            form.name = "-";
        printf("F %04X %s %u %d\n", (unsigned)word, form.name, form.words, form.address);
    }
    return true;
}

static bool on_run(struct test *t, struct line *l)
{
    (void)l;
    test_run(t);
    return true;
}

enum { ANY = 1 << 30 };

static const struct {
    const char *name;
    bool (*run)(struct test *t, struct line *l);
    size_t words; /* after its name, at most */
    const char *usage;
} commands[] = {
    {"new", on_new, ANY, "new NAME"},
    {"cpu", on_cpu, 1, "cpu z8001 or cpu z8002"},
    {"mem", on_mem, ANY, "mem SS:OOOO W W .. (segment 00 to 7F, words 0 to FFFF, hexadecimal)"},
    {"memb", on_memb, ANY,
     "memb SS:OOOO B B .. (segment 00 to 7F, bytes 0 to FF, hexadecimal)"},
    {"io", on_io, ANY, "io PORT W W .. (hexadecimal, at most 64 ports and 4096 words a port)"},
    {"sio", on_sio, ANY,
     "sio PORT W W .. (hexadecimal, at most 64 ports and 4096 words a port)"},
    {"at", on_at, 3, "at N nmi|nvi|vi|segt IDENT (N decimal, IDENT hexadecimal, at most 4096)"},
    {"steps", on_steps, 1, "steps N (decimal)"},
    {"untilhalt", on_untilhalt, 1, "untilhalt or untilhalt MAX (decimal)"},
    {"trace", on_trace, 1, "trace 0 or trace 1"},
    {"bus", on_bus, 1, "bus 0 or bus 1"},
    {"coalesce", on_coalesce, 1, "coalesce 0 or coalesce 1"},
    {"absent", on_absent, ANY, "absent SS:OOOO SS:OOOO .. (hexadecimal)"},
    {"form", on_form, ANY, "form W W .. (hexadecimal)"},
    {"run", on_run, 0, "run"},
};

static const char keys[] = "KEY=VALUE (hexadecimal) with the keys r0 to r15, fcw, pc (SS:OOOO; "
                           "a z8002 has segment 0), "
                           "psapseg, psapoff, nspseg, nspoff, refresh";
static const char verbs[] = "new, cpu, mem, memb, io, sio, at, steps, untilhalt, trace, bus, "
                            "coalesce, absent, form, run, or KEY=VALUE";

static size_t count(const char *text)
{
    const char *space = " \t\r\n";
    size_t words = 0;

    for (text += strspn(text, space); *text; text += strspn(text, space), words++)
        text += strcspn(text, space);
    return words;
}

/* A line is one command with its words, or any number of KEY=VALUE. NULL: done; else what
 * would have been right. */
static const char *execute(struct test *t, char *text)
{
    struct line l = {.rest = text};
    const char *first = take(&l);

    if (!first || first[0] == '#')
        return NULL;
    if (strchr(first, '=')) {
        struct z8000 before = t->cpu;

        while (first && set(t, first))
            first = take(&l);
        if (first)
            t->cpu = before;
        return first ? keys : NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(first, commands[i].name) == 0)
            return count(l.rest) <= commands[i].words && commands[i].run(t, &l)
                       ? NULL
                       : commands[i].usage;
    return verbs;
}

static void complain(unsigned long number, const char *line, const char *remedy)
{
    fflush(stdout);
    fprintf(stderr, "z8000-step: line %lu is not understood: \"%.60s\"; it should be %s\n",
            number, line, remedy);
}

/* All of standard input; the status to leave with: 0, or 2 if some line was left out. */
static int run_input(struct test *t)
{
    char *text = NULL, line[64];
    size_t size = 0;
    unsigned long number = 0;
    int status = 0;

    while (getline(&text, &size, stdin) >= 0) {
        const char *remedy;

        snprintf(line, sizeof line, "%.*s", (int)strcspn(text, "\r\n"), text);
        number++;
        remedy = execute(t, text);
        if (remedy) {
            complain(number, line, remedy);
            status = 2;
        }
    }
    free(text);
    return status;
}

int main(void)
{
    struct test *t = calloc(1, sizeof *t);
    void *table = malloc(z8000_table_size());
    int status = 1;

    if (t && table && (t->world.memory = calloc(1, WORLD_BYTES + 1))) {
        t->table = z8000_table_init(table);
        t->world.out = stdout;
        test_new(t, "");
        t->started = false;
        status = run_input(t);
        free(t->world.io);
        free(t->world.memory);
    } else {
        fprintf(stderr, "z8000-step: out of memory\n");
    }
    free(t);
    free(table);
    return status;
}
