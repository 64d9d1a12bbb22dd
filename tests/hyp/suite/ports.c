/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports nobody owns: reads are all ones, writes are lost; string forms of every width and
 * direction, with faults in their middle where processors have them.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

SNIPPET(in8, "in %dx, %al");
SNIPPET(in16, "in %dx, %ax");
SNIPPET(in32, "in %dx, %eax");
SNIPPET(out32, "out %eax, %dx");
SNIPPET(outs8, "rep outsb");
SNIPPET(outs16, "rep outsw");
SNIPPET(outs32, "rep outsl");
SNIPPET(ins8, "rep insb");
SNIPPET(ins16, "rep insw");
SNIPPET(ins32, "rep insl");
SNIPPET(ins_once, "insb");
SNIPPET(ins_back, "std; rep insl; cld");
SNIPPET(outs_back, "std; rep outsw; cld");
SNIPPET(outs_fs, ".byte 0x64; rep outsb");

enum { PORT = 0x12, LONG = 1000 };
static u8 buffer[8192] __attribute__((aligned(4096)));

static struct outcome string(const u8 *code, word at, word count)
{
    struct registers in = {.si = at, .di = at, .cx = count, .dx = PORT};

    return try_snippet(code, &in, 0);
}

static void check_single(void)
{
    struct registers in = {.ax = 0x12345678, .dx = PORT};
    struct outcome o = try_snippet(in8, &in, 0);

    CHECK_EQ("port: 8 bits", o.out.ax, 0x123456ff);
    o = try_snippet(in16, &in, 0);
    CHECK_EQ("port: 16 bits", o.out.ax, 0x1234ffff);
    o = try_snippet(in32, &in, 0);
    CHECK_EQ("port: 32 bits", o.out.ax, 0xffffffff);
    o = try_snippet(out32, &in, 0);
    CHECK_EQ("port: written", o.count, 0);
    expect_fault("port: ring 3 may not", in8, &in, RING_3, GP << 16);
    expect_fault("port: nor by strings", ins_once, &in, RING_3, GP << 16);
}

static void check_strings(void)
{
    static const struct {
        const char *name;
        const u8 *code;
        s32 step;
        bool in;
    } forms[] = {
        {"port: outsb", outs8, 1, false},
        {"port: outsw", outs16, 2, false},
        {"port: outsl", outs32, 4, false},
        {"port: insb", ins8, 1, true},
        {"port: insw", ins16, 2, true},
        {"port: insl", ins32, 4, true},
        {"port: insl downwards", ins_back, -4, true},
        {"port: outsw downwards", outs_back, -2, false},
    };

    for (u32 i = 0; i < ARRAY_SIZE(forms); i++) {
        s32 step = forms[i].step, far = step * LONG;
        u8 *low = buffer + (step < 0 ? 4096 + far - step : 0);
        u32 len = (u32)(far < 0 ? -far : far), ones = 0;
        struct outcome o;
        word moved;

        memset(buffer, 0x11, sizeof(buffer));
        o = string(forms[i].code, (word)(step < 0 ? buffer + 4096 : buffer), LONG);
        moved = (forms[i].in ? o.out.di : o.out.si) - (word)(step < 0 ? buffer + 4096 : buffer);
        CHECK_EQ(forms[i].name, o.count, 0);
        verdict(!o.out.cx && (s32)moved == far, forms[i].name, "%lx left, moved %d", o.out.cx,
                (s32)moved);
        for (u32 b = 0; b < sizeof(buffer); b++)
            ones += buffer[b] == 0xff;
        verdict(ones == (forms[i].in ? len : 0) &&
                    (!forms[i].in || (low[0] == 0xff && low[len - 1] == 0xff)),
                forms[i].name, "%u bytes of ones, %x to %x", ones, low[0], low[len - 1]);
    }
    CHECK_EQ("port: a string of nothing", string(ins8, (word)buffer, 0).out.di, (word)buffer);
}

#if LEVELS
/* Memory ends in the string's middle: what was before is done, the fault names the rest. */
static void check_faults(void)
{
    const word hole = 0x40000000;
    struct outcome o;

    map_large(hole - (LEVELS == 2 ? 1u << 22 : 1u << 21), 0x800087);
    map_large(hole, 0);
    o = string(outs8, hole - 5, 20);
    CHECK_EQ("port: outsb into a hole", first_fault(&o), PF << 16);
    CHECK_EQ("port: outsb: at the instruction", o.seen[0].at, 0);
    CHECK_EQ("port: outsb: its address", read_cr(2), hole);
    o = string(ins16, hole - 6, 20);
    CHECK_EQ("port: insw into a hole", first_fault(&o), PF << 16 | 2);
    CHECK_EQ("port: insw: its address", read_cr(2), hole);
    CHECK_EQ("port: insw: what is before is done", *(volatile u16 *)(hole - 2), 0xffff);
    map_large(hole, 0x800085); /* read-only */
    o = string(ins8, hole, 1);
    CHECK_EQ("port: insb to a page for reading", first_fault(&o), PF << 16 | 3);
    map_large(hole, 0);
    set_descriptor(SPARE, hole, 0xfffff, 0xc93);
    __asm__ volatile("mov %w0, %%fs" ::"r"(SPARE));
    o = string(outs_fs, 0x123, 1);
    CHECK_EQ("port: outsb by fs", first_fault(&o), PF << 16);
    CHECK_EQ("port: outsb by fs: its address", read_cr(2), hole + 0x123);
    __asm__ volatile("mov %w0, %%fs" ::"r"(DATA));
}
#endif

#ifdef __x86_64__
SNIPPET(outs_narrow, ".byte 0x67; rep outsb");

static void check_odd_addresses(void)
{

    struct outcome o = string(outs8, 1ul << 47, 1);

    CHECK_EQ("port: outsb of no canonical address", first_fault(&o), GP << 16);
    o = string(outs_narrow, (word)buffer | 5ul << 40, 4 | 1ul << 40);
    CHECK_EQ("port: outsb by 32 bits of address", o.count, 0);
    CHECK_EQ("port: outsb by 32 bits: the rest is cleared", o.out.si, (word)buffer + 4);
}
#endif

void check_ports(void)
{
    check_single();
    check_strings();
#if LEVELS
    check_faults();
#endif
#ifdef __x86_64__
    check_odd_addresses();
#endif
}
