/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Computes for ever without leaving: in discrete-event time that ends the run with an error
 * that names the domain, after a limit in host time.
 */
#include "tests/hyp/guests/guest.h"

void test_main(const struct hvm_start_info *info)
{
    (void)info;
    print("spinning\n");
    for (;;)
        __asm__ volatile("pause");
}
