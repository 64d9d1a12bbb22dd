/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest/machine/disk.h for machines without disks: every request is refused.
 */
#include "base/bytes.h"
#include "guest/kernel/abi.h"
#include "guest/machine/disk.h"

size_t disk_message(struct node *n, struct message *m, u8 *answer)
{
    (void)n;
    (void)m;
    be64_put(answer, (u64)DEMOS_E_REFUSED);
    return 8;
}
