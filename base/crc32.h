/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CRC-32 as Ethernet and zlib use it (reflected polynomial 0xedb88320).
 */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include "base/types.h"

/* Continues a CRC over `len` bytes; start with 0. */
u32 crc32(u32 crc, const void *data, size_t len);

#endif
