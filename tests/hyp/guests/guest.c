/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/hyp/guests/guest.h"
#include <stdarg.h>
#include "base/format.h"

extern u8 irq_entries[];
static void (*handlers[256])(struct trap *);
static bool failed, skipped;

void trap(struct trap *t);
void guest_main(const struct hvm_start_info *info);

static void put(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out8(0xe9, (u8)text[i]);
}

static void vprint(const char *fmt, va_list args)
{
    char line[256];
    size_t len = vformat(line, sizeof(line), fmt, args);

    put(line, len < sizeof(line) ? len : sizeof(line) - 1);
}

void print(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
}

void failure(const char *fmt, ...)
{
    va_list args;

    failed = true;
    print("Fail: ");
    va_start(args, fmt);
    vprint(fmt, args);
    va_end(args);
    print("\n");
}

void skip(const char *why)
{
    skipped = true;
    print("Skip: %s\n", why);
}

void finish(void)
{
    print("Test result: %s\n", failed ? "FAILURE" : skipped ? "SKIP" : "SUCCESS");
    hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown,
              (u64) & (struct sched_shutdown){SHUTDOWN_poweroff}, 0, 0, 0);
    for (;;)
        __asm__ volatile("cli; hlt");
}

s64 hypercall(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
    s64 result;
    register u64 r10 __asm__("r10") = d;
    register u64 r8 __asm__("r8") = e;

    __asm__ volatile("vmmcall"
                     : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     : "0"(nr)
                     : "memory");
    return result;
}

void on_trap(u8 vector, void (*handler)(struct trap *t))
{
    handlers[vector] = handler;
}

void trap(struct trap *t)
{
    if (handlers[t->vector]) {
        handlers[t->vector](t);
        return;
    }
    failure("trap %lu, error %lx, at %lx", t->vector, t->error, t->rip);
    finish();
}

void traps_init(void)
{
    static struct {
        u16 low, selector, type, middle;
        u32 high, zero;
    } idt[256];
    struct PACKED {
        u16 limit;
        u64 base;
    } pointer = {sizeof(idt) - 1, (u64)idt};

    for (u32 i = 0; i < 256; i++) {
        u64 at = (u64)irq_entries + 16ull * i;

        idt[i].low = (u16)at;
        idt[i].selector = 0x08;
        idt[i].type = 0x8e00;
        idt[i].middle = (u16)(at >> 16);
        idt[i].high = (u32)(at >> 32);
    }
    __asm__ volatile("lidt %0" ::"m"(pointer));
}

void guest_main(const struct hvm_start_info *info)
{
    traps_init();
    test_main(info);
    finish();
}
