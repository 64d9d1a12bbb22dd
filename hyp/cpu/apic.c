/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD APM vol. 2, chapter 16.
 */
#include "hyp/cpu/apic.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/x86.h"

enum {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_SVR = 0xf0,
    APIC_ICR = 0x300,
    APIC_ICR_HIGH = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_INITIAL = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3e0,
};
enum { MASKED = 1 << 16, EXTINT = 7 << 8, NMI = 4 << 8, ICR_BUSY = 1 << 12 };
enum { ICR_NMI = 4 << 8, ICR_INIT = 5 << 8, ICR_STARTUP = 6 << 8, ICR_ASSERT = 1 << 14 };
enum { ICR_OTHERS = 3 << 18 };
#define BASE_X2     0x400ull
#define BASE_ENABLE 0x800ull
#define BASE_BSP    0x100ull

static bool x2;
static volatile u32 *page;

static u32 get(u32 reg)
{
    return x2 ? (u32)rdmsr(0x800 + (reg >> 4)) : page[reg / 4];
}

static void put(u32 reg, u32 value)
{
    if (x2)
        wrmsr(0x800 + (reg >> 4), value);
    else
        page[reg / 4] = value;
}

u32 apic_id(void)
{
    return x2 ? get(APIC_ID) : get(APIC_ID) >> 24;
}

void apic_eoi(void)
{
    put(APIC_EOI, 0);
}

static void command(u32 target, u32 low)
{
    if (x2) {
        wrmsr(0x800 + (APIC_ICR >> 4), (u64)target << 32 | low);
        return;
    }
    while (get(APIC_ICR) & ICR_BUSY)
        __builtin_ia32_pause();
    put(APIC_ICR_HIGH, target << 24);
    put(APIC_ICR, low);
}

void apic_send(u32 target, u8 vector)
{
    command(target, vector | ICR_ASSERT);
}

void apic_nmi_others(void)
{
    if (x2 || page)
        command(0, ICR_NMI | ICR_ASSERT | ICR_OTHERS);
}

void apic_start_cpu(u32 target, u8 start)
{
    command(target, ICR_INIT | ICR_ASSERT);
    clock_delay_us(10000);
    for (u32 i = 0; i < 2; i++) { /* twice: the first may be lost. MP spec. 1.4, B.4 */
        command(target, ICR_STARTUP | ICR_ASSERT | start);
        clock_delay_us(300);
    }
}

void apic_timer(u32 ticks)
{
    put(APIC_INITIAL, ticks);
}

u32 apic_timer_now(void)
{
    return get(APIC_CURRENT);
}

void apic_init_cpu(void)
{
    u64 base = rdmsr(MSR_APIC_BASE);

    wrmsr(MSR_APIC_BASE, base | BASE_ENABLE | (x2 ? BASE_X2 : 0));
    put(APIC_TPR, 0);
    put(APIC_SVR, 0x100 | VECTOR_SPURIOUS);
    put(APIC_LVT_LINT0, base & BASE_BSP ? EXTINT : MASKED);
    put(APIC_LVT_LINT1, NMI);
    put(APIC_LVT_ERROR, MASKED);
    put(APIC_DIVIDE, 3); /* by 16 */
    put(APIC_LVT_TIMER, VECTOR_TIMER);
    put(APIC_INITIAL, 0);
    apic_eoi();
}

void apic_init(void)
{
    x2 = cpuid(1, 0).ecx >> 21 & 1;
    page = (volatile u32 *)(DIRECT_BASE + (rdmsr(MSR_APIC_BASE) & 0xffffff000ull));
    apic_init_cpu();
}
