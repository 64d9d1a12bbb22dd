/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loaders and emulators leave bytes of their own in low memory (QEMU even uninitialised
 * ones), which would make two boots differ. After the tables there have been read, all
 * RAM below 640 KiB that the firmware does not claim is zeroed.
 */
#include "base/memory.h"
#include "hyp/boot/info.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/parse.h"

enum { FIRST = 0x1000, LAST = 0xa0000 };

void boot_scrub_low(void)
{
    for (u32 i = 0; i < boot_info.ranges; i++) {
        const struct boot_range *r = &boot_info.range[i];
        u64 start = MAX(r->start, (u64)FIRST), end = MIN(r->end, (u64)LAST);

        if (r->type == 1 && start < end)
            memset((void *)(DIRECT_BASE + start), 0, end - start);
    }
}
