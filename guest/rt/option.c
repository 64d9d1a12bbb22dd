/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options on the command line: words of the form name=value.
 */
#include "base/memory.h"
#include "guest/rt/rt.h"

static const char *find(const char *name)
{
    size_t len = strlen(name);

    for (const char *at = rt_started()->cmdline; *at;) {
        while (*at == ' ')
            at++;
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return at + len + 1;
        while (*at && *at != ' ')
            at++;
    }
    return NULL;
}

bool rt_option(const char *name, char *value, size_t room)
{
    const char *at = find(name);
    size_t len = 0;

    if (!at)
        return false;
    for (; at[len] && at[len] != ' ' && len + 1 < room; len++)
        value[len] = at[len];
    value[len] = 0;
    return true;
}

u64 rt_option_number(const char *name, u64 otherwise)
{
    const char *at = find(name);
    u64 value = 0, base = 10;

    if (!at)
        return otherwise;
    if (at[0] == '0' && at[1] == 'x') {
        base = 16;
        at += 2;
    }
    for (;; at++) {
        u64 digit = *at >= '0' && *at <= '9'   ? (u64)(*at - '0')
                    : *at >= 'a' && *at <= 'f' ? (u64)(*at - 'a') + 10
                                               : base;
        if (digit >= base)
            return value;
        value = value * base + digit;
    }
}
