/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `lines`: how many lines and bytes its input has.
 */
#include "guest/lib/input.h"

int main(int argc, char **argv)
{
    static u8 text[INPUT_MAX];
    u64 lines = 0, bytes = 0;
    s64 got;

    (void)argc, (void)argv;
    if (input_offer() < 0)
        demos_die("lines: reads what another program prints: PROGRAM | lines");
    while ((got = input_read(text)) > 0) {
        bytes += (u64)got;
        for (s64 i = 0; i < got; i++)
            lines += text[i] == '\n';
    }
    demos_print("%llu lines, %llu bytes\n", (unsigned long long)lines,
                (unsigned long long)bytes);
    return got < 0;
}
