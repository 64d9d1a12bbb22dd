/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MP Specification 1.4, B.4; AMD APM vol. 2, 16.7.
 */
#include "hyp/boot/smp.h"
#include "base/memory.h"
#include "hyp/boot/acpi.h"
#include "hyp/boot/layout.h"
#include "hyp/boot/option.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/trap.h"
#include "hyp/dev/log.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/sched.h"
#include "hyp/main.h"
#include "hyp/mm/frame.h"

enum { ANSWER_MS = 1000, CPUS_USED = SCHED_CPUS };

extern u8 boot_stack[], trampoline[], trampoline_end[];
extern u64 secondary_stack;

_Static_assert((u32)CPUS_USED <= (u32)CPUS_MAX, "per-CPU tables");

u64 secondary_stack; /* of the CPU being started: read by boot/start.S */
static struct cpu *cpus[CPUS_USED];
static u32 count;
static u32 found[CPUS_USED], found_count;
static u32 answered; /* CPUs that have come up */

u32 cpu_count(void)
{
    return count;
}

struct cpu *cpu_of(u32 id)
{
    return cpus[id];
}

u32 cpu_id(void)
{
    return this_cpu()->id;
}

static struct cpu *make(void *stack, u32 apic)
{
    struct cpu *c = stack;

    *c = (struct cpu){.id = count,
                      .apic_id = apic,
                      .timer_stale = true,
                      .deadline_ns = ~0ull,
                      .canary = CPU_CANARY};
    cpus[count++] = c;
    return c;
}

void smp_find(void)
{
    u64 most = boot_size("cpus", CPUS_USED);
    u32 self = apic_id();

    found_count = processors_find(found, (u32)MIN(most ? most : 1, (u64)CPUS_USED));
    make(boot_stack, self);
}

void secondary_main(void);

void secondary_main(void)
{
    trap_init_cpu();
    apic_init_cpu();
    __atomic_add_fetch(&answered, 1, __ATOMIC_SEQ_CST);
    hyp_secondary();
}

static bool start_one(u32 apic)
{
    mfn_t stack = frame_alloc(NULL, 2, FRAME_HYP);
    u32 before = answered;

    _Static_assert(CPU_STACK_SIZE == PAGE_SIZE << 2, "a stack is an aligned block of frames");
    if (!mfn_valid(stack))
        panic("no memory for the stack of a CPU");
    make(frame_map(stack), apic);
    secondary_stack = (u64)frame_map(stack) + CPU_STACK_SIZE;
    apic_start_cpu(apic, TRAMPOLINE >> PAGE_SHIFT);
    for (u32 i = 0; i < ANSWER_MS && __atomic_load_n(&answered, __ATOMIC_SEQ_CST) == before;
         i++)
        clock_delay_us(1000);
    return answered != before;
}

void smp_start(void)
{
    void *code = (void *)(DIRECT_BASE + TRAMPOLINE);

    memcpy(code, trampoline, (u64)trampoline_end - (u64)trampoline);
    for (u32 i = 0; i < found_count; i++) {
        if (found[i] == cpus[0]->apic_id || start_one(found[i]))
            continue;
        log_line("the CPU with APIC id %u does not start: left out", found[i]);
        count--; /* its stack stays: it may yet wake up on it */
    }
    memset(code, 0, PAGE_SIZE);
}
