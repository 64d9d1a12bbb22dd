/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a one-file guest needs: a console (port 0xE9), hypercalls, a verdict that only gets
 * worse, traps. The last console line is "Test result: SUCCESS|SKIP|ERROR|FAILURE".
 */
#ifndef TESTS_HYP_GUESTS_GUEST_H
#define TESTS_HYP_GUESTS_GUEST_H

#include "base/types.h"
#include "hyp/abi/osmosis.h"
#include "hyp/abi/xen.h"
#include <xen/arch-x86/hvm/start_info.h>

struct trap {
    u64 vector, error, rip, cs, rflags, rsp, ss;
};

/* Each guest's own. */
void test_main(const struct hvm_start_info *info);

void print(const char *fmt, ...) PRINTF_LIKE(1, 2);
void failure(const char *fmt, ...) PRINTF_LIKE(1, 2);
void skip(const char *why);
#define EXPECT(cond)                                 \
    do {                                             \
        if (!(cond))                                 \
            failure("line %d: %s", __LINE__, #cond); \
    } while (0)
/* Prints the verdict and powers off. */
void finish(void) __attribute__((noreturn));

/* Handles a vector; NULL: a trap there is a failure. */
void on_trap(u8 vector, void (*handler)(struct trap *t));
void traps_init(void);

s64 hypercall(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e);
#define CALL2(nr, a, b) hypercall(__HYPERVISOR_##nr, (u64)(a), (u64)(b), 0, 0, 0)

static inline void out8(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline u64 read_tsc(void)
{
    u32 low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

static inline u64 read_msr(u32 msr)
{
    u32 low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static inline void write_msr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline void get_cpuid(u32 leaf, u32 sub, u32 r[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
                     : "a"(leaf), "c"(sub));
}

#endif
