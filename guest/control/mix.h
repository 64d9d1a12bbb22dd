/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A word into a digest of many: tells apart what differs by accident.
 */
#ifndef GUEST_CONTROL_MIX_H
#define GUEST_CONTROL_MIX_H

#include "base/types.h"

#define MIX_SPREAD 0x9e3779b97f4a7c15ull

static inline u64 mix(u64 digest, u64 word)
{
    digest = (digest ^ word) * MIX_SPREAD;
    return digest ^ digest >> 29;
}

#endif
