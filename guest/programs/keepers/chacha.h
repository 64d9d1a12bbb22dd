/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ChaCha20 (RFC 8439), with the 64-bit counter and nonce that it first had: bytes are put
 * into cipher, or back, by the same call. Pure.
 */
#ifndef GUEST_PROGRAMS_KEEPERS_CHACHA_H
#define GUEST_PROGRAMS_KEEPERS_CHACHA_H

#include "base/types.h"

enum { CHACHA_KEY = 32, CHACHA_BLOCK = 64 };

/* `len` bytes of the stream from its block `counter` on are added to `bytes`. */
void chacha(const u8 key[CHACHA_KEY], u64 nonce, u64 counter, u8 *bytes, size_t len);

#endif
