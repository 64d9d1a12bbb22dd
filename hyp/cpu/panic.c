/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Last words. One CPU speaks; the others are stopped by NMI, and say where they were.
 */
#include <stdarg.h>
#include "base/format.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/symbols.h"
#include "hyp/cpu/trap.h"
#include "hyp/cpu/x86.h"
#include "hyp/dev/log.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/domain.h"

extern u8 image_start[], text_end[];
static u32 panicking; /* 1 + the id of the CPU that speaks */

static const char *const exception_names[32] = {
    "divide error",
    "debug",
    "NMI",
    "breakpoint",
    "overflow",
    "bound",
    "invalid opcode",
    "device not available",
    "double fault",
    "coprocessor overrun",
    "invalid TSS",
    "segment not present",
    "stack fault",
    "general protection",
    "page fault",
    "reserved",
    "x87",
    "alignment check",
    "machine check",
    "SIMD",
};

static void print_address(u64 at)
{
    char name[96];

    symbol_describe(at, name, sizeof(name));
    log_line("    %016lx %s", at, name);
}

static bool is_code(u64 at)
{
    return at >= (u64)image_start && at < (u64)text_end;
}

/* Follows frame pointers as long as they stay in this CPU's stack and climb. */
static void print_stack(u64 rip, u64 rbp)
{
    u64 low = (u64)this_cpu(), high = low + CPU_STACK_SIZE;

    log_line("  call trace:");
    print_address(rip);
    for (u32 i = 0; i < 32 && rbp >= low && rbp + 16 <= high && !(rbp & 7); i++) {
        const u64 *frame = (const u64 *)rbp;

        if (!is_code(frame[1]))
            break;
        print_address(frame[1]);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

static void print_guest(void)
{
    struct vcpu *v = this_cpu()->vcpu;

    if (v)
        log_line("  for domain %u vCPU %u at rip %016lx, last exit code %lx", v->domain->id,
                 v->id, v->regs.rip,
                 (u64)v->last_exit_code[(v->last_exit_at - 1) % VCPU_LAST_EXITS]);
}

static void print_registers(const struct trap_frame *f)
{
    log_line("  rip %016lx rflags %08lx rsp %016lx cr2 %016lx", f->rip, f->rflags, f->rsp,
             READ_CR(2));
    log_line("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_line("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
    log_line("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
    log_line("  r13 %016lx r14 %016lx r15 %016lx error %lx", f->r13, f->r14, f->r15, f->error);
}

/* The first CPU gets through; any other one stops here. */
static void claim(void)
{
    u32 nobody = 0, me = 1 + this_cpu()->id;

    if (!__atomic_compare_exchange_n(&panicking, &nobody, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        if (nobody == me)
            log_line("panic within a panic");
        halt_forever();
    }
    log_break_locks();
    apic_nmi_others();
}

static NORETURN void stop(const char *why)
{
    print_guest();
    trace_dump();
    mailbox_panic(why);
    halt_forever();
    __builtin_unreachable();
}

void panic(const char *fmt, ...)
{
    char why[240];
    va_list args;

    claim();
    va_start(args, fmt);
    vformat(why, sizeof(why), fmt, args);
    va_end(args);
    log_line("PANIC on CPU %u: %s", this_cpu()->id, why);
    log_line("  rsp %016lx rbp %016lx cr2 %016lx cr3 %016lx", (u64)__builtin_frame_address(0),
             *(const u64 *)__builtin_frame_address(0), READ_CR(2), READ_CR(3));
    print_stack((u64)__builtin_return_address(0), (u64)__builtin_frame_address(0));
    stop(why);
}

void panic_trap(const struct trap_frame *f)
{
    const char *name = exception_names[f->vector & 31];
    char why[120];

    if (f->vector == 2 && panicking && panicking != 1 + this_cpu()->id)
        halt_forever(); /* told to stop by the CPU that speaks */
    claim();
    format(why, sizeof(why), "exception %lu (%s)", f->vector, name ? name : "reserved");
    log_line("PANIC on CPU %u: %s", this_cpu()->id, why);
    print_registers(f);
    print_stack(f->rip, f->rbp);
    stop(why);
}
