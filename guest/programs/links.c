/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `links`: the names of the links it was born with, one line. They are all it may do: whoever
 * started it chose them.
 */
#include "guest/lib/demos.h"

int main(int argc, char **argv)
{
    const struct demos_start *born = (const struct demos_start *)DEMOS_START_PAGE;

    (void)argc, (void)argv;
    for (u32 i = 0; i < born->link_count; i++)
        demos_print("%s%.24s", i ? " " : "", born->links[i].name);
    demos_print("\n");
    return 0;
}
