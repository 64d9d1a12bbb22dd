/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into ring 3 by a frame as a trap leaves it, out again by a breakpoint, whose handler turns
 * its own frame into the way back to where we left from. Each vCPU has a task state segment,
 * a frame and a stack of its own; which one's the handler sees by where its frame lies.
 */
#include "tests/rt/guests/ring3.h"
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { BREAKPOINT = 3, TABLES = 3, LEVELS_PER_ROOT = 39, USER = 7, VMCALL = 3, INT3 = 0xcc };
enum { TSS_LIMIT = 103, TSS_AVAILABLE = 0x89, GDT_ENTRIES = 8 };
#define USER_PAGE (1ull << LEVELS_PER_ROOT) /* by the second entry of the root */

extern const u8 rt_vmcall[];

struct PACKED table_register {
    u16 limit;
    u64 base;
};

/* AMD APM volume 2, 12.2.5. */
struct PACKED task_state {
    u32 zero;
    u64 rsp[3];
    u8 rest[TSS_LIMIT + 1 - 28];
};

/* Traps from ring 3 arrive on `stack`; what strikes while `frame` is popped needs the room. */
static struct side {
    u8 stack[4096], room[2048];
    struct rt_frame frame;
    u64 back_rsp, back_rip, result;
    u64 gdt[GDT_ENTRIES];
    _Alignas(16) struct task_state tss;
} side[RING3_VCPUS] __attribute__((aligned(16)));
_Static_assert(offsetof(struct side, frame) % 16 == 0, "frames lie as traps align them");

/* Out of ring 3: to where ring3_call left from. */
static void on_breakpoint(struct rt_frame *f)
{
    struct side *s = &side[((u64)f - (u64)side) / sizeof(side[0])];

    s->result = f->rax;
    f->cs = RT_CODE;
    f->ss = RT_DATA;
    f->rflags = 2;
    f->rip = s->back_rip;
    f->rsp = s->back_rsp;
}

bool ring3_init(void)
{
    u64 *root = rt_map_root();
    u8 *page = rt_frames(1);
    u64 next = 0;

    if (!page)
        return false;
    memcpy(page, rt_vmcall, VMCALL);
    page[VMCALL] = INT3;
    next = rt_physical(page);
    for (u32 i = 0; i < TABLES; i++) {
        u64 *table = rt_frames(1);

        if (!table)
            return false;
        table[0] = next | USER;
        next = rt_physical(table);
    }
    root[1] = next | USER;
    rt_trap_set(BREAKPOINT, on_breakpoint);
    rt_trap_allow_user(BREAKPOINT);
    return true;
}

void ring3_load(u32 vcpu)
{
    struct side *s = &side[vcpu];
    u64 base = (u64)&s->tss;
    struct table_register g;

    rt_assert(vcpu < RING3_VCPUS);
    asm volatile("sgdt %0" : "=m"(g));
    rt_assert(g.limit < sizeof(s->gdt));
    memcpy(s->gdt, (const void *)g.base, g.limit + 1u);
    s->gdt[RT_TSS / 8] = TSS_LIMIT | (base & 0xffffff) << 16 | (u64)TSS_AVAILABLE << 40 |
                         (base >> 24 & 0xff) << 56;
    s->gdt[RT_TSS / 8 + 1] = base >> 32;
    s->tss.rsp[0] = (u64)(s->stack + sizeof(s->stack));
    g = (struct table_register){sizeof(s->gdt) - 1, (u64)s->gdt};
    asm volatile("lgdt %0; ltr %w1" : : "m"(g), "r"(RT_TSS));
}

long ring3_call(u32 vcpu, u32 nr, const u64 arg[5])
{
    struct side *s = &side[vcpu];

    s->frame = (struct rt_frame){.rax = nr,
                                 .rdi = arg[0],
                                 .rsi = arg[1],
                                 .rdx = arg[2],
                                 .r10 = arg[3],
                                 .r8 = arg[4],
                                 .rip = USER_PAGE,
                                 .cs = RT_UCODE | 3,
                                 .ss = RT_UDATA | 3,
                                 .rflags = 2};
    asm volatile("push %%rbx; push %%rbp\n\t"
                 "mov %%rsp, %c1(%0)\n\t"
                 "lea 1f(%%rip), %%rax\n\t"
                 "mov %%rax, %c2(%0)\n\t"
                 "lea %c3(%0), %%rsp\n\t"
                 "jmp rt_trap_return\n"
                 "1: pop %%rbp; pop %%rbx"
                 :
                 : "b"(s), "i"(offsetof(struct side, back_rsp)),
                   "i"(offsetof(struct side, back_rip)), "i"(offsetof(struct side, frame))
                 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                   "r14", "r15", "memory", "cc");
    return (long)s->result;
}
