/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own function names, for reports. The table is made from the first link
 * and put in by the second (hyp/build.mk).
 */
#ifndef HYP_CPU_SYMBOLS_H
#define HYP_CPU_SYMBOLS_H

#include "base/types.h"

/* "function+0x12", or an empty string outside the code. */
void symbol_describe(u64 at, char *to, size_t size);

#endif
