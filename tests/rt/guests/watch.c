/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/rt/guests/watch.h"
#include "guest/rt/console.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { FIRST_VECTOR = 32, VECTORS = 256, TICK = RT_VECTOR_TIMER };
enum { APIC_BASE = 0x1b, X2APIC = 0xc00, X2_EOI = 0x80b, X2_SPURIOUS = 0x80f };
enum { X2_TIMER = 0x832, X2_INITIAL = 0x838, X2_DIVIDE = 0x83e, PERIODIC = 1 << 17, BY_1 = 11 };

static bool on;
static u64 looked, now_nr, now_op;
static u64 longest, longest_nr, longest_op;

static void look(void)
{
    u64 now = tsc_read();

    if (now - looked > longest) {
        longest = now - looked;
        longest_nr = now_nr;
        longest_op = now_op;
    }
    looked = now;
}

/* Of all vectors: calls may have chosen any for their events. */
static void on_tick(struct rt_frame *f)
{
    (void)f;
    look();
    msr_write(X2_EOI, 0);
    looked = tsc_read();
}

void watch_start(u64 tick_ns)
{
    for (u32 vector = FIRST_VECTOR; vector < VECTORS; vector++)
        rt_trap_set(vector, on_tick);
    msr_write(APIC_BASE, msr_read(APIC_BASE) | X2APIC);
    msr_write(X2_SPURIOUS, 0x1ff);
    msr_write(X2_DIVIDE, BY_1);
    msr_write(X2_TIMER, PERIODIC | TICK);
    msr_write(X2_INITIAL, tick_ns);
    on = true;
}

void watch_stop(void)
{
    if (on)
        msr_write(X2_INITIAL, 0);
    on = false;
}

void watch_begin(u64 nr, u64 op)
{
    if (!on)
        return;
    now_nr = nr;
    now_op = op;
    looked = tsc_read();
    asm volatile("sti" : : : "memory");
}

void watch_end(void)
{
    if (!on)
        return;
    asm volatile("cli" : : : "memory");
    look();
}

void watch_report(void)
{
    if (longest)
        rt_printf("longest %lu ticks, in call %lu %#lx\n", longest, longest_nr, longest_op);
}
