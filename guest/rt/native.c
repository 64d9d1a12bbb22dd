/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bare machine: a 16550 at 0x3f8, the local APIC in xAPIC mode, PIT channel 2 as the
 * yardstick for the TSC. The 8259s are masked: all interrupts come through the APIC.
 */
#include "guest/rt/map.h"
#include "guest/rt/native.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { COM = 0x3f8, COM_DLAB = 0x80, COM_8N1 = 3, COM_LSR = 5, COM_DATA = 1, COM_EMPTY = 0x20 };
enum {
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_LVT_TIMER = 0x320,
    APIC_INITIAL = 0x380,
    APIC_CURRENT = 0x390,
    APIC_DIVIDE = 0x3e0,
    APIC_BY_1 = 0xb,
    APIC_MASKED = 0x10000,
};
enum { APIC_BASE_MSR = 0x1b, APIC_ENABLE = 0x800, VECTOR_SPURIOUS = 0xff };
enum { PIT_HZ = 1193182, MEASURE_MS = 10, PIT_GATE = 0x61, PIT_CH2 = 0x42, PIT_MODE = 0x43 };

static volatile u32 *apic;
static u64 apic_khz;
static void (*alarm)(void);

void native_serial_init(void)
{
    static const struct {
        u8 reg, value;
    } sequence[] = {{1, 0}, {3, COM_DLAB}, {0, 1}, {1, 0}, {3, COM_8N1}, {2, 7}, {4, 3}};

    for (u32 i = 0; i < ARRAY_SIZE(sequence); i++)
        out8((u16)(COM + sequence[i].reg), sequence[i].value);
}

static void put(char c)
{
    u32 tries = 100000;

    while (!(in8(COM + COM_LSR) & COM_EMPTY) && --tries)
        cpu_relax();
    out8(COM, (u8)c);
}

void native_serial_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

/* A port that is not there reads as all ones. */
size_t native_serial_read(char *text, size_t room)
{
    size_t len = 0;

    while (len < room) {
        u8 status = in8(COM + COM_LSR);

        if (status == 0xff || !(status & COM_DATA))
            break;
        text[len++] = (char)in8(COM);
    }
    return len;
}

static void apic_set(u32 reg, u32 value)
{
    apic[reg / 4] = value;
}

void native_interrupt_done(void)
{
    apic_set(APIC_EOI, 0);
}

static void on_timer(struct rt_frame *f)
{
    (void)f;
    native_interrupt_done();
    alarm();
}

static void on_spurious(struct rt_frame *f)
{
    (void)f;
}

static void apic_init(void)
{
    u64 base = msr_read(APIC_BASE_MSR);

    msr_write(APIC_BASE_MSR, base | APIC_ENABLE);
    if (!rt_map_range(base & 0xffffff000, 4096, true))
        rt_panic("no tables for the local APIC at %#lx", base & 0xffffff000);
    apic = rt_at(base & 0xffffff000);
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
    rt_trap_set(VECTOR_SPURIOUS, on_spurious);
    rt_trap_set(RT_VECTOR_TIMER, on_timer);
    apic_set(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
    apic_set(APIC_DIVIDE, APIC_BY_1);
    apic_set(APIC_LVT_TIMER, RT_VECTOR_TIMER | APIC_MASKED);
}

/* Channel 2 in mode 0 raises its output, seen in bit 5 of port 0x61, after the count. */
static void pit_wait(void)
{
    u32 count = PIT_HZ * MEASURE_MS / 1000, tries = 100 * 1000 * 1000;

    out8(PIT_GATE, (u8)((in8(PIT_GATE) & ~2) | 1));
    out8(PIT_MODE, 0xb0);
    out8(PIT_CH2, (u8)count);
    out8(PIT_CH2, (u8)(count >> 8));
    while (!(in8(PIT_GATE) & 0x20) && --tries)
        ;
}

u64 native_time_init(void (*on_alarm)(void))
{
    u64 before, ticks;
    u32 apic_ticks;

    alarm = on_alarm;
    apic_init();
    apic_set(APIC_INITIAL, 0xffffffff);
    before = tsc_read();
    pit_wait();
    ticks = tsc_read() - before;
    apic_ticks = 0xffffffff - apic[APIC_CURRENT / 4];
    apic_set(APIC_INITIAL, 0);
    apic_khz = MAX(apic_ticks / MEASURE_MS, 1u);
    apic_set(APIC_LVT_TIMER, RT_VECTOR_TIMER);
    return MAX(ticks / MEASURE_MS, 1ull);
}

void native_alarm_in(u64 ns)
{
    u64 most = 0xffffffffull * 1000000 / apic_khz;
    u64 ticks = MIN(ns, most) * apic_khz / 1000000;

    apic_set(APIC_INITIAL, ns == ~0ull ? 0 : (u32)MAX(MIN(ticks, 0xffffffffull), 1ull));
}

/* Without an ACPI interpreter there is no way off but a reset: by the keyboard controller,
 * then (microvm) by a triple fault. QEMU's -no-reboot makes both an end. */
void native_end(enum rt_end how)
{
    static const struct PACKED {
        u16 limit;
        u64 base;
    } none = {0, 0};

    asm volatile("cli");
    if (how == RT_CRASH)
        for (;;)
            asm volatile("hlt");
    out8(0x64, 0xfe);
    asm volatile("lidt %0; ud2" : : "m"(none));
    for (;;)
        asm volatile("hlt");
}
