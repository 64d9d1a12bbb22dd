/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Control and model-specific registers: what may be written, what faults, what is hidden.
 */
#include "tests/hyp/suite/suite.h"

SNIPPET(write_cr0, "mov " R(ax) ", %cr0");
SNIPPET(write_cr4, "mov " R(ax) ", %cr4");
SNIPPET(read_dr4, ".byte 0x0f, 0x21, 0xe0");
SNIPPET(write_dr6, "mov " R(ax) ", %db6");
SNIPPET(read_dr6, "mov %db6, " R(ax));
SNIPPET(write_dr7, "mov " R(ax) ", %db7");
SNIPPET(do_xsetbv, "xsetbv");
SNIPPET(float_op, "fninit");

enum { CR0_TS = 8, CR0_NW = 1 << 29, CR0_CD = 1 << 30 };
enum { CR4_DE = 8, CR4_PAE = 0x20, CR4_PGE = 0x80, CR4_UMIP = 1 << 11, CR4_VMXE = 1 << 13 };
enum { CR4_SMXE = 1 << 14, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };
enum { EFER = 0xc0000080, PAT = 0x277, TSC = 0x10, GENERAL = GP << 16 };
#define CR0_PG 0x80000000u

static void expect(const char *name, const u8 *code, word ax, u32 fault)
{
    expect_fault(name, code, &(struct registers){.ax = ax}, 0, fault);
}

static void check_cr0(void)
{
    word now = read_cr(0);

    expect("cr0: as it is", write_cr0, now, 0);
    expect("cr0: paging without protection", write_cr0, (now | CR0_PG) & ~1ul, GENERAL);
    if (!careful)
        expect("cr0: no write-through without no cache", write_cr0,
               (now | CR0_NW) & ~(word)CR0_CD, GENERAL);
    CHECK_EQ("cr0: unchanged by what faulted", read_cr(0), now);
    expect("cr0: ts", write_cr0, now | CR0_TS, 0);
    expect("cr0: floating point then", float_op, 0, NM << 16);
    expect("cr0: and back", write_cr0, now, 0);
    CHECK_EQ("cr0: is as it was", read_cr(0), now);
}

static void check_bit(const char *name, u32 bit, bool there)
{
    word now = read_cr(4);

    expect(name, write_cr4, now | bit, there ? 0 : GENERAL);
    expect("cr4: and back", write_cr4, now, 0);
}

static void check_cr4(void)
{
    word now = read_cr(4);

    check_bit("cr4: pge", CR4_PGE, true);
    check_bit("cr4: umip where CPUID has it", CR4_UMIP, feature(7, 2, 2));
    /* Where these are there, they would bite: all our pages are ring 3's, too. */
    if (!feature(7, 1, 7))
        check_bit("cr4: no smep without CPUID", CR4_SMEP, false);
    if (!feature(7, 1, 20))
        check_bit("cr4: no smap without CPUID", CR4_SMAP, false);
    check_bit("cr4: osxsave where CPUID has it", CR4_OSXSAVE, feature(1, 2, 26));
    check_bit("cr4: vmxe", CR4_VMXE, false);
    check_bit("cr4: smxe", CR4_SMXE, false);
    check_bit("cr4: bit 15", 1u << 15, false);
    check_bit("cr4: bit 31", 1u << 31, false);
#ifdef __x86_64__
    expect("cr4: a reserved bit above 31", write_cr4, now | 1ul << 40, GENERAL);
    expect("cr4: no pae in long mode", write_cr4, now & ~(word)CR4_PAE, GENERAL);
#endif
    CHECK_EQ("cr4: unchanged by what faulted", read_cr(4), now);
    expect("cr4: de", write_cr4, now | CR4_DE, 0);
    expect("cr4: de hides dr4", read_dr4, 0, UD << 16);
    expect("cr4: without de", write_cr4, now & ~(word)CR4_DE, 0);
    expect("cr4: dr4 is dr6", read_dr4, 0, 0);
}

static void check_debug_registers(void)
{
    struct outcome o;

    expect("dr6: nothing set", write_dr6, 0, 0);
    o = try_snippet(read_dr6, NULL, 0);
    CHECK_EQ("dr6: its fixed bits", o.out.ax & 0xffff0ff0, 0xffff0ff0);
    expect("dr7: nothing set", write_dr7, 0, 0);
#ifdef __x86_64__
    expect("dr6: a reserved bit", write_dr6, 1ul << 32, GENERAL);
    expect("dr7: a reserved bit", write_dr7, 1ul << 32, GENERAL);
#endif
}

static void check_efer(void)
{
    u64 now = 0, other;

    CHECK("efer: can be read", read_msr(EFER, &now));
    CHECK("efer: no virtualization", !(now & 1u << 12));
    CHECK("efer: as it is", write_msr(EFER, now));
    CHECK("efer: svme is not offered", !write_msr(EFER, now | 1u << 12));
    CHECK("efer: reserved bits", !write_msr(EFER, now | 1u << 9) && !write_msr(EFER, now | 2));
    CHECK("efer: reserved bits above 31", !write_msr(EFER, now | 1ull << 40));
#if LEVELS == 4
    CHECK("efer: long mode stays while there is paging", !write_msr(EFER, now & ~0x100ull));
#elif LEVELS
    CHECK("efer: no long mode while there is paging", !write_msr(EFER, now | 0x100));
#endif
    CHECK("efer: no execution",
          write_msr(EFER, now | 0x800) && read_msr(EFER, &other) && other == (now | 0x800));
    CHECK("efer: and back", write_msr(EFER, now));
}

static void check_msr_values(void)
{
    u64 pat, value, later;

    CHECK("pat: can be read", read_msr(PAT, &pat));
    CHECK_EQ("pat: as after reset", pat, 0x0007040600070406ull);
    CHECK("pat: type 2 is none", !write_msr(PAT, (pat & ~0xffull) | 2));
    CHECK("pat: type 3 is none", !write_msr(PAT, (pat & ~0xff00ull) | 0x300));
    CHECK("pat: type 8 is none", !write_msr(PAT, (pat & ~0xff0000ull) | 0x80000));
    CHECK("pat: another order", write_msr(PAT, 0x0007010600070106ull) &&
                                    read_msr(PAT, &value) && value == 0x0007010600070106ull);
    CHECK("pat: and back", write_msr(PAT, pat));
    CHECK("tsc: grows", read_msr(TSC, &value) && read_msr(TSC, &later) && later > value);
    CHECK("msr: star", write_msr(0xc0000081, 0x1234567800000000ull) &&
                           read_msr(0xc0000081, &value) && value == 0x1234567800000000ull);
    CHECK("msr: sysenter's stack",
          write_msr(0x175, 0x123456) && read_msr(0x175, &value) && value == 0x123456);
    CHECK("msr: fs base",
          write_msr(0xc0000100, 0x5000) && read_msr(0xc0000100, &value) && value == 0x5000);
}

/* Every register there could be: each is read or faults, and all goes on. */
static void check_all_msrs(void)
{
    static const u32 ranges[][2] = {{0, 0x2000},
                                    {0x40000000, 0x40000100},
                                    {0xc0000000, 0xc0002000},
                                    {0xc0010000, 0xc0012000}};
    u32 readable = 0;
    u64 value;

    for (u32 i = 0; i < ARRAY_SIZE(ranges); i++)
        for (u32 msr = ranges[i][0]; msr < ranges[i][1]; msr++)
            readable += read_msr(msr, &value);
    CHECK("msr: reading each of them", readable > 20 && readable < 400);
}

static void check_xcr0(void)
{
    word now = read_cr(4);
    struct registers in = {.ax = 1};

    expect_fault("xsetbv where it is not switched on", do_xsetbv, &in, 0, UD << 16);
    if (!feature(1, 2, 26))
        return;
    expect("cr4: osxsave", write_cr4, now | CR4_OSXSAVE, 0);
    expect_fault("xsetbv: x87 alone", do_xsetbv, &in, 0, 0);
    in.ax = 2;
    expect_fault("xsetbv: without x87", do_xsetbv, &in, 0, GENERAL);
    in.ax = 5;
    expect_fault("xsetbv: avx without sse", do_xsetbv, &in, 0, GENERAL);
    in = (struct registers){.ax = 1, .cx = 1};
    expect_fault("xsetbv: another register", do_xsetbv, &in, 0, GENERAL);
    in = (struct registers){.ax = 1, .dx = 1u << 30};
    expect_fault("xsetbv: a reserved bit", do_xsetbv, &in, 0, GENERAL);
    expect("cr4: osxsave off", write_cr4, now, 0);
}

void check_registers(void)
{
    check_cr0();
    check_cr4();
    check_debug_registers();
    check_efer();
    check_msr_values();
    check_all_msrs();
    check_xcr0();
}
