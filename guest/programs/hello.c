/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The smallest program: says hello, and what it was told.
 */
#include "guest/lib/demos.h"

int main(int argc, char **argv)
{
    demos_print("hello, world");
    for (int i = 1; i < argc; i++)
        demos_print(" %s", argv[i]);
    demos_print("\n");
    return 0;
}
