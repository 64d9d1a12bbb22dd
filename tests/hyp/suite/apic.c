/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC by its page and by registers: modes and the ways between them, errors,
 * interrupts to oneself, priorities, the timer, NMI.
 */
#include "tests/hyp/suite/suite.h"

enum { ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, SVR = 0xf0, ISR = 0x100 };
enum { IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310, LVT_TIMER = 0x320 };
enum { LVT_ERROR = 0x370, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };
enum { BASE = 0x1b, X2 = 0x800, SELF_IPI = 0x83f, MASKED = 1 << 16, TO_SELF = 1 << 18 };
enum { OFF = 0, X2_ALONE = 0x400, XAPIC = 0x800, X2APIC = 0xc00, PLAIN = 0x60, HIGHER = 0x90 };
#define MMIO  ((volatile u32 *)0xfee00000)
#define BOUND 200000000u

static volatile u32 taken[256];

static u32 get(u32 reg)
{
    return MMIO[reg / 4];
}

static void put(u32 reg, u32 value)
{
    MMIO[reg / 4] = value;
}

static bool in_use(u32 reg, u32 vector)
{
    return get(reg + vector / 32 * 0x10) >> vector % 32 & 1;
}

/* Counts it; its end of interrupt is the check's own. */
static bool count(struct frame *f)
{
    if (f->vector < 32 && f->vector != NMI)
        return false;
    taken[f->vector]++;
    return true;
}

static void let_in(void)
{
    __asm__ volatile("sti; nop; nop; cli" ::: "memory");
}

static bool set_mode(u32 mode)
{
    u64 base;

    return read_msr(BASE, &base) && write_msr(BASE, (base & ~0xc00ull) | mode);
}

static void check_modes(void)
{
    u64 base = 0;

    CHECK("apic: its base", read_msr(BASE, &base) && (base & ~0x5ffull) == 0xfee00800);
    CHECK("apic: this is the first processor", base & 0x100);
    CHECK("apic: reserved bits of the base",
          !write_msr(BASE, base | 1) && !write_msr(BASE, base | 1ull << 60));
    CHECK("apic: x2APIC is offered", feature(1, 2, 21));
    CHECK("apic: off", set_mode(OFF));
    CHECK("apic: not from off to x2APIC", !set_mode(X2APIC));
    CHECK("apic: never x2APIC alone", !set_mode(X2_ALONE));
    CHECK("apic: on", set_mode(XAPIC));
    CHECK("apic: no x2APIC registers then", !read_msr(X2 + ID / 16, &base));
    CHECK("apic: x2APIC", set_mode(X2APIC));
    CHECK("apic: its registers then", read_msr(X2 + VERSION / 16, &base));
    CHECK("apic: not from x2APIC to xAPIC", !set_mode(XAPIC));
    CHECK("apic: off from x2APIC", set_mode(OFF));
    CHECK("apic: on again", set_mode(XAPIC));
}

static void check_errors(void)
{
    put(SVR, 0x1ff);
    CHECK_EQ("apic: version", get(VERSION) & 0xff, 0x14);
    CHECK_EQ("apic: number", get(ID) >> 24, 0);
    put(LVT_ERROR, MASKED | 0xfe);
    put(ESR, 0);
    put(ESR, 0);
    CHECK_EQ("apic: no error", get(ESR), 0);
    put(ICR, TO_SELF | 5);
    put(ESR, 0);
    CHECK("apic: sending vector 5 is one", get(ESR) & 0x20);
    put(ESR, 0);
    CHECK_EQ("apic: told once", get(ESR), 0);
    put(LVT_ERROR, 0xfe);
    put(ICR, TO_SELF | 5);
    let_in();
    CHECK_EQ("apic: and interrupts", taken[0xfe], 1);
    put(EOI, 0);
    put(LVT_ERROR, MASKED | 0xfe);
    put(ESR, 0);
}

static void check_vectors(void)
{
    put(ICR, TO_SELF | PLAIN);
    CHECK("apic: waits while interrupts are off", in_use(IRR, PLAIN) && !taken[PLAIN]);
    let_in();
    CHECK_EQ("apic: arrives", taken[PLAIN], 1);
    CHECK("apic: is being served", in_use(ISR, PLAIN) && !in_use(IRR, PLAIN));
    CHECK_EQ("apic: its priority", get(PPR) & 0xf0, PLAIN & 0xf0);
    put(ICR, TO_SELF | PLAIN);
    let_in();
    CHECK_EQ("apic: the same waits for its end", taken[PLAIN], 1);
    put(ICR, TO_SELF | HIGHER);
    let_in();
    CHECK_EQ("apic: a higher one does not", taken[HIGHER], 1);
    put(EOI, 0);
    CHECK("apic: the higher one ends first", !in_use(ISR, HIGHER) && in_use(ISR, PLAIN));
    put(EOI, 0);
    let_in();
    CHECK_EQ("apic: then the second comes", taken[PLAIN], 2);
    put(EOI, 0);
    put(TPR, 0xa0);
    put(ICR, TO_SELF | HIGHER);
    let_in();
    CHECK_EQ("apic: the task's priority holds it back", taken[HIGHER], 1);
    put(TPR, 0);
    let_in();
    CHECK_EQ("apic: and lets it go", taken[HIGHER], 2);
    put(EOI, 0);
    put(ICR, 4 << 8 | TO_SELF); /* deprecated by some manuals, sent by all */
    put(ICR_HIGH, 0);
    put(ICR, 4 << 8);
    CHECK("apic: NMI to oneself", taken[NMI] >= 1);
}

static void check_timer(void)
{
    u32 n = 0;

    put(DIVIDE, 0xb);
    put(LVT_TIMER, 0x70);
    put(INITIAL, 100000);
    CHECK("apic: the timer counts down", get(CURRENT) <= 100000);
    while (!taken[0x70] && n++ < BOUND / 1000) {
        let_in();
        CALL2(sched_op, SCHEDOP_yield, 0);
    }
    CHECK_EQ("apic: the timer fires", taken[0x70], 1);
    put(EOI, 0);
    CHECK_EQ("apic: once", get(CURRENT), 0);
    put(LVT_TIMER, MASKED | 0x70);
}

static void check_x2(void)
{
    u64 value = 0;

    set_mode(X2APIC);
    CHECK("x2apic: number", read_msr(X2 + ID / 16, &value) && !value);
    CHECK("x2apic: the number is not written", !write_msr(X2 + ID / 16, 1));
    CHECK("x2apic: nor the version", !write_msr(X2 + VERSION / 16, 1));
    CHECK("x2apic: end of interrupt is 0",
          !write_msr(X2 + EOI / 16, 1) && write_msr(X2 + EOI / 16, 0));
    CHECK("x2apic: and not read", !read_msr(X2 + EOI / 16, &value));
    CHECK("x2apic: no second half of the command", !read_msr(X2 + ICR_HIGH / 16, &value));
    CHECK("x2apic: self-IPI is not read", !read_msr(SELF_IPI, &value));
    CHECK("x2apic: self-IPI", write_msr(SELF_IPI, HIGHER));
    let_in();
    CHECK_EQ("x2apic: arrives", taken[HIGHER], 3);
    write_msr(X2 + EOI / 16, 0);
    CHECK("x2apic: reserved bits above 31", !write_msr(X2 + TPR / 16, 1ull << 32));
    CHECK("x2apic: a command", write_msr(X2 + ICR / 16, TO_SELF | HIGHER));
    let_in();
    CHECK_EQ("x2apic: arrives too", taken[HIGHER], 4);
    write_msr(X2 + EOI / 16, 0);
    set_mode(OFF);
    set_mode(XAPIC);
}

void check_apic(void)
{
    exception_hook = count;
    check_modes();
    check_errors();
    check_vectors();
    check_timer();
    check_x2();
    exception_hook = NULL;
}
