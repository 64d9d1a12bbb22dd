/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Double faults, and in 32-bit kernels tasks: entered by gates, left by IRET, from ring 0 and
 * from ring 3. AMD APM vol. 2, 8.2.9, 12.4.
 */
#include "tests/hyp/suite/suite.h"

SNIPPET(general_fault, "int $0x50");
SNIPPET(int_80, "int $0x51; int $0x51");
SNIPPET(undefined_, "ud2");

static void check_double_fault(void)
{
    struct outcome o;

    set_idt_present(0x50, false);
    o = try_snippet(general_fault, NULL, 0);
    CHECK_EQ("gate that is not there", first_fault(&o) >> 16, NP);
    set_idt_present(NP, false);
    o = try_snippet(general_fault, NULL, 0);
    CHECK_EQ("and no gate for that: a double fault", first_fault(&o), DF << 16);
    set_idt_present(NP, true);
    set_idt_present(UD, false);
    o = try_snippet(undefined_, NULL, 0);
    CHECK("no gate for ud2", first_fault(&o) >> 16 == NP);
    set_idt_present(UD, true);
    o = try_snippet(undefined_, NULL, 0);
    CHECK_EQ("and back", first_fault(&o), UD << 16);
}

SNIPPET(load_task, "ltr %ax");
SNIPPET(load_task_at, "ltr (" R(di) ")");
SNIPPET(load_task_beyond, "ltr 6(" R(di) ", " R(cx) ", 2)");

static void free_task(u16 selector, u16 like)
{
    gdt[selector / 8] = gdt[like / 8] & ~(2ull << 40);
#ifdef __x86_64__
    gdt[selector / 8 + 1] = gdt[like / 8 + 1];
#endif
}

static void expect_task(const char *name, const u8 *code, word ax, u32 fault)
{
    static u16 memory[8];

    memory[0] = memory[7] = (u16)ax;
    expect_fault(name, code, &(struct registers){.ax = ax, .di = (word)memory, .cx = 4}, 0,
                 fault);
}

static u16 task_register_now(void)
{
    u16 tr;

    __asm__ volatile("str %0" : "=r"(tr));
    return tr;
}

/* What may be loaded into it, from a register and from memory; and it is marked as busy. */
static void check_task_register(void)
{
    if (!careful) {
        expect_task("tr: nothing", load_task, 0, FAULT(GP, 0));
        expect_task("tr: nothing, of ring 3", load_task, 3, FAULT(GP, 0));
        expect_task("tr: nothing, from memory", load_task_at, 0, FAULT(GP, 0));
    }
    free_task(SPARE, TSS);
    expect_task("tr: of a local table", load_task, SPARE | 4, FAULT(GP, SPARE | 4));
    expect_task("tr: behind the table", load_task, 0xfff8, FAULT(GP, 0xfff8));
    expect_task("tr: busy", load_task, TSS, FAULT(GP, TSS));
    expect_task("tr: data", load_task_at, DATA, FAULT(GP, DATA));
    gdt[SPARE / 8] &= ~(1ull << 47);
    expect_task("tr: not there", load_task, SPARE, FAULT(NP, SPARE));
    free_task(SPARE, TSS);
    expect_task("tr: another", load_task, SPARE, 0);
    CHECK_EQ("tr: which it is", task_register_now(), SPARE);
    CHECK_EQ("tr: which is busy", gdt[SPARE / 8] >> 40 & 15, 11);
    free_task(TSS, TSS);
    expect_task("tr: the first, from memory", load_task_at, TSS, 0);
    CHECK_EQ("tr: and back", task_register_now(), TSS);
    free_task(SPARE, TSS);
    expect_task("tr: by an index", load_task_beyond, SPARE, 0);
    CHECK_EQ("tr: there", task_register_now(), SPARE);
    free_task(TSS, TSS);
    expect_task("tr: the first again", load_task, TSS, 0);
}

#ifndef __x86_64__
SNIPPET(send_nmi, "mov %eax, 0xfee00300");

extern u8 task_counter[], task_stack_top[];
extern volatile u32 task_entered;
__asm__(".text\n.globl task_counter\n"
        "1: iret\n" /* goes on behind, the next time */
        "task_counter: incl task_entered\n str task_register\n jmp 1b\n"
        ".bss\n.balign 16\n.skip 1024\n.globl task_stack_top\ntask_stack_top:\n.skip 64\n"
        ".globl task_entered\ntask_entered: .skip 4\n"
        ".globl task_register\ntask_register: .skip 4\n.text\n");
extern volatile u32 task_register;

static struct tss32 tss_counter;

static u16 own_task(void)
{
    u16 tr;

    __asm__ volatile("str %0" : "=r"(tr));
    return tr;
}

static void check_gate(const char *name, u32 ring)
{
    u32 before = task_entered;
    struct outcome o = try_snippet(int_80, NULL, ring);

    verdict(!o.count && task_entered == before + 2 && own_task() == TSS, name,
            "%u entries, task %x, fault %x", task_entered - before, own_task(),
            first_fault(&o));
}

static void check_task_gates(void)
{
    tss_counter = (struct tss32){.cr3 = tss_main.cr3,
                                 .eip = (word)task_counter,
                                 .eflags = 2,
                                 .esp = (word)task_stack_top,
                                 .cs = CODE,
                                 .ss = DATA,
                                 .ds = DATA,
                                 .es = DATA,
                                 .fs = DATA,
                                 .gs = DATA,
                                 .bitmap = sizeof(tss_counter)};
    set_descriptor(SPARE, (word)&tss_counter, 0x67, 0x89);
    set_idt_task(0x51, SPARE);
    check_gate("task: by a gate, from ring 0", 0);
    CHECK_EQ("task: its register there", task_register & 0xffff, SPARE);
    set_idt_dpl(0x51, 3);
    check_gate("task: by a gate, from ring 3", RING_3);
    CHECK_EQ("task: where it came from", tss_counter.link, TSS);
}

/* An NMI by a task gate, as some systems have it: sent to oneself through the APIC's page. */
static void check_nmi_task(void)
{
    volatile u32 *command = (volatile u32 *)0xfee00300;
    u32 before = task_entered;
    struct outcome o;

    set_idt_task(NMI, SPARE);
    command[4] = 0;
    *command = 1 << 18 | 4 << 8;
    CHECK_EQ("task: by NMI", task_entered, before + 1);
    *command = 1 << 18 | 4 << 8;
    CHECK_EQ("task: by the next NMI", task_entered, before + 2);
    o = try_snippet(send_nmi, &(struct registers){.ax = 1 << 18 | 4 << 8}, RING_3);
    CHECK_EQ("task: by an NMI that ring 3 sent", task_entered, before + 3);
    CHECK_EQ("task: which goes on in ring 3", o.count, 0);
    CHECK_EQ("task: and back", own_task(), TSS);
}
#endif

void check_tasks(void)
{
    check_double_fault();
    check_task_register();
#ifndef __x86_64__
    check_task_gates();
    check_nmi_task();
#endif
}
