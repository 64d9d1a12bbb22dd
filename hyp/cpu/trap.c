/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt descriptor table, and what becomes of each vector. Interrupts are taken
 * only where cpu_take_interrupts or cpu_idle opens a window, so the handlers just leave
 * word for the run loop.
 */
#include "hyp/cpu/trap.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/pic.h"
#include "hyp/cpu/x86.h"

struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_middle;
    u32 offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "AMD APM vol. 2, 4.8.4");

struct fixup {
    u64 at, to;
};

extern u8 trap_entries[];
extern const struct fixup fixups[], fixups_end[];
static struct gate idt[256];

bool msr_read_safe(u32 msr, u64 *value)
{
    u32 low = 0, high = 0, ok = 0;

    __asm__ volatile("1: rdmsr\n\t"
                     "mov $1, %2\n"
                     "2:\n\t"
                     ".pushsection .fixups, \"a\"; .quad 1b, 2b; .popsection"
                     : "+a"(low), "=d"(high), "+r"(ok)
                     : "c"(msr));
    *value = (u64)high << 32 | low;
    return ok;
}

bool msr_write_safe(u32 msr, u64 value)
{
    u32 ok = 0;

    __asm__ volatile("1: wrmsr\n\t"
                     "mov $1, %0\n"
                     "2:\n\t"
                     ".pushsection .fixups, \"a\"; .quad 1b, 2b; .popsection"
                     : "+r"(ok)
                     : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
                     : "memory");
    return ok;
}

static bool fix_up(struct trap_frame *f)
{
    for (const struct fixup *x = fixups; (u64)x < (u64)fixups_end; x++) {
        if (x->at == f->rip) {
            f->rip = x->to;
            return true;
        }
    }
    return false;
}

void trap_handle(struct trap_frame *f);

void trap_handle(struct trap_frame *f)
{
    struct cpu *c = this_cpu();

    if (f->vector < 32) {
        if (f->vector == 13 && fix_up(f))
            return;
        panic_trap(f);
    }
    switch (f->vector) {
    case VECTOR_TIMER: c->timer_fired = true; break;
    case VECTOR_KICK: c->kicked = true; break;
    case VECTOR_SPURIOUS: return;
    default:
        if (f->vector >= VECTOR_PIC && f->vector < VECTOR_PIC + 16)
            pic_interrupt((u32)f->vector - VECTOR_PIC);
        return;
    }
    apic_eoi();
}

void trap_init_cpu(void)
{
    struct PACKED {
        u16 limit;
        u64 base;
    } pointer = {sizeof(idt) - 1, (u64)idt};

    __asm__ volatile("lidt %0" ::"m"(pointer));
}

void trap_init(void)
{
    for (u32 i = 0; i < 256; i++) {
        u64 entry = (u64)trap_entries + 16ull * i;

        idt[i] = (struct gate){
            .offset_low = (u16)entry,
            .selector = SELECTOR_CODE64,
            .type = 0x8e, /* present interrupt gate */
            .offset_middle = (u16)(entry >> 16),
            .offset_high = (u32)(entry >> 32),
        };
    }
    trap_init_cpu();
}
