/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory and string functions the compiler may call in freestanding code. On the host
 * the C library's own are used.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#ifdef OSMOSIS_HOST
#include <string.h>
#else
#include "base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t len);
void *memmove(void *to, const void *from, size_t len);
void *memset(void *at, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
char *strchr(const char *s, int c);

/* -ffreestanding hides from the compiler what these do: say it, so that copies of a known
 * small size become a few moves. */
#define memcpy(...)  __builtin_memcpy(__VA_ARGS__)
#define memmove(...) __builtin_memmove(__VA_ARGS__)
#define memset(...)  __builtin_memset(__VA_ARGS__)
#define memcmp(...)  __builtin_memcmp(__VA_ARGS__)
#endif

#endif
