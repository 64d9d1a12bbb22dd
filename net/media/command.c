/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault language of plans and of the command port, one line at a time. medium.h lists
 * the commands; a table says what each takes.
 */
#include "net/media/model.h"
#include "net/media/words.h"

enum argument { ARG_NONE, ARG_CHANCE, ARG_TIME, ARG_COUNT };

struct command {
    const char *word;
    enum rule_kind kind;
    enum argument first, second;
    bool second_optional, needs_direction;
    u64 second_default;
};

static const struct command commands[] = {
    {"loss", RULE_LOSS, ARG_CHANCE, ARG_NONE, false, false, 0},
    {"burst", RULE_BURST, ARG_CHANCE, ARG_CHANCE, false, false, 0},
    {"drop", RULE_NTH, ARG_COUNT, ARG_NONE, false, true, 0},
    {"duplicate", RULE_DUPLICATE, ARG_CHANCE, ARG_TIME, true, false, 0},
    {"reorder", RULE_REORDER, ARG_CHANCE, ARG_TIME, false, false, 0},
    {"corrupt", RULE_CORRUPT, ARG_CHANCE, ARG_COUNT, true, false, 1},
    {"truncate", RULE_TRUNCATE, ARG_CHANCE, ARG_NONE, false, false, 0},
    {"pad", RULE_PAD, ARG_CHANCE, ARG_NONE, false, false, 0},
    {"biterror", RULE_BITERROR, ARG_CHANCE, ARG_NONE, false, false, 0},
    {"delay", RULE_DELAY, ARG_TIME, ARG_NONE, false, false, 0},
    {"jitter", RULE_JITTER, ARG_TIME, ARG_NONE, false, false, 0},
    {"cut", RULE_CUT, ARG_NONE, ARG_NONE, false, true, 0},
    {"flap", RULE_FLAP, ARG_TIME, ARG_NONE, false, true, 0},
};

enum { WORDS = 6, WORD = 64 };

/* Cuts the line into words; 0 when there are too many or one is too long. */
static u32 split(const char *line, char word[WORDS][WORD])
{
    u32 count = 0;

    for (;;) {
        size_t len = 0;

        while (*line == ' ' || *line == '\t')
            line++;
        if (!*line || *line == '\n')
            return count;
        while (line[len] && line[len] != ' ' && line[len] != '\t' && line[len] != '\n')
            len++;
        if (count == WORDS || len >= WORD)
            return 0;
        memcpy(word[count], line, len);
        word[count++][len] = 0;
        line += len;
    }
}

static bool argument(enum argument a, const char *s, u64 *value)
{
    switch (a) {
    case ARG_CHANCE: return parse_chance(s, value);
    case ARG_TIME: return parse_duration(s, value);
    case ARG_COUNT: return parse_count(s, value);
    default: return false;
    }
}

/* The port of that name, which is still to come: it finds what has been said of it. */
static bool port_to_come(struct medium *m, const char *s, size_t len, u32 *value)
{
    char name[MEDIUM_NAME] = "";

    if (!m->config.they_come || !len || len >= sizeof(name) || (*s >= '0' && *s <= '9'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr(">|,*", s[i]))
            return false;
    memcpy(name, s, len);
    *value = medium_add_port(m, name);
    return *value != MEDIUM_ANY;
}

/* The port of a name or number of `len` characters; * is any. */
static bool port(struct medium *m, const char *s, size_t len, u32 *value)
{
    u64 n = 0;

    if (len == 1 && *s == '*') {
        *value = MEDIUM_ANY;
        return true;
    }
    for (u32 i = 0; i < m->config.ports; i++) {
        if (len && strnlen(m->port[i].name, MEDIUM_NAME) == len &&
            memcmp(m->port[i].name, s, len) == 0) {
            *value = i;
            return true;
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9' || i > 6)
            return port_to_come(m, s, len, value);
        n = n * 10 + (u64)(s[i] - '0');
    }
    *value = (u32)n;
    return len && n < m->config.ports;
}

static bool way(struct medium *m, const char *s, u32 *from, u32 *to)
{
    const char *arrow = strchr(s, '>');

    return arrow && port(m, s, (size_t)(arrow - s), from) &&
           port(m, arrow + 1, strlen(arrow + 1), to);
}

static void lift(struct medium *m, enum rule_kind kind, u32 from, u32 to, bool all)
{
    u32 kept = 0;

    for (u32 i = 0; i < m->rules; i++) {
        const struct rule *r = &m->rule[i];

        if (r->kind == kind && (all || (r->from == from && r->to == to)))
            continue;
        m->rule[kept++] = m->rule[i];
    }
    m->rules = kept;
}

static const char *put(struct medium *m, struct rule r)
{
    if (r.kind != RULE_NTH) /* several frames may be named, each by a line */
        lift(m, r.kind, r.from, r.to, false);
    if (m->rules == MEDIUM_RULES_MAX)
        return "too many faults at once on this medium";
    m->rule[m->rules++] = r;
    return NULL;
}

static const char *cut_port(struct medium *m, const char *name, u64 now)
{
    u32 p;
    const char *wrong;

    if (!port(m, name, strlen(name), &p))
        return "cut: no such port; say A>B or a port";
    wrong = put(m, (struct rule){.kind = RULE_CUT, .from = p, .to = MEDIUM_ANY, .since = now});
    return wrong ? wrong
                 : put(m, (struct rule){
                              .kind = RULE_CUT, .from = MEDIUM_ANY, .to = p, .since = now});
}

/* Takes one argument word if it parses; says whether the word was used. */
static bool use(enum argument a, u32 words, u32 *at, char word[WORDS][WORD], u64 *value)
{
    if (a == ARG_NONE || *at >= words || !argument(a, word[*at], value))
        return false;
    ++*at;
    return true;
}

static const char *set(struct medium *m, const struct command *c, u32 words,
                       char word[WORDS][WORD], u64 now)
{
    struct rule r = {.kind = c->kind, .from = MEDIUM_ANY, .to = MEDIUM_ANY, .since = now};
    u64 first = 0, second = c->second_default;
    bool off = words > 1 && strcmp(word[1], "off") == 0;
    u32 at = off ? 2 : 1;

    if (!off) {
        if (c->first != ARG_NONE && !use(c->first, words, &at, word, &first))
            return "the first argument is missing or malformed";
        if (c->second != ARG_NONE && !use(c->second, words, &at, word, &second) &&
            !c->second_optional)
            return "the second argument is missing or malformed";
    }
    if (at < words && !way(m, word[at++], &r.from, &r.to)) {
        if (c->kind == RULE_CUT && words == 2 && !off)
            return cut_port(m, word[1], now);
        return "the direction must be A>B with ports of this medium";
    }
    if (at < words)
        return "too many words";
    if (off) {
        lift(m, c->kind, r.from, r.to, r.from == MEDIUM_ANY && r.to == MEDIUM_ANY);
        return NULL;
    }
    if (c->needs_direction && words < (c->first ? 3u : 2u))
        return "a direction A>B is needed";
    r.chance = c->first == ARG_CHANCE ? (u32)first : 0;
    r.chance2 = c->second == ARG_CHANCE ? (u32)second : 0;
    r.value = c->first == ARG_CHANCE ? second : first;
    if (!r.value && (c->kind == RULE_JITTER || c->kind == RULE_FLAP ||
                     c->kind == RULE_REORDER || c->kind == RULE_CORRUPT))
        return "must not be zero; say off to lift it";
    return put(m, r);
}

static const char *partition(struct medium *m, const char *s)
{
    u16 group = 1;
    u32 p;

    for (u32 i = 0; i < m->config.ports; i++)
        m->port[i].group = 0;
    for (size_t len; *s; s += len + (s[len] != 0)) {
        for (len = 0; s[len] && s[len] != ',' && s[len] != '|'; len++)
            ;
        if (!port(m, s, len, &p) || p == MEDIUM_ANY)
            return "partition: say A,B|C,D with ports of this medium";
        m->port[p].group = group;
        if (s[len] == '|')
            group++;
    }
    return NULL;
}

static const char *heal(struct medium *m, u32 words, char word[WORDS][WORD])
{
    u32 from = MEDIUM_ANY, to = MEDIUM_ANY;

    if (words > 2 || (words == 2 && !way(m, word[1], &from, &to)))
        return "heal: say nothing more, or A>B";
    lift(m, RULE_CUT, from, to, words == 1);
    lift(m, RULE_FLAP, from, to, words == 1);
    for (u32 i = 0; words == 1 && i < m->config.ports; i++)
        m->port[i].group = 0;
    return NULL;
}

static const char *recorder(struct medium *m, const char *word)
{
    if (!m->kind->ack_slot_ns)
        return "recorder: only an ack-ether has one";
    if (strcmp(word, "off") == 0)
        m->recorder = MEDIUM_ANY;
    else if (!port(m, word, strlen(word), &m->recorder))
        return "recorder: no such port";
    return NULL;
}

static const char *clear(struct medium *m)
{
    m->rules = 0;
    m->stalled_until = 0;
    m->recorder = MEDIUM_ANY;
    m->config.rate = m->own_rate;
    m->config.queue_bytes = m->own_queue;
    for (u32 i = 0; i < m->config.ports; i++) {
        m->port[i].group = 0;
        m->port[i].bad = false;
    }
    return NULL;
}

static const char *special(struct medium *m, u32 words, char word[WORDS][WORD], u64 now)
{
    u64 value;

    if (strcmp(word[0], "clear") == 0 && words == 1)
        return clear(m);
    if (strcmp(word[0], "heal") == 0)
        return heal(m, words, word);
    if (words != 2)
        return "no such command; see the list of faults";
    if (strcmp(word[0], "partition") == 0)
        return partition(m, word[1]);
    if (strcmp(word[0], "recorder") == 0)
        return recorder(m, word[1]);
    if (strcmp(word[0], "stall") == 0 && parse_duration(word[1], &value)) {
        m->stalled_until = now + value;
        return NULL;
    }
    if (strcmp(word[0], "rate") == 0 && parse_count(word[1], &value)) {
        m->config.rate = value ? value : m->own_rate;
        return NULL;
    }
    if (strcmp(word[0], "queue") == 0 && parse_count(word[1], &value) && value <= 0xffffffffu) {
        m->config.queue_bytes = value ? (u32)value : m->own_queue;
        return NULL;
    }
    return "no such command, or its argument is malformed";
}

const char *medium_command(struct medium *m, const char *line, u64 now)
{
    char word[WORDS][WORD];
    u32 words = split(line, word);

    if (!words)
        return "a command of one to six words is needed";
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].word, word[0]) == 0)
            return set(m, &commands[i], words, word, now);
    }
    return special(m, words, word, now);
}
