/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests driven by libFuzzer (F22, F27, H23): see hostile.c.
 */
#include "tests/hyp/hostile.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    hostile_run(data, size);
    return 0;
}
