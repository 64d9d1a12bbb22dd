/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks that are what was written: whoever wrote them keeps their check, not the disk, and gives it
 * when he wants them back. Whatever a device did to them meanwhile (wrote them elsewhere or not at
 * all, wrote others over them, brought older ones), other bytes than his are an error.
 */
#ifndef GUEST_SERVERS_FILES_VERIFY_H
#define GUEST_SERVERS_FILES_VERIFY_H

#include "base/types.h"

/* Of bytes; never 0. */
u32 verify_check(const void *bytes, size_t len);
/* Blocks that have the check, read once more when the device fails or brings others; 0 and where
 * they are, what the device said, or DEMOS_E_LOST. */
s64 verify_read(u64 block, u64 count, u32 check, const u8 **bytes);

/* Found by the linker: reads blocks; 0 and where they are, until the next, or an error. */
s64 verify_down_read(u64 block, u64 count, const u8 **bytes);

#endif
