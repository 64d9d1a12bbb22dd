/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x87, SSE and AVX state: saved when another thread's is needed, restored before ring 3,
 * never left to a trap. XSAVE's standard form where the processor has it, FXSAVE
 * otherwise (AMD APM volume 2, 11.5). The kernel itself uses no such register.
 */
#include "base/memory.h"
#include "base/x87.h"
#include "guest/machine/x86/cpu.h"
#include "guest/rt/rt.h"
#include "guest/rt/x86.h"

enum { CR4_OSXSAVE = 1 << 18, HAS_XSAVE = 1 << 26, HAS_AVX = 1 << 28 };
enum {
    STATE_LEGACY = 3,
    STATE_AVX = 4,
    UPPER_AT = 576,
    HEADER_AT = 512,
    MSR_FS_BASE = 0xc0000100
};

static u32 states; /* XCR0; 0: FXSAVE */
static u32 size = FLOAT_LEGACY;
static struct context *owner; /* whose state the processor holds */
static u64 bases;             /* FS and GS base, all bits of either */

static void switch_on(void)
{
    asm volatile("xsetbv" : : "c"(0), "a"(states), "d"(0));
}

void cpu_float_init(void)
{
    u32 features = cpuid(1, 0).ecx;

    /* Xen brings a domain's state back when CR0.TS traps; under QEMU's emulator XRSTOR does
     * not trap, and finds another domain's state and XCR0. FXRSTOR does. */
    if (!(features & HAS_XSAVE) || rt_host() == RT_XEN)
        return;
    asm volatile("mov %%cr4, %%rax; or %0, %%rax; mov %%rax, %%cr4"
                 :
                 : "i"(CR4_OSXSAVE)
                 : "rax");
    states = STATE_LEGACY | (features & HAS_AVX ? STATE_AVX : 0);
    switch_on();
    size = cpuid(0xd, 0).ebx;
}

u32 cpu_float_size(void)
{
    return size;
}

bool cpu_float_has_upper(void)
{
    return states & STATE_AVX;
}

static void save(u8 *at)
{
    if (states)
        asm volatile("xsave64 (%0)" : : "r"(at), "a"(states), "d"(0) : "memory");
    else
        asm volatile("fxsave64 (%0)" : : "r"(at) : "memory");
}

static void restore(u8 *at)
{
    bool shielded = x87_shield(at);

    if (states)
        asm volatile("xrstor64 (%0)" : : "r"(at), "a"(states), "d"(0) : "memory");
    else
        asm volatile("fxrstor64 (%0)" : : "r"(at) : "memory");
    if (shielded)
        x87_loaded(at);
}

static __attribute__((noinline)) void load_bases(const struct context *c)
{
    msr_write(MSR_FS_BASE, c->r[R_FS_BASE]);
    msr_write(MSR_FS_BASE + 1, c->r[R_GS_BASE]);
    bases = c->r[R_FS_BASE] | c->r[R_GS_BASE];
}

void cpu_float_load(struct context *c)
{
    if (owner == c)
        return;
    if (owner)
        save(owner->fp);
    restore(c->fp);
    owner = c;
    if (c->r[R_FS_BASE] | c->r[R_GS_BASE] | bases) /* hardly any program has them */
        load_bases(c);
}

void cpu_float_sync(struct context *c)
{
    if (owner == c)
        save(c->fp);
}

void cpu_float_forget(const struct context *c)
{
    if (owner == c)
        owner = NULL;
}

void cpu_float_put_away(void)
{
    if (owner)
        save(owner->fp);
    owner = NULL;
}

void cpu_float_begin_again(void)
{
    if (states & STATE_AVX && !(cpuid(1, 0).ecx & HAS_AVX))
        rt_panic("this processor has no AVX, and programs of the one before had");
    if (states)
        switch_on();
}

void cpu_float_export(const struct context *c, u8 fp[FLOAT_BYTES])
{
    memcpy(fp, c->fp, FLOAT_LEGACY);
    if ((states & STATE_AVX) && (c->fp[HEADER_AT] & STATE_AVX))
        memcpy(fp + FLOAT_LEGACY, c->fp + UPPER_AT, FLOAT_UPPER);
}

void cpu_float_import(struct context *c, const u8 fp[FLOAT_BYTES])
{
    u64 present = states;

    memset(c->fp, 0, size);
    memcpy(c->fp, fp, FLOAT_LEGACY - 96);
    if (states)
        memcpy(c->fp + HEADER_AT, &present, sizeof present);
    if (states & STATE_AVX)
        memcpy(c->fp + UPPER_AT, fp + FLOAT_LEGACY, FLOAT_UPPER);
}
