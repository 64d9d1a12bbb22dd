/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan's buffer, and a plan that came as a boot module. Such a module is moved into the
 * buffer and forgotten, its memory left free: whether the plan came at boot or is put into
 * the buffer later, memory looks the same, and so the run takes the same course.
 */
#ifndef HYP_BOOT_PLAN_H
#define HYP_BOOT_PLAN_H

#include "base/types.h"

/* Takes a module called "plan", unless it is the first, out of boot_info. Before anything
 * is allocated. */
void plan_find(void);
/* Allocates the buffer, of `plan=` bytes; from memory_init. */
void plan_place(void);
/* The buffer; *len is what a module filled, and the result says whether there was one. */
bool plan_buffer(void **buffer, u64 *room, u64 *len);

#endif
