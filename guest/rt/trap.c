/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables and the dispatch of traps (AMD APM volume 2, chapters 4 and 8).
 */
#include "base/memory.h"
#include "guest/rt/console.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

struct gate {
    u16 offset_low, selector;
    u8 ist, kind;
    u16 offset_mid;
    u32 offset_high, zero;
};
_Static_assert(sizeof(struct gate) == 16, "IDT gates are 16 bytes");

struct PACKED tss {
    u32 zero;
    u64 rsp[3], reserved, ist[7], reserved2;
    u16 reserved3, io_map;
};
_Static_assert(sizeof(struct tss) == 104, "a 64-bit TSS is 104 bytes");

struct PACKED table_register {
    u16 limit;
    u64 base;
};

enum { GATE_INTERRUPT = 0x8e, GATE_USER = 0x60, STUB_BYTES = 16, VECTORS = 256 };

extern const u8 rt_trap_stubs[];
extern u8 rt_stack_top[];
void rt_trap(struct rt_frame *f);

static struct gate idt[VECTORS];
static struct tss tss;
static rt_trap_fn *handler[VECTORS], *before_user;
static u64 gdt[8] = {
    [RT_CODE / 8] = 0x00af9b000000ffff,
    [RT_DATA / 8] = 0x00cf93000000ffff,
    [RT_UDATA / 8] = 0x00cff3000000ffff,
    [RT_UCODE / 8] = 0x00affb000000ffff,
};

void rt_trap_dump(const struct rt_frame *f)
{
    rt_printf("vector %lu error %#lx rip %#lx cs %#lx rflags %#lx rsp %#lx cr2 %#lx\n",
              f->vector, f->error, f->rip, f->cs, f->rflags, f->rsp, cr2_read());
    rt_printf("rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx rbp %#lx\n", f->rax,
              f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp);
    rt_printf("r8 %#lx r9 %#lx r10 %#lx r11 %#lx r12 %#lx r13 %#lx r14 %#lx r15 %#lx\n", f->r8,
              f->r9, f->r10, f->r11, f->r12, f->r13, f->r14, f->r15);
}

/* From the stubs, with interrupts off. */
void rt_trap(struct rt_frame *f)
{
    rt_trap_fn *fn = handler[f->vector & (VECTORS - 1)];

    if (fn) {
        fn(f);
        if ((f->cs & 3) && before_user)
            before_user(f);
        return;
    }
    rt_trap_dump(f);
    rt_panic("nobody handles vector %lu", f->vector);
}

void rt_trap_set(u32 vector, rt_trap_fn *fn)
{
    rt_assert(vector < VECTORS);
    handler[vector] = fn;
}

void rt_trap_before_user(rt_trap_fn *fn)
{
    before_user = fn;
}

void rt_trap_allow_user(u32 vector)
{
    rt_assert(vector < VECTORS);
    idt[vector].kind |= GATE_USER;
}

static void set_gate(u32 vector)
{
    u64 at = (u64)rt_trap_stubs + (u64)vector * STUB_BYTES;

    idt[vector] = (struct gate){
        .offset_low = (u16)at,
        .selector = RT_CODE,
        .kind = GATE_INTERRUPT,
        .offset_mid = (u16)(at >> 16),
        .offset_high = (u32)(at >> 32),
    };
}

void rt_trap_load(void)
{
    struct table_register g = {sizeof(gdt) - 1, (u64)gdt}, i = {sizeof(idt) - 1, (u64)idt};

    asm volatile("lgdt %0; lidt %1" : : "m"(g), "m"(i));
    asm volatile("push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
                 :
                 : "i"(RT_CODE)
                 : "rax", "memory");
    asm volatile("mov %0, %%ss; mov %0, %%ds; mov %0, %%es" : : "r"(RT_DATA));
}

void rt_trap_init(void)
{
    u64 base = (u64)&tss;

    for (u32 vector = 0; vector < VECTORS; vector++)
        set_gate(vector);
    gdt[RT_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
                      (base >> 24 & 0xff) << 56;
    gdt[RT_TSS / 8 + 1] = base >> 32;
    tss.rsp[0] = (u64)rt_stack_top;
    tss.io_map = sizeof(tss);
    rt_trap_load();
    asm volatile("ltr %w0" : : "r"(RT_TSS));
}
