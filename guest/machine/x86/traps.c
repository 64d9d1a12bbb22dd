/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions of ring 3: page faults are served or, like all the others, become the
 * process's exception. One in ring 0 is a bug of ours and ends the node with a dump.
 */
#include "guest/machine/x86/user.h"
#include "guest/machine/x86/x86.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { FAULT_PRESENT = 1, FAULT_WRITE = 2, FAULT_FETCH = 16 };

static const u8 reasons[32] = {
    [0] = EXCEPTION_ARITHMETIC,  [1] = EXCEPTION_BREAKPOINT,  [3] = EXCEPTION_BREAKPOINT,
    [4] = EXCEPTION_ARITHMETIC,  [5] = EXCEPTION_ARITHMETIC,  [6] = EXCEPTION_INSTRUCTION,
    [7] = EXCEPTION_INSTRUCTION, [11] = EXCEPTION_PROTECTION, [12] = EXCEPTION_ADDRESS,
    [13] = EXCEPTION_PROTECTION, [14] = EXCEPTION_ADDRESS,    [16] = EXCEPTION_ARITHMETIC,
    [17] = EXCEPTION_PROTECTION, [19] = EXCEPTION_ARITHMETIC,
};

/* Puts an interrupted thread's registers away. */
void x86_save_frame(const struct rt_frame *f)
{
    struct context *c = x86_current;
    const u64 r[] = {
        f->rax, f->rbx, f->rcx, f->rdx, f->rsi, f->rdi, f->rbp, f->rsp, f->r8,
        f->r9,  f->r10, f->r11, f->r12, f->r13, f->r14, f->r15, f->rip, f->rflags,
    };

    for (u32 i = 0; i < ARRAY_SIZE(r); i++)
        c->r[i] = r[i];
    c->whole = 1;
}

static void must_be_user(const struct rt_frame *f)
{
    if ((f->cs & 3) == 3)
        return;
    rt_trap_dump(f);
    rt_panic("exception %lu in the kernel", f->vector);
}

static NORETURN void raise(const struct rt_frame *f, u32 reason, u64 address)
{
    struct thread *t = x86_current->thread;
    struct exception e = {reason, (u32)f->vector, address, f->rip};

    x86_save_frame(f);
    x86_follow(t, node_exception(x86.node, t, &e), 0);
}

static void on_exception(struct rt_frame *f)
{
    must_be_user(f);
    raise(f, reasons[f->vector % 32], 0);
}

static void on_page_fault(struct rt_frame *f)
{
    u64 address = cr2_read(), *entry;
    u32 access = f->error & FAULT_FETCH   ? REGION_EXECUTE
                 : f->error & FAULT_WRITE ? REGION_WRITE
                                          : REGION_READ;
    enum machine_result r = MACHINE_FAULT;
    const struct task *t;
    u32 reason;

    if ((f->cs & 3) == 0 && address < DEMOS_GLOBAL_END && user_fault(&f->rip))
        return;
    must_be_user(f);
    t = x86_current->thread->task;
    if (address < DEMOS_GLOBAL_END)
        r = space_touch(&x86_task(t)->space, t, address, access, &entry);
    if (r == MACHINE_OK)
        return;
    reason = address < DEMOS_GLOBAL_END && task_region(t, address) ? EXCEPTION_PROTECTION
                                                                   : EXCEPTION_ADDRESS;
    if (r == MACHINE_FAULT)
        raise(f, reason, address);
    x86_save_frame(f);
    x86_follow(x86_current->thread,
               node_fault(x86.node, x86_current->thread, access,
                          &(struct exception){reason, (u32)f->vector, address, f->rip}),
               0);
}

void x86_traps_init(void)
{
    for (u32 vector = 0; vector < ARRAY_SIZE(reasons); vector++)
        if (reasons[vector])
            rt_trap_set(vector, on_exception);
    rt_trap_set(14, on_page_fault);
    rt_trap_allow_user(3);
    rt_trap_allow_user(4);
}
