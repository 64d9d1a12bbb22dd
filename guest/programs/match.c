/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `match TEXT`: those lines of its input that have TEXT in them. Status 1 when there are none.
 */
#include "guest/lib/input.h"

enum { LINE = 512 };

static char line[LINE + 1];
static size_t used;
static bool any;

static bool has(const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at + len <= used; at++)
        if (memcmp(line + at, text, len) == 0)
            return true;
    return false;
}

static void end_line(const char *text)
{
    line[used] = '\0';
    if (has(text)) {
        demos_print("%s\n", line);
        any = true;
    }
    used = 0;
}

int main(int argc, char **argv)
{
    static u8 text[INPUT_MAX];
    s64 got;

    if (argc != 2)
        demos_die("match TEXT");
    if (input_offer() < 0)
        demos_die("match: reads what another program prints: PROGRAM | match TEXT");
    while ((got = input_read(text)) > 0)
        for (s64 i = 0; i < got; i++) {
            if (text[i] == '\n' || used == LINE)
                end_line(argv[1]);
            if (text[i] != '\n')
                line[used++] = (char)text[i];
        }
    if (used)
        end_line(argv[1]);
    return !any;
}
