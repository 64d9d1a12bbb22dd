/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * z8000-step: reads cases on standard input, prints results on standard output, so that
 * the core can be compared with another one or with a chip. The language is described in
 * z8000/README.md; a line that is not of it ends the run with its number.
 */
#include <stdlib.h>
#include <string.h>
#include "z8000/step/case.h"

enum { LINE_BYTES = 1 << 16, WORDS_MOST = 4096 };

/* The words of a line; `next` moves over them. */
struct line {
    char *word[WORDS_MOST];
    size_t count, next;
};

static bool parse(const char *text, int base, u64 most, u64 *value)
{
    char *end;

    if (!text || !*text || *text == '-' || *text == '+')
        return false;
    *value = strtoull(text, &end, base);
    return !*end && *value <= most;
}

static const char *take(struct line *l)
{
    return l->next < l->count ? l->word[l->next++] : NULL;
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
    const char *name = take(l);

    test_new(t, name ? name : "");
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
static bool set(struct test *t, char *word)
{
    char *equals = strchr(word, '=');
    u16 *where;
    u64 value;

    *equals = 0;
    if (strcmp(word, "pc") == 0)
        return set_pc(&t->cpu, equals + 1);
    where = field(&t->cpu, word);
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
    u32 at;
    u64 value;

    if (!parse_address(take(l), &at))
        return false;
    while (l->next < l->count) {
        if (!parse(take(l), 16, bytes == 2 ? 0xffff : 0xff, &value))
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
    u16 word;

    if (!parse(take(l), 16, 0xffff, &number))
        return false;
    while (l->next < l->count) {
        if (!parse(take(l), 16, 0xffff, &value))
            return false;
        word = (u16)value;
        if (!world_port(&t->world, special, (u16)number, &word, 1))
            return false;
    }
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
    t->until_halt = false;
    return parse(take(l), 10, ~0ull, &t->steps);
}

static bool on_untilhalt(struct test *t, struct line *l)
{
    const char *most = take(l);

    t->until_halt = true;
    t->steps = CASE_STEPS_MOST;
    return !most || parse(most, 10, ~0ull, &t->steps);
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
    u32 address;

    while (l->next < l->count) {
        if (!parse_address(take(l), &address))
            return false;
        t->world.absent[address / WORLD_PAGE] = 1;
    }
    return true;
}

/* What the decoder knows of first words: `F WORD NAME WORDS ADDRESS`. */
static bool on_form(struct test *t, struct line *l)
{
    u64 word;

    while (l->next < l->count) {
        struct z8000_form form;

        if (!parse(take(l), 16, 0xffff, &word))
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

static const struct {
    const char *name;
    bool (*run)(struct test *t, struct line *l);
} commands[] = {
    {"new", on_new},       {"cpu", on_cpu},     {"mem", on_mem},
    {"memb", on_memb},     {"io", on_io},       {"sio", on_sio},
    {"at", on_at},         {"steps", on_steps}, {"untilhalt", on_untilhalt},
    {"trace", on_trace},   {"bus", on_bus},     {"coalesce", on_coalesce},
    {"absent", on_absent}, {"form", on_form},   {"run", on_run},
};

/* A line is one command with its words, or any number of KEY=VALUE. */
static bool execute(struct test *t, struct line *l)
{
    const char *first;

    if (!l->count || l->word[0][0] == '#')
        return true;
    if (strchr(l->word[0], '=')) {
        for (size_t i = 0; i < l->count; i++)
            if (!strchr(l->word[i], '=') || !set(t, l->word[i]))
                return false;
        return true;
    }
    first = take(l);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(first, commands[i].name) == 0)
            return commands[i].run(t, l) && l->next == l->count;
    return false;
}

static bool split(char *text, struct line *l)
{
    char *rest = NULL;

    l->count = l->next = 0;
    for (char *word = strtok_r(text, " \t\r\n", &rest); word;
         word = strtok_r(NULL, " \t\r\n", &rest)) {
        if (l->count == WORDS_MOST)
            return false;
        l->word[l->count++] = word;
    }
    return true;
}

int main(void)
{
    static char text[LINE_BYTES];
    static struct line line;
    struct test *t = calloc(1, sizeof *t);
    void *table = malloc(z8000_table_size());
    unsigned long number = 0;
    int status = 0;

    if (!t || !table || !(t->world.memory = calloc(1, WORLD_BYTES + 1))) {
        fprintf(stderr, "z8000-step: out of memory\n");
        return 1;
    }
    t->table = z8000_table_init(table);
    t->world.out = stdout;
    test_new(t, "");
    t->started = false;
    while (!status && fgets(text, sizeof text, stdin)) {
        number++;
        if (!split(text, &line) || !execute(t, &line)) {
            fprintf(stderr, "z8000-step: line %lu is not understood, from \"%s\"\n", number,
                    line.count ? line.word[0] : "");
            status = 2;
        }
    }
    free(t->world.memory);
    free(t);
    free(table);
    return status;
}
