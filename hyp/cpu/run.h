/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop that each CPU spends its life in.
 */
#ifndef HYP_CPU_RUN_H
#define HYP_CPU_RUN_H

#include "base/types.h"

void run_forever(void) __attribute__((noreturn));

#endif
