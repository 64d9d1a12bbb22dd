/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first domain: the control domain, from boot module 0.
 */
#ifndef HYP_BOOT_DOM0_H
#define HYP_BOOT_DOM0_H

/* Builds it and makes it runnable. What is wrong with the module is said in a panic. */
void dom0_start(void);

#endif
