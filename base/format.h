/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text formatting without a C library: %s %c %d %i %u %x %X %p %% with width, precision,
 * zero and left padding, # (0x before a hexadecimal number that is not 0), and the l, ll,
 * z, h length modifiers.
 */
#ifndef BASE_FORMAT_H
#define BASE_FORMAT_H

#include <stdarg.h>
#include "base/types.h"

/* Writes at most `size` bytes with the final NUL (nothing if size is 0) and returns the
 * length the whole text would have had. */
size_t format(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
size_t vformat(char *buf, size_t size, const char *fmt, va_list args);

#endif
