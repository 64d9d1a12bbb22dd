/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory by sixteen bytes a move: half the instructions of memset and memcpy, for pages and
 * packets. For code that itself uses no vector register, below an owner whose XMM0 this is: the
 * register is put back. SSE must be on (CR4.OSFXSR, CR0.TS clear).
 */
#ifndef BASE_WIDE_H
#define BASE_WIDE_H

#include "base/types.h"

/* `len` is a multiple of 256 and not 0; `at` lies on 16 bytes. */
void zero_wide(void *at, size_t len);
/* As memcpy; right also where the two overlap and `to` is the lower one. */
void copy_wide(void *to, const void *from, size_t len);

#endif
