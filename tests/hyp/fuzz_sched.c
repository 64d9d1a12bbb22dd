/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's core by any sequence of what may happen (H03): the first bytes say how many CPUs and
 * entities there are and whether there are slices, each eight more are a step.
 */
#include "tests/hyp/cpus.h"

enum { STEP_BYTES = 8, STEPS_MOST = 400 };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u32 count;

    if (size < 3)
        return 0;
    count = 1 + data[1] % 12;
    begin(1 + data[0] % 4, data[2] % 4 ? SCHED_SLICE_NS : 0);
    data += 3;
    size -= 3;
    for (u32 i = 0; i < STEPS_MOST && size >= STEP_BYTES; i++) {
        struct step t = {.what = data[0],
                         .entity = data[1],
                         .cpu = data[2],
                         .more = (u64)data[3] << 16 | (u64)data[4] << 8 | data[5],
                         .most = (u64)data[6] << 8 | data[7]};

        happen(&t, count);
        if (checks_failed)
            abort();
        data += STEP_BYTES;
        size -= STEP_BYTES;
    }
    return 0;
}
