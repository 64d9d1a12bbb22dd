/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzzer's input as steps of a few bytes each. What the input does not say is drawn with its
 * bytes as the seed, so that a short one, too, is a long story.
 */
#ifndef TESTS_HYP_STEPS_H
#define TESTS_HYP_STEPS_H

#include <string.h>
#include "base/keyed.h"

enum { STEPS = 120, STEP_BYTES = 4 };

static inline u64 steps_seed(const u8 *data, size_t size)
{
    u64 seed = 0;

    for (size_t i = 0; i < size; i++)
        seed = keyed_mix(seed ^ data[i]);
    return seed;
}

static inline void steps_run(const u8 *data, size_t size, void (*step)(const u8 *byte))
{
    u64 seed = steps_seed(data, size);

    for (u32 i = 0; i < STEPS; i++) {
        u64 drawn = keyed_random(seed, 0, i);
        u8 byte[STEP_BYTES];

        memcpy(byte, size >= STEP_BYTES ? data : (const u8 *)&drawn, STEP_BYTES);
        step(byte);
        if (size >= STEP_BYTES) {
            data += STEP_BYTES;
            size -= STEP_BYTES;
        }
    }
}

#endif
