/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Integers by width, and the few macros every folder shares.
 */
#ifndef BASE_TYPES_H
#define BASE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define ARRAY_SIZE(a)                (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)                    ((a) < (b) ? (a) : (b))
#define MAX(a, b)                    ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a)               (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a)             ((x) & ~((__typeof__(x))(a)-1))
#define container_of(p, type, field) ((type *)((char *)(p)-offsetof(type, field)))
#define UNUSED                       __attribute__((unused))
#define PACKED                       __attribute__((packed))
#define NORETURN                     __attribute__((noreturn))
#define PRINTF_LIKE(fmt, args)       __attribute__((format(printf, fmt, args)))

#endif
