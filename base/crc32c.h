/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32C (Castagnoli), the check of frames and of paged-out pages: it has a processor instruction on
 * x86, and finds every burst of up to 32 bits and up to five flipped bits in frames of our sizes.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include "base/types.h"

/* The CRC of `len` bytes continued from `crc` (0 to start). `instruction` says that the
 * processor has SSE4.2; without it a table does the same. */
u32 crc32c(bool instruction, u32 crc, const void *data, size_t len);

#endif
