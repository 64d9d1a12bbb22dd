/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into ring 3 by a frame as a trap leaves it, out again by a breakpoint, whose handler turns
 * its own frame into the way back to where we left from.
 */
#include "tests/rt/guests/ring3.h"
#include "base/memory.h"
#include "guest/rt/frame.h"
#include "guest/rt/map.h"
#include "guest/rt/rt.h"
#include "guest/rt/trap.h"
#include "guest/rt/x86.h"

enum { BREAKPOINT = 3, TABLES = 3, LEVELS_PER_ROOT = 39, USER = 7, VMCALL = 3, INT3 = 0xcc };
#define USER_PAGE (1ull << LEVELS_PER_ROOT) /* by the second entry of the root */

extern const u8 rt_vmcall[];

/* A frame to go down by, with room below it for what strikes while it is popped. */
_Alignas(16) static struct {
    u8 room[2048];
    struct rt_frame frame;
} down;
_Alignas(16) static u8 stack[4096]; /* on which traps from ring 3 arrive */
static u64 back_rsp, back_rip, result;

/* Out of ring 3: to where ring3_call left from. */
static void on_breakpoint(struct rt_frame *f)
{
    result = f->rax;
    f->cs = RT_CODE;
    f->ss = RT_DATA;
    f->rflags = 2;
    f->rip = back_rip;
    f->rsp = back_rsp;
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
    rt_trap_stack((u64)(stack + sizeof(stack)));
    rt_trap_set(BREAKPOINT, on_breakpoint);
    rt_trap_allow_user(BREAKPOINT);
    return true;
}

long ring3_call(u32 nr, const u64 arg[5])
{
    down.frame = (struct rt_frame){.rax = nr,
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
                 "mov %%rsp, %0\n\t"
                 "lea 1f(%%rip), %%rax\n\t"
                 "mov %%rax, %1\n\t"
                 "lea %2, %%rsp\n\t"
                 "jmp rt_trap_return\n"
                 "1: pop %%rbp; pop %%rbx"
                 : "=m"(back_rsp), "=m"(back_rip)
                 : "m"(down.frame)
                 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
                   "r14", "r15", "memory", "cc");
    return (long)result;
}
