/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single steps over instructions that are intercepted, breakpoints, and debug registers that
 * stay this vCPU's own.
 */
#include "tests/hyp/suite/suite.h"

/* Switches TF on, runs the text, switches TF off. The first trap comes behind the first
 * instruction after POPF. */
#ifdef __x86_64__
#define FLAGS_ON  "pushf; orl $0x100, (%rsp); popf; "
#define FLAGS_OFF "; pushf; andl $~0x100, (%rsp); popf"
#else
#define FLAGS_ON  "pushf; orl $0x100, (%esp); popf; "
#define FLAGS_OFF "; pushf; andl $~0x100, (%esp); popf"
#endif
#define STEPS(name, text) SNIPPET(name, FLAGS_ON text FLAGS_OFF)

STEPS(step_nop, "nop; nop");
STEPS(step_cpuid, "cpuid; nop");
STEPS(step_rdmsr, "rdmsr; nop");
STEPS(step_out, "out %al, $0x12; nop");
STEPS(step_in, "in $0x12, %al; nop");
STEPS(step_rdtsc, "rdtsc; nop");
STEPS(step_wbinvd, "wbinvd; nop");
STEPS(step_cr4, "mov %cr4, " R(ax) "; mov " R(ax) ", %cr4; nop");
STEPS(step_shadow, "mov %ss, %eax; mov %eax, %ss; nop; nop");
STEPS(step_outs, "rep outsb; nop");
STEPS(step_vmmcall, ".byte 0x0f, 0x01, 0xd9; nop");
SNIPPET(watched, "nop; cpuid; nop");
SNIPPET(write_word, "movl $5, (" R(di) "); nop; nop");
SNIPPET(many_registers,
        "mov %db0, " R(ax) "; mov %db1, " R(bx) "; mov %db2, " R(cx) "; mov %db3, " R(dx));

enum { ON_LENGTH = 9, DR6_STEP = 1 << 14, PROGRAM_MOST = 4 };

static void check_steps(const char *name, const u8 *code, const s32 *at, u32 count)
{
    struct registers in = {.ax = __HYPERVISOR_xen_version, .cx = 0x1b, .dx = 0x12};
    struct outcome o;
    u32 good = 0;

    if (code == step_outs)
        in.cx = 3, in.si = (word)code;
    o = try_snippet(code, &in, 0);
    for (u32 i = 0; i < count; i++)
        good += i < o.count && o.seen[i].vector == DB && o.seen[i].at == ON_LENGTH + at[i] &&
                o.seen[i].dr6 & DR6_STEP;
    verdict(good == count, name, "%u of %u, at %d %d %d %d", good, count,
            o.seen[0].at - ON_LENGTH, o.seen[1].at - ON_LENGTH, o.seen[2].at - ON_LENGTH,
            o.seen[3].at - ON_LENGTH);
}

static void check_single_steps(void)
{
    static const struct {
        const char *name;
        const u8 *code;
        s32 at[PROGRAM_MOST];
        u32 count;
    } steps[] = {
        {"step: nop", step_nop, {1, 2}, 2},
        {"step: cpuid", step_cpuid, {2, 3}, 2},
        {"step: rdmsr", step_rdmsr, {2, 3}, 2},
        {"step: out", step_out, {2, 3}, 2},
        {"step: in", step_in, {2, 3}, 2},
        {"step: rdtsc", step_rdtsc, {2, 3}, 2},
        {"step: wbinvd", step_wbinvd, {2, 3}, 2},
        {"step: writing cr4", step_cr4, {3, 6, 7}, 3},
        {"step: loading ss holds one step back", step_shadow, {2, 5, 6}, 3},
        {"step: each turn of rep outsb", step_outs, {0, 0, 2, 3}, 4},
        {"step: a hypercall", step_vmmcall, {3, 4}, 2},
    };

    for (u32 i = 0; i < ARRAY_SIZE(steps); i++)
        check_steps(steps[i].name, steps[i].code, steps[i].at, steps[i].count);
}

#define WRITE_DR(n, value) __asm__ volatile("mov %0, %%db" #n ::"r"((word)(value)))

static void check_breakpoints(void)
{
    static u32 target;
    struct outcome o;

    WRITE_DR(0, watched + 1);
    WRITE_DR(7, 0x402);
    o = try_snippet(watched, NULL, 0);
    WRITE_DR(7, 0x400);
    CHECK_EQ("break: at an intercepted instruction", first_fault(&o), DB << 16);
    CHECK_EQ("break: before it", o.seen[0].at, 1);
    CHECK("break: names its register", (o.seen[0].dr6 & 0xf) == 1);
    WRITE_DR(1, &target);
    WRITE_DR(7, 0x400 | 8 | 0x00d00000); /* 4 bytes, written */
    o = try_snippet(write_word, &(struct registers){.di = (word)&target}, 0);
    WRITE_DR(7, 0x400);
    CHECK_EQ("break: at a write", first_fault(&o), DB << 16);
    CHECK_EQ("break: behind it", o.seen[0].at, 6);
    CHECK("break: names that register", (o.seen[0].dr6 & 0xf) == 2);
    CHECK_EQ("break: the write is done", target, 5);
}

static void check_kept(void)
{
    struct outcome o;

    WRITE_DR(0, 0x1110);
    WRITE_DR(1, 0x2220);
    WRITE_DR(2, 0x3330);
    WRITE_DR(3, 0x4440);
    for (u32 i = 0; i < 20; i++)
        CALL2(sched_op, SCHEDOP_yield, 0);
    o = try_snippet(many_registers, NULL, 0);
    CHECK("dr0 to dr3 stay while others run",
          o.out.ax == 0x1110 && o.out.bx == 0x2220 && o.out.cx == 0x3330 && o.out.dx == 0x4440);
}

void check_debug(void)
{
    check_single_steps();
    check_breakpoints();
    check_kept();
}
