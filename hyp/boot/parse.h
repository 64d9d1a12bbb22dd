/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filling in boot_info: once, first thing.
 */
#ifndef HYP_BOOT_PARSE_H
#define HYP_BOOT_PARSE_H

#include "base/types.h"

/* What the loader left in eax and ebx. */
void boot_parse(u32 magic, u32 info);
/* Zeroes the RAM below 1 MiB that nobody uses any more: loaders leave things there. */
void boot_scrub_low(void);

#endif
