/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables, exceptions, and snippets. In 32-bit kernels the double fault has a task
 * of its own, because its state must be right whatever the stack is; in 64-bit ones it has
 * the first interrupt stack.
 */
#include "base/memory.h"
#include "tests/hyp/suite/suite.h"

extern u8 entries[], kernel_stack_top[], df_stack_top[], user_return_entry[];
void snippet_run(const u8 *code, struct registers *r, u32 user);
void snippet_abort(void) NORETURN;
void exception(struct frame *f);
#ifndef __x86_64__
extern u8 task_df[];
void double_fault(void);
#endif

#define TASK_LIMIT 0x67
enum { GATE_INTERRUPT = 0xe, GATE_TASK = 0x5, RETURN_VECTOR = 0x30 };

static struct {
    u16 low, selector;
    u8 stack, type;
    u16 middle;
#ifdef __x86_64__
    u32 high, zero;
#endif
} idt[256];

#ifdef __x86_64__
struct PACKED tss64 {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, bitmap;
};
static struct tss64 tss_main;
#else
struct tss32 tss_main;
static struct tss32 tss_df;
#endif

bool (*exception_hook)(struct frame *f);
static struct outcome *running;
static const u8 *running_code;

static void set_gate(u32 vector, word at, u32 stack)
{
    idt[vector].low = (u16)at;
    idt[vector].selector = CODE;
    idt[vector].stack = (u8)stack;
    idt[vector].type = 0x80 | GATE_INTERRUPT;
    idt[vector].middle = (u16)(at >> 16);
#ifdef __x86_64__
    idt[vector].high = (u32)(at >> 32);
#endif
}

void set_idt_present(u32 vector, bool present)
{
    idt[vector].type = (u8)((idt[vector].type & 0x7fu) | (present ? 0x80u : 0));
}

void set_idt_dpl(u32 vector, u32 dpl)
{
    idt[vector].type = (u8)((idt[vector].type & 0x9fu) | dpl << 5);
}

void set_idt_task(u32 vector, u16 selector)
{
    idt[vector].selector = selector;
    idt[vector].type = 0x80 | GATE_TASK;
}

void set_descriptor(u16 selector, u32 base, u32 limit, u16 attributes)
{
    gdt[selector / 8] = (limit & 0xffff) | (u64)(base & 0xffffff) << 16 |
                        (u64)(attributes & 0xff) << 40 | (u64)(limit >> 16 & 0xf) << 48 |
                        (u64)(attributes >> 8 & 0xf) << 52 | (u64)(base >> 24) << 56;
}

void traps_init(void)
{
    struct PACKED {
        u16 limit;
        word base;
    } pointer = {sizeof(idt) - 1, (word)idt};

    for (u32 i = 0; i < 256; i++)
        set_gate(i, (word)entries + 16 * i, 0);
    set_gate(RETURN_VECTOR, (word)user_return_entry, 0);
    set_idt_dpl(RETURN_VECTOR, 3);
    set_idt_dpl(BP, 3);
    set_idt_dpl(OF, 3);
    tss_main.bitmap = sizeof(tss_main);
#ifdef __x86_64__
    tss_main.rsp[0] = (word)kernel_stack_top;
    tss_main.ist[0] = (word)df_stack_top;
    set_gate(DF, (word)entries + 16 * DF, 1);
    gdt[TSS / 8 + 1] = (u64)&tss_main >> 32;
#else
    tss_main.esp0 = (word)kernel_stack_top;
    tss_main.ss0 = DATA;
    tss_df = (struct tss32){.cr3 = LEVELS ? read_cr(3) : 0,
                            .eip = (word)task_df,
                            .eflags = 2,
                            .esp = (word)df_stack_top - 16,
                            .cs = CODE,
                            .ss = DATA,
                            .ds = DATA,
                            .es = DATA,
                            .fs = DATA,
                            .gs = DATA,
                            .bitmap = sizeof(tss_df)};
    tss_main.cr3 = tss_df.cr3;
    set_descriptor(TSS_DF, (word)&tss_df, TASK_LIMIT, 0x89);
    set_idt_task(DF, TSS_DF);
#endif
    set_descriptor(TSS, (u32)(word)&tss_main, TASK_LIMIT, 0x89);
    __asm__ volatile("lidt %0\n\tltr %w1" ::"m"(pointer), "r"(TSS));
}

static void record(u32 vector, u32 error, word ip, word flags)
{
    struct outcome *o = running;
    word dr6;

    if (o->count < SEEN_MOST) {
        struct seen *s = &o->seen[o->count++];

        __asm__ volatile("mov %%db6, %0" : "=r"(dr6));
        *s = (struct seen){(u8)vector, (u16)error, (s32)(ip - (word)running_code), (u32)dr6,
                           (u32)flags};
    }
}

#ifndef __x86_64__
/* The interrupted task's state is in its TSS; it goes on where snippets end. */
void double_fault(void)
{
    if (!running) {
        verdict(false, "double fault out of turn", "at %x", tss_main.eip);
        finish();
    }
    record(DF, 0, tss_main.eip, tss_main.eflags);
    tss_main.eip = (word)snippet_abort;
    tss_main.cs = CODE;
    tss_main.ss = tss_main.ds = tss_main.es = DATA;
    tss_main.esp = (word)kernel_stack_top;
    tss_main.eflags = 2;
}
#endif

void exception(struct frame *f)
{
    if (exception_hook && exception_hook(f))
        return;
    if (!running) {
        verdict(false, "exception out of turn", "vector %u, error %x, at %lx", (u32)f->vector,
                (u32)f->error, f->ip);
        finish();
    }
    record((u32)f->vector, (u32)f->error, f->ip, f->flags);
    if (f->vector == DB)
        __asm__ volatile("mov %0, %%db6" ::"r"((word)0xffff0ff0));
    if ((f->vector == DB || f->vector == BP || f->vector == OF) && running->count < SEEN_MOST)
        return;
    snippet_abort();
}

struct outcome try_snippet(const u8 *code, const struct registers *in, u32 how)
{
    struct outcome o = {0};

    if (in)
        o.out = *in;
    running = &o;
    running_code = code;
    snippet_run(code, &o.out, how & RING_3);
    running = NULL;
    return o;
}

u32 first_fault(const struct outcome *o)
{
    return o->count ? FAULT(o->seen[0].vector, o->seen[0].error) : 0;
}

void expect_fault(const char *name, const u8 *code, const struct registers *in, u32 how,
                  u32 fault)
{
    struct outcome o = try_snippet(code, in, how);

    u32 seen = first_fault(&o);

    if (fault & ANY_ERROR)
        seen = (seen & 0xff0000) | ANY_ERROR | (fault & 0xffff);
    verdict(seen == fault, name, "%x at %d, expected %x", seen, o.seen[0].at, fault);
}
