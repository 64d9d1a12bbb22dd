/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A triple fault ends the domain that made it with a report, and only that: here the
 * control domain itself, so the run ends with a status.
 */
#include "tests/hyp/guests/guest.h"

void test_main(const struct hvm_start_info *info)
{
    struct PACKED {
        u16 limit;
        u64 base;
    } none = {0, 0};

    (void)info;
    print("about to fault three times\n");
    __asm__ volatile("lidt %0; ud2" ::"m"(none));
}
