/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values from the command line, and the names of modules.
 */
#ifndef HYP_BOOT_OPTION_H
#define HYP_BOOT_OPTION_H

#include "base/types.h"

/* The value of `name=` as a number, decimal or 0x, with K, M or G behind; `otherwise` when
 * it is not there. Panics in words when it is no number. */
u64 boot_size(const char *name, u64 otherwise);
/* The first word of module i's command line without its path. */
void boot_module_name(u32 i, char *to, size_t size);
/* The rest of that command line, "" when there is none. */
const char *boot_module_words(u32 i);

#endif
