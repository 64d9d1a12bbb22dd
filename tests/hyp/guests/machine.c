/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the processor's half does for a guest: hidden features trap as undefined, unknown
 * registers as #GP, unbacked memory and ports read as all ones, the local APIC's page
 * answers, string output is a console line, floating point and debug registers survive
 * exits, and memory is there at both ends (H02, H13).
 */
#include "tests/hyp/guests/guest.h"
#include "base/memory.h"

static volatile u32 traps_seen;
static u64 resume_at;

static void skip_it(struct trap *t)
{
    traps_seen++;
    t->rip = resume_at;
}

/* Runs one instruction that should trap. */
#define TRAPS(vector, text, ...)                                                 \
    do {                                                                         \
        u32 had = traps_seen;                                                    \
        on_trap(vector, skip_it);                                                \
        __asm__ volatile("lea 1f(%%rip), %%r11\n\tmov %%r11, %0\n\t" text "\n1:" \
                         : "=m"(resume_at)                                       \
                         : __VA_ARGS__                                           \
                         : "r11", "rax", "rbx", "rcx", "rdx", "memory");         \
        on_trap(vector, NULL);                                                   \
        if (traps_seen != had + 1)                                               \
            failure("%s does not trap", text);                                   \
    } while (0)

static void test_instructions(void)
{
    TRAPS(6, "xor %%eax, %%eax; vmrun %%rax", "m"(traps_seen));
    TRAPS(6, "xor %%eax, %%eax; vmload %%rax", "m"(traps_seen));
    TRAPS(6, "xor %%eax, %%eax; vmsave %%rax", "m"(traps_seen));
    TRAPS(6, "stgi", "m"(traps_seen));
    TRAPS(6, "clgi", "m"(traps_seen));
    TRAPS(6, "xor %%eax, %%eax; monitor", "m"(traps_seen));
    TRAPS(13, "mov $0xdead, %%ecx; rdmsr", "m"(traps_seen));
    TRAPS(13, "mov $0xdead, %%ecx; wrmsr", "m"(traps_seen));
    TRAPS(13, "mov $0xc0000080, %%ecx; mov $0x1000, %%eax; xor %%edx, %%edx; wrmsr",
          "m"(traps_seen));
    TRAPS(13, "xor %%ecx, %%ecx; rdpmc", "m"(traps_seen));
    TRAPS(6, "mov $23, %%eax; .byte 0x0f, 0x0b", "m"(traps_seen));
    __asm__ volatile("wbinvd");
}

static void test_nothing_there(void)
{
    volatile u32 *hole = (volatile u32 *)0xd0000000ull, *apic = (volatile u32 *)0xfee00000ull;
    volatile u16 *half = (volatile u16 *)hole;
    volatile u8 *byte = (volatile u8 *)hole;
    u8 in8;
    u32 in32;

    EXPECT(*hole == 0xffffffff);
    *hole = 5;
    EXPECT(*hole == 0xffffffff && *half == 0xffff && *byte == 0xff);
    EXPECT(*(volatile u64 *)hole == ~0ull);
    EXPECT((apic[0x30 / 4] & 0xff) >= 0x10);
    __asm__ volatile("inb %1, %0" : "=a"(in8) : "Nd"((u16)0x42));
    EXPECT(in8 == 0xff);
    __asm__ volatile("inl %w1, %0" : "=a"(in32) : "d"(0xcf8));
    EXPECT(in32 == 0xffffffff);
}

static void test_string_output(void)
{
    static const char text[] =
        "written by rep outsb, longer than one piece of the emulation: "
        "................................................................"
        "................................................................"
        "................................................................ "
        "to its end\n";
    const char *at = text;
    u64 len = sizeof(text) - 1;

    __asm__ volatile("rep outsb" : "+S"(at), "+c"(len) : "d"(0xe9) : "memory");
    EXPECT(len == 0 && at == text + sizeof(text) - 1);
}

static void test_registers_survive(void)
{
    u64 in = 0x1122334455667788, out = 0, dr = 0;

    __asm__ volatile("movq %1, %%xmm3\n\t"
                     "mov $1, %%eax\n\t"
                     "cpuid\n\t"
                     "outb %%al, $0xe8\n\t"
                     "movq %%xmm3, %0"
                     : "=r"(out)
                     : "r"(in)
                     : "eax", "ebx", "ecx", "edx");
    EXPECT(out == in);
    __asm__ volatile("mov %1, %%db1\n\tmov $1, %%eax\n\tcpuid\n\tmov %%db1, %0"
                     : "=r"(dr)
                     : "r"(in & 0xfffff)
                     : "eax", "ebx", "ecx", "edx");
    EXPECT(dr == (in & 0xfffff));
}

static void test_hypercall_page(void)
{
    static u8 page[4096] __attribute__((aligned(4096)));
    s64 result;

    write_msr(0x40000000, (u64)page);
    __asm__ volatile("call *%1"
                     : "=a"(result)
                     : "r"(page + 32 * __HYPERVISOR_xen_version), "D"(XENVER_version), "S"(0)
                     : "memory");
    EXPECT(result == (4 << 16 | 17));
    EXPECT(page[23 * 32] == 0x0f && page[23 * 32 + 1] == 0x0b);
}

void test_main(const struct hvm_start_info *info)
{
    (void)info;
    test_instructions();
    test_nothing_there();
    test_string_output();
    test_registers_survive();
    test_hypercall_page();
    *(volatile u64 *)0x9fff8 = 1;
    *(volatile u64 *)0x3fffff8 = 2;
    EXPECT(*(volatile u64 *)0x9fff8 == 1 && *(volatile u64 *)0x3fffff8 == 2);
}
