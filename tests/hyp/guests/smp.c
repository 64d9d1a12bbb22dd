/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second vCPU started as on a PC: INIT and SIPI through the local APIC's x2APIC
 * registers, 16-bit real mode at the vector's page, under nested paging. It answers in
 * memory and halts; then an IPI comes back from it.
 */
#include "tests/hyp/guests/guest.h"
#include "base/memory.h"

enum { START = 0x8000, ANSWER = 0x7000, ICR = 0x830, SVR = 0x80f, EOI = 0x80b, VECTOR = 0x50 };

/* In real mode: word at 0x7000 = 0x1234, then wrmsr ICR: fixed VECTOR to APIC id 0, hlt. */
__asm__("real_start:\n\t"
        ".code16\n\t"
        "xor %ax, %ax\n\t"
        "mov %ax, %ds\n\t"
        "movw $0x1234, 0x7000\n\t"
        "mov $0x1b, %ecx\n\t"
        "rdmsr\n\t"
        "or $0xc00, %eax\n\t"
        "wrmsr\n\t"
        "mov $0x80f, %ecx\n\t"
        "mov $0x1ff, %eax\n\t"
        "xor %edx, %edx\n\t"
        "wrmsr\n\t"
        "mov $0x830, %ecx\n\t"
        "mov $0x50, %eax\n\t"
        "wrmsr\n\t"
        "movw $0x5678, 0x7002\n\t"
        "1: cli\n\t"
        "hlt\n\t"
        "jmp 1b\n\t"
        ".code64\n"
        "real_end:");
extern u8 real_start[], real_end[];
static volatile u32 interrupts;

static void interrupt(struct trap *t)
{
    (void)t;
    interrupts++;
    write_msr(EOI, 0);
}

void test_main(const struct hvm_start_info *info)
{
    volatile u16 *answer = (volatile u16 *)ANSWER;

    (void)info;
    on_trap(VECTOR, interrupt);
    memcpy((void *)START, real_start, (size_t)(real_end - real_start));
    answer[0] = answer[1] = 0;
    write_msr(0x1b, read_msr(0x1b) | 0xc00);
    write_msr(SVR, 0x1ff);
    __asm__ volatile("sti");
    write_msr(ICR, 2ull << 32 | 0x4500);               /* INIT to APIC id 2: vCPU 1 */
    write_msr(ICR, 2ull << 32 | 0x4600 | START >> 12); /* SIPI */
    for (u64 i = 0; i < 4000000 && (!interrupts || answer[1] != 0x5678); i++)
        __builtin_ia32_pause();
    EXPECT(answer[0] == 0x1234);
    EXPECT(answer[1] == 0x5678);
    EXPECT(interrupts == 1);
}
