/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers in the words of plans and media descriptions. False: not such a word.
 */
#ifndef NET_MEDIA_WORDS_H
#define NET_MEDIA_WORDS_H

#include "base/types.h"

/* 0 to 1, in parts of 2^32 (at most 2^32 - 1, which means always). */
bool parse_chance(const char *s, u64 *value);
/* 250us, 1.5ms, 2s: in nanoseconds. */
bool parse_duration(const char *s, u64 *value);
bool parse_count(const char *s, u64 *value);

#endif
