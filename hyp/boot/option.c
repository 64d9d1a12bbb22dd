/* SPDX-License-Identifier: BSD-2-Clause */
#include "hyp/boot/option.h"
#include "base/format.h"
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/cpu/panic.h"

static u32 digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (u32)(c - '0');
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (u32)((c | 32) - 'a' + 10);
    return 16;
}

static u32 shift_of(char c)
{
    switch (c) {
    case 'K':
    case 'k': return 10;
    case 'M':
    case 'm': return 20;
    case 'G':
    case 'g': return 30;
    default: return 0;
    }
}

u64 boot_size(const char *name, u64 otherwise)
{
    char text[32];
    const char *at = text;
    u64 value = 0;
    u32 base = 10;

    if (!boot_option(name, text, sizeof(text)))
        return otherwise;
    if (at[0] == '0' && (at[1] | 32) == 'x') {
        base = 16;
        at += 2;
    }
    if (digit_of(*at) >= base)
        panic("%s=%s is no number", name, text);
    for (; digit_of(*at) < base; at++)
        value = value * base + digit_of(*at);
    if (shift_of(*at))
        value <<= shift_of(*at++);
    if (*at)
        panic("%s=%s is no number", name, text);
    return value;
}

void boot_module_name(u32 i, char *to, size_t size)
{
    const char *words = boot_info.module[i].words, *name = words, *end = words;

    for (; *end && *end != ' '; end++)
        if (*end == '/')
            name = end + 1;
    format(to, size, "%.*s", (int)(end - name), name);
}

const char *boot_module_words(u32 i)
{
    const char *at = strchr(boot_info.module[i].words, ' ');

    return at ? at + 1 : "";
}
