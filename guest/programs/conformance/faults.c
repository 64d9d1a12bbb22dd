/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process may not do (row H13): each attempt ends it, by the exception it is, with
 * a report to its creator, and nothing else happens.
 */
#include "guest/kernel/node.h"
#include "guest/programs/conformance/conformance.h"

static const u8 constant[] = {0xc3};
static u8 data[] = {0xc3}; /* ret */

static void halt(void)
{
    asm volatile("hlt");
}

static void input(void)
{
    asm volatile("inb $0x60, %%al" : : : "rax");
}

static void output(void)
{
    asm volatile("outb %%al, $0x80" : : : "rax");
}

static void interrupts(void)
{
    asm volatile("cli");
}

static void counter(void)
{
    asm volatile("rdtsc" : : : "rax", "rdx");
}

static void model_specific(void)
{
    asm volatile("rdmsr" : : "c"(0xc0000080) : "rax", "rdx");
}

static void control_register(void)
{
    asm volatile("mov %%cr3, %%rax" : : : "rax");
}

static void read_kernel(void)
{
    *(volatile u8 *)0xffffffff80100000;
}

static void read_direct(void)
{
    *(volatile u8 *)0xffff800000100000;
}

static void write_kernel(void)
{
    *(volatile u8 *)0xffffffff80100000 = 1;
}

static void read_nothing(void)
{
    *(volatile u8 *)0x1010;
}

static void write_constant(void)
{
    *(volatile u8 *)(u64)constant = 1;
}

static void write_code(void)
{
    *(volatile u8 *)(u64)write_constant = 1;
}

static void write_entry(void)
{
    *(volatile u8 *)DEMOS_ENTRY_PAGE = 1;
}

static void run_data(void)
{
    ((void (*)(void))(u64)data)();
}

static void run_stack(void)
{
    u8 code[16] = {0xc3};

    asm volatile("call *%0" : : "r"(code) : "memory");
}

static void run_kernel(void)
{
    ((void (*)(void))0xffffffff80100000)();
}

static void undefined(void)
{
    asm volatile("ud2");
}

static void divide(void)
{
    asm volatile("xor %%ecx, %%ecx; div %%ecx" : : : "rax", "rcx", "rdx");
}

static void breakpoint(void)
{
    asm volatile("int3");
}

static void foreign_call(void)
{
    asm volatile("syscall" : : "a"(60) : "rcx", "r11", "memory");
}

static void overflow_stack(void)
{
    asm volatile("1: push %rax; jmp 1b");
}

static const struct {
    const char *name;
    void (*attempt)(void);
    u32 reason; /* enum exception_reason */
} faults[] = {
    {"halt", halt, EXCEPTION_PROTECTION},
    {"port-in", input, EXCEPTION_PROTECTION},
    {"port-out", output, EXCEPTION_PROTECTION},
    {"interrupts-off", interrupts, EXCEPTION_PROTECTION},
    {"time-stamp", counter, EXCEPTION_PROTECTION},
    {"model-specific-register", model_specific, EXCEPTION_PROTECTION},
    {"control-register", control_register, EXCEPTION_PROTECTION},
    {"kernel-read", read_kernel, EXCEPTION_ADDRESS},
    {"direct-map-read", read_direct, EXCEPTION_ADDRESS},
    {"kernel-write", write_kernel, EXCEPTION_ADDRESS},
    {"kernel-run", run_kernel, EXCEPTION_ADDRESS},
    {"nothing-read", read_nothing, EXCEPTION_ADDRESS},
    {"constant-write", write_constant, EXCEPTION_PROTECTION},
    {"code-write", write_code, EXCEPTION_PROTECTION},
    {"entry-write", write_entry, EXCEPTION_ADDRESS},
    {"data-run", run_data, EXCEPTION_PROTECTION},
    {"stack-run", run_stack, EXCEPTION_PROTECTION},
    {"undefined-instruction", undefined, EXCEPTION_INSTRUCTION},
    {"divide-by-zero", divide, EXCEPTION_ARITHMETIC},
    {"breakpoint", breakpoint, EXCEPTION_BREAKPOINT},
    {"foreign-system-call", foreign_call, EXCEPTION_FOREIGN},
    {"stack-overflow", overflow_stack, EXCEPTION_ADDRESS},
};

int play_fault(const char *name)
{
    for (u32 i = 0; i < ARRAY_SIZE(faults); i++)
        if (strcmp(faults[i].name, name) == 0)
            faults[i].attempt();
    return 0; /* it went through */
}

void check_faults(void)
{
    chapter("faults");
    for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
        struct process_end end = run_role("fault", faults[i].name);

        expect(faults[i].name,
               end.how == DEMOS_END_EXCEPTION ? end.status : -100 - (s64)end.how,
               faults[i].reason);
    }
}
