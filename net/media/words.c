/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probabilities, times and counts as plans write them.
 */
#include "base/memory.h"
#include "net/media/words.h"

/* Digits with at most nine behind a point, in billionths; the rest in *end. */
static bool number(const char *s, u64 *whole, u64 *billionths, const char **end)
{
    u64 scale = 100000000;

    if (*s < '0' || *s > '9')
        return false;
    for (*whole = 0; *s >= '0' && *s <= '9'; s++) {
        if (*whole > 1000000000000000ull)
            return false;
        *whole = *whole * 10 + (u64)(*s - '0');
    }
    *billionths = 0;
    if (*s == '.') {
        for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
            *billionths += scale * (u64)(*s - '0');
    }
    *end = s;
    return true;
}

bool parse_chance(const char *s, u64 *value)
{
    u64 whole, part;
    const char *end;

    if (!number(s, &whole, &part, &end) || *end || whole > 1 || (whole && part))
        return false;
    *value = whole ? 0xffffffffull : (part << 32) / 1000000000ull;
    return true;
}

bool parse_duration(const char *s, u64 *value)
{
    static const struct {
        const char *unit;
        u64 ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
    u64 whole, part;
    const char *end;

    if (!number(s, &whole, &part, &end) || whole > 1000000)
        return false;
    for (u32 i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *value = whole * units[i].ns + part * units[i].ns / 1000000000ull;
            return true;
        }
    }
    return false;
}

bool parse_count(const char *s, u64 *value)
{
    u64 part;
    const char *end;

    return number(s, value, &part, &end) && !*end && !part;
}
