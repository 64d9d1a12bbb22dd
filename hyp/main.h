/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the hypervisor begins on each CPU once that can take interrupts.
 */
#ifndef HYP_MAIN_H
#define HYP_MAIN_H

#include "base/types.h"

/* Where a secondary CPU goes once it can take interrupts. Waits for the boot CPU, then
 * runs vCPUs for ever. */
void hyp_secondary(void) __attribute__((noreturn));

#endif
