/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an instruction: never longer than what was given, operands in their ranges. */
#include "hyp/virt/decode.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    static const u32 widths[] = {16, 32, 64};
    u32 len = size < INSN_MOST ? (u32)size : INSN_MOST;

    for (u32 i = 0; i < 3; i++) {
        struct insn n;

        if (insn_decode(&n, data, len, widths[i]) &&
            (n.length > len || n.reg > 19 || !n.size || n.size > 8 || (n.size & (n.size - 1))))
            abort();
    }
    return 0;
}
