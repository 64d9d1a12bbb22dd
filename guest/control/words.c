/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/memory.h"
#include "guest/control/words.h"

struct reader {
    const char *at, *end;
    char *to;
    const char *why;
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What a backslash and what follows it stand for; -1 when they stand for nothing. */
static int escaped(struct reader *r)
{
    static const char from[] = "\\\"nrt", to[] = "\\\"\n\r\t";
    char c = r->at < r->end ? *r->at++ : 0;

    if (c == 'x' && r->end - r->at >= 2) {
        int high = hex_digit(r->at[0]), low = hex_digit(r->at[1]);

        r->at += 2;
        return high < 0 || low < 0 || !(high | low) ? -1 : high << 4 | low;
    }
    for (u32 i = 0; c && from[i]; i++)
        if (from[i] == c)
            return to[i];
    return -1;
}

static bool quoted(struct reader *r)
{
    while (r->at < r->end && *r->at != '"') {
        int c = (u8)*r->at++;

        if (c == '\\')
            c = escaped(r);
        if (c == -1) {
            r->why = "an escape in quotes is unknown";
            return false;
        }
        *r->to++ = (char)c;
    }
    if (r->at == r->end) {
        r->why = "a quote is not closed";
        return false;
    }
    r->at++;
    return true;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One word, its quotes taken off; the first '=' outside of them splits it. */
static bool one_word(struct reader *r, struct words *w)
{
    u32 n = w->count++;
    char *start = r->to;

    w->word[n] = start;
    w->value[n] = NULL;
    w->key_len[n] = 0;
    w->taken[n] = false;
    while (r->at < r->end && !blank(*r->at)) {
        char c = *r->at++;

        if (!c) {
            r->why = "the line has a zero byte";
            return false;
        }
        if (c == '"') {
            if (!quoted(r))
                return false;
            continue;
        }
        *r->to++ = c;
        if (c == '=' && !w->value[n]) {
            w->key_len[n] = (u32)(r->to - start) - 1;
            w->value[n] = r->to;
        }
    }
    *r->to++ = 0;
    return true;
}

bool words_split(struct words *w, const char *line, size_t len, const char **why)
{
    struct reader r = {.at = line, .end = line + len, .to = w->text};

    w->count = 0;
    *why = "the line is too long";
    if (len > WORDS_LINE)
        return false;
    for (;;) {
        while (r.at < r.end && blank(*r.at))
            r.at++;
        if (r.at == r.end || *r.at == '#')
            return true;
        *why = "the line has too many words";
        if (w->count == WORDS_MOST)
            return false;
        w->at[w->count] = (u32)(r.at - line);
        if (!one_word(&r, w)) {
            *why = r.why;
            return false;
        }
    }
}

const char *words_next(struct words *w, const char *key, u32 *at)
{
    size_t len = strlen(key);

    for (; *at < w->count; ++*at) {
        u32 n = *at;

        if (w->value[n] && w->key_len[n] == len && memcmp(w->word[n], key, len) == 0) {
            w->taken[n] = true;
            ++*at;
            return w->value[n];
        }
    }
    return NULL;
}

const char *words_option(struct words *w, const char *key)
{
    u32 at = 0;

    return words_next(w, key, &at);
}

const char *words_left(const struct words *w, u32 from)
{
    for (u32 n = from; n < w->count; n++)
        if (!w->taken[n])
            return w->word[n];
    return NULL;
}

/* A number and what follows it. */
static bool leading_number(const char **text, u64 *value)
{
    const char *at = *text;
    u64 base = 10;
    int digit;

    if (at[0] == '0' && at[1] == 'x') {
        base = 16;
        at += 2;
    }
    *value = 0;
    if (hex_digit(*at) < 0 || (u64)hex_digit(*at) >= base)
        return false;
    for (; (digit = hex_digit(*at)) >= 0 && (u64)digit < base; at++) {
        if (*value > ((u64)-1 - (u64)digit) / base)
            return false;
        *value = *value * base + (u64)digit;
    }
    *text = at;
    return true;
}

bool words_number(const char *text, u64 *value)
{
    return leading_number(&text, value) && !*text;
}

struct unit {
    const char *name;
    u64 worth;
};

static bool in_units(const char *text, const struct unit *units, u32 count, u64 *value)
{
    if (!leading_number(&text, value))
        return false;
    for (u32 i = 0; i < count; i++)
        if (strcmp(units[i].name, text) == 0) {
            if (*value > (u64)-1 / units[i].worth)
                return false;
            *value *= units[i].worth;
            return true;
        }
    return false;
}

bool words_size(const char *text, u64 *bytes)
{
    static const struct unit units[] = {
        {"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};

    return in_units(text, units, ARRAY_SIZE(units), bytes);
}

bool words_time(const char *text, u64 *ns)
{
    static const struct unit units[] = {
        {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}};

    return in_units(text, units, ARRAY_SIZE(units), ns);
}

bool words_name(const char *text)
{
    u32 len = 0;

    for (; text[len]; len++) {
        char c = text[len];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return len && len <= NAME_MOST;
}
