/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bringing up the other CPUs.
 */
#ifndef HYP_BOOT_SMP_H
#define HYP_BOOT_SMP_H

#include "base/types.h"

/* Numbers the CPUs; this one is CPU 0. Before anything that counts CPUs. */
void smp_find(void);
/* Starts them one by one; each ends up in hyp_secondary(). One that does not answer is left out
 * with a line in the log. */
void smp_start(void);

#endif
