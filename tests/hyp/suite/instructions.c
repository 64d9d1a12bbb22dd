/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that fault, that hypervisors intercept, or that emulators get wrong, in ring 0
 * and in ring 3: AMD APM vol. 3; vol. 2, 15.9, for what is checked before the intercept.
 */
#include "base/format.h"
#include "tests/hyp/suite/suite.h"

SNIPPET(ud0, ".byte 0x0f, 0xff, 0xc0");
SNIPPET(ud1, ".byte 0x0f, 0xb9, 0xc0");
SNIPPET(ud2, "ud2");
SNIPPET(forced, "ud2; .ascii \"xen\"; mov $1, %al");
SNIPPET(lock_nop, ".byte 0xf0, 0x90");
SNIPPET(too_long, ".fill 15, 1, 0x66; nop");
SNIPPET(vmrun, ".byte 0x0f, 0x01, 0xd8");
SNIPPET(vmload, ".byte 0x0f, 0x01, 0xda");
SNIPPET(vmsave, ".byte 0x0f, 0x01, 0xdb");
SNIPPET(stgi, ".byte 0x0f, 0x01, 0xdc");
SNIPPET(clgi, ".byte 0x0f, 0x01, 0xdd");
SNIPPET(skinit, ".byte 0x0f, 0x01, 0xde");
SNIPPET(invlpga, ".byte 0x0f, 0x01, 0xdf");
SNIPPET(vmcall, ".byte 0x0f, 0x01, 0xc1");
SNIPPET(vmmcall, ".byte 0x0f, 0x01, 0xd9");
SNIPPET(vmlaunch, ".byte 0x0f, 0x01, 0xc2");
SNIPPET(vmxoff, ".byte 0x0f, 0x01, 0xc4");
SNIPPET(vmxon, ".byte 0xf3, 0x0f, 0xc7, 0x37");
SNIPPET(vmclear, ".byte 0x66, 0x0f, 0xc7, 0x37");
SNIPPET(vmread, ".byte 0x0f, 0x78, 0xc1");
SNIPPET(vmwrite, ".byte 0x0f, 0x79, 0xc1");
SNIPPET(vmfunc, ".byte 0x0f, 0x01, 0xd4");
SNIPPET(invept, ".byte 0x66, 0x0f, 0x38, 0x80, 0x07");
SNIPPET(monitor, "monitor");
SNIPPET(mwait, "mwait");
SNIPPET(hlt, "hlt");
SNIPPET(cli, "cli");
SNIPPET(clts, "clts");
SNIPPET(invd, "invd");
SNIPPET(wbinvd, "wbinvd");
SNIPPET(rdmsr, "rdmsr");
SNIPPET(wrmsr, "wrmsr");
SNIPPET(rdpmc, "rdpmc");
SNIPPET(cpuid, "cpuid");
SNIPPET(rdtsc, "rdtsc");
SNIPPET(pauses, "pause; pause");
SNIPPET(read_cr0, "mov %cr0, " R(ax));
SNIPPET(read_cr1, ".byte 0x0f, 0x20, 0xc8");
SNIPPET(read_dr7, "mov %db7, " R(ax));
SNIPPET(lmsw, "lmsw %ax");
SNIPPET(smsw, "smsw %ax");
SNIPPET(sldt, "sldt %ax");
SNIPPET(str, "str %ax");
SNIPPET(sgdt, "sgdt (" R(di) ")");
SNIPPET(sidt, "sidt (" R(di) ")");
SNIPPET(lgdt, "lgdt (" R(di) ")");
SNIPPET(lldt, "lldt %ax");
SNIPPET(ltr, "ltr %ax");
SNIPPET(invlpg, "invlpg (" R(di) ")");
SNIPPET(int3, "int3");
SNIPPET(int1, ".byte 0xf1");
SNIPPET(int_1, "int $1");
SNIPPET(int_40, "int $0x40");
SNIPPET(divide, "xor %ecx, %ecx; div %ecx");
SNIPPET(output, "out %al, $0x80");
SNIPPET(load, "mov (" R(di) "), %al");
#ifndef __x86_64__
SNIPPET(into, "mov $0x7f, %al; add $1, %al; .byte 0xce");
SNIPPET(bound, ".byte 0x62, 0x07");
#else
SNIPPET(into, ".byte 0xce");
SNIPPET(bound, ".byte 0x06"); /* push %es */
#endif

enum { FINE = 0, GENERAL = GP << 16, UNDEFINED = UD << 16 };
static u32 operand[16] __attribute__((aligned(16)));

static const struct row {
    const char *name;
    const u8 *code;
    u32 ring0, ring3;
    u32 cx;
} rows[] = {
    {"ud0", ud0, UNDEFINED, UNDEFINED, 0},
    {"ud1", ud1, UNDEFINED, UNDEFINED, 0},
    {"ud2", ud2, UNDEFINED, UNDEFINED, 0},
    {"the prefix for forced emulation", forced, UNDEFINED, UNDEFINED, 0},
    {"lock before nop", lock_nop, UNDEFINED, UNDEFINED, 0},
    {"an instruction of 16 bytes", too_long, GENERAL, GENERAL, 0},
    {"vmrun", vmrun, UNDEFINED, GENERAL, 0},
    {"vmload", vmload, UNDEFINED, GENERAL, 0},
    {"vmsave", vmsave, UNDEFINED, GENERAL, 0},
    {"stgi", stgi, UNDEFINED, GENERAL, 0},
    {"clgi", clgi, UNDEFINED, GENERAL, 0},
    {"skinit", skinit, UNDEFINED, UNDEFINED, 0},
    {"invlpga", invlpga, UNDEFINED, GENERAL, 0},
    {"vmcall, the other maker's call", vmcall, UNDEFINED, UNDEFINED, 0},
    {"vmlaunch", vmlaunch, UNDEFINED, UNDEFINED, 0},
    {"vmxoff", vmxoff, UNDEFINED, UNDEFINED, 0},
    {"vmxon", vmxon, UNDEFINED, UNDEFINED, 0},
    {"vmclear", vmclear, UNDEFINED, UNDEFINED, 0},
    {"vmread", vmread, UNDEFINED, UNDEFINED, 0},
    {"vmwrite", vmwrite, UNDEFINED, UNDEFINED, 0},
    {"vmfunc", vmfunc, UNDEFINED, UNDEFINED, 0},
    {"invept", invept, UNDEFINED, UNDEFINED, 0},
    {"monitor", monitor, UNDEFINED, UNDEFINED, 0},
    {"mwait", mwait, UNDEFINED, UNDEFINED, 0},
    {"hlt", hlt, ~0u, GENERAL, 0},
    {"cli", cli, FINE, GENERAL, 0},
    {"clts", clts, FINE, GENERAL, 0},
    {"invd", invd, FINE, GENERAL, 0},
    {"wbinvd", wbinvd, FINE, GENERAL, 0},
    {"rdmsr of efer", rdmsr, FINE, GENERAL, 0xc0000080},
    {"rdmsr of nothing", rdmsr, GENERAL, GENERAL, 0xdead},
    {"wrmsr of nothing", wrmsr, GENERAL, GENERAL, 0xdead},
    {"rdpmc", rdpmc, GENERAL, GENERAL, 0},
    {"cpuid", cpuid, FINE, FINE, 0},
    {"rdtsc", rdtsc, FINE, FINE, 0},
    {"pause", pauses, FINE, FINE, 0},
    {"reading cr0", read_cr0, FINE, GENERAL, 0},
    {"reading cr1", read_cr1, UNDEFINED, ~0u, 0},
    {"reading dr7", read_dr7, FINE, GENERAL, 0},
    {"lmsw", lmsw, ~0u, GENERAL, 0},
    {"smsw", smsw, FINE, FINE, 0},
    {"sldt", sldt, FINE, FINE, 0},
    {"str", str, FINE, FINE, 0},
    {"sgdt", sgdt, FINE, FINE, 0},
    {"sidt", sidt, FINE, FINE, 0},
    {"lgdt", lgdt, ~0u, GENERAL, 0},
    {"lldt", lldt, FINE, GENERAL, 0},
    {"ltr of a code segment", ltr, GENERAL | CODE, GENERAL, 0},
    {"invlpg", invlpg, FINE, GENERAL, 0},
    {"int3", int3, BP << 16, BP << 16, 0},
    {"int 1 by number", int_1, DB << 16, ANY_ERROR | GENERAL, 0},
    {"int by number", int_40, ~0u, ANY_ERROR | GENERAL, 0},
    {"division by 0", divide, DE << 16, DE << 16, 0},
    {"output to a port", output, FINE, GENERAL, 0},
#ifdef __x86_64__
    {"into in 64-bit code", into, UNDEFINED, UNDEFINED, 0},
    {"push of es in 64-bit code", bound, UNDEFINED, UNDEFINED, 0},
#else
    {"into", into, OF << 16, OF << 16, 0},
    {"bound", bound, BR << 16, BR << 16, 0},
#endif
};

static void check_rows(void)
{
    char name[64];

    for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *r = &rows[i];
        struct registers in = {.cx = r->cx, .di = (word)operand};

        operand[0] = operand[1] = 0;
        if (r->code == ltr)
            in.ax = CODE;
        else if (r->code == bound)
            in.ax = 7; /* outside 0 to 0 */
        if (r->ring0 != ~0u)
            expect_fault(r->name, r->code, &in, 0, r->ring0);
        if (r->ring3 == ~0u)
            continue;
        format(name, sizeof(name), "%s, in ring 3", r->name);
        expect_fault(name, r->code, &in, RING_3, r->ring3);
    }
}

/* Traps come behind their instruction, faults at it. */
static void check_places(void)
{
    struct outcome o = try_snippet(int3, NULL, 0);

    CHECK_EQ("int3 is behind", o.seen[0].at, 1);
    for (u32 ring = 0; ring <= RING_3; ring++) { /* QEMU knows no int1 */
        o = try_snippet(int1, NULL, ring);
        CHECK(ring ? "int1, in ring 3" : "int1",
              first_fault(&o) == UNDEFINED ||
                  (first_fault(&o) == DB << 16 && o.seen[0].at == 1));
    }
    o = try_snippet(ud2, NULL, 0);
    CHECK_EQ("ud2 is at it", o.seen[0].at, 0);
    o = try_snippet(rdpmc, NULL, 0);
    CHECK_EQ("an intercepted fault is at it", o.seen[0].at, 0);
}

static void check_memory(void)
{
#ifdef __x86_64__
    struct registers odd = {.di = 1ull << 47};

    expect_fault("a load from no canonical address", load, &odd, 0, GENERAL);
    expect_fault("invlpg of no canonical address", invlpg, &odd, 0, FINE);
#endif
#if LEVELS
    struct registers hole = {.di = 0x40000123};

    map_large(0x40000000, 0);
    expect_fault("a load from no page", load, &hole, 0, PF << 16);
    CHECK_EQ("its address", read_cr(2), 0x40000123);
    expect_fault("a load from no page, in ring 3", load, &hole, RING_3, PF << 16 | 4);
    expect_fault("invlpg of no page", invlpg, &hole, 0, FINE);
    map_large(0x40000000, 0x800083); /* not ring 3's */
    expect_fault("a load from the kernel's page, in ring 3", load, &hole, RING_3, PF << 16 | 5);
    expect_fault("and in ring 0", load, &hole, 0, FINE);
#endif
}

/* From ring 3 a hypercall is refused, whatever it is. */
static void check_calls_in_ring_3(void)
{
    struct registers in = {.ax = __HYPERVISOR_xen_version};
    struct outcome o = try_snippet(vmmcall, &in, RING_3);

    CHECK_EQ("a hypercall from ring 3", (s32)o.out.ax, -XEN_EPERM);
    in.ax = 63;
    o = try_snippet(vmmcall, &in, RING_3);
    CHECK_EQ("no hypercall, from ring 3", (s32)o.out.ax, -XEN_EPERM);
    o = try_snippet(vmmcall, &in, 0);
    CHECK_EQ("no hypercall", (s32)o.out.ax, -XEN_ENOSYS);
}

void check_instructions(void)
{
    check_rows();
    check_places();
    check_memory();
    check_calls_in_ring_3();
}
