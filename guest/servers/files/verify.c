/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check is CRC-32C, by the processor's instruction where it has one.
 */
#include "guest/servers/files/verify.h"
#include <cpuid.h>
#include "base/crc32c.h"
#include "guest/kernel/abi.h"
#include "guest/servers/fs/format.h"

enum { READS = 2 };

static bool has_instruction(void)
{
    static enum { UNKNOWN, NO, YES } has;
    u32 a, b, c, d;

    if (has == UNKNOWN) { /* asked once: a hypervisor hears of every CPUID */
        __cpuid(1, a, b, c, d);
        has = c & bit_SSE4_2 ? YES : NO;
    }
    return has == YES;
}

u32 verify_check(const void *bytes, size_t len)
{
    u32 crc = crc32c(has_instruction(), 0, bytes, len);

    return crc ? crc : 1;
}

s64 verify_read(u64 block, u64 count, u32 check, const u8 **bytes)
{
    s64 result = DEMOS_E_LOST;

    for (u32 i = 0; i < READS; i++) {
        result = verify_down_read(block, count, bytes);
        if (result >= 0 && verify_check(*bytes, count * FS_BLOCK) == check)
            return 0;
    }
    return result < 0 ? result : DEMOS_E_LOST;
}
