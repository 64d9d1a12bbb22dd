/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_hand, machine_copy_in and _out of x86: straight through the current address space, which is
 * the caller's in nearly every call. What is out of the ordinary (a page that is not there
 * yet, a shared one, another process) goes through the tables, where it is also found out
 * what was wrong. The processor's answer is the tables' answer, for it reads the same.
 */
#include "guest/machine/x86/user.h"
#include "guest/machine/x86/x86.h"

extern const u8 user_large[], user_large_end[], user_large_failed[];
extern const u8 user_small[], user_small_end[], user_small_failed[];

static bool within(u64 rip, const u8 *begin, const u8 *end)
{
    return rip >= (u64)begin && rip < (u64)end;
}

bool user_fault(u64 *rip)
{
    if (within(*rip, user_large, user_large_end))
        *rip = (u64)user_large_failed;
    else if (within(*rip, user_small, user_small_end))
        *rip = (u64)user_small_failed;
    else
        return false;
    return true;
}

/* The processor would find the process's bytes there, if there are any. */
static inline bool direct(const struct task *t, u64 address, size_t len)
{
    return len <= DEMOS_GLOBAL_END && address <= DEMOS_GLOBAL_END - len &&
           cpu_space_is_current(&x86_task(t)->cpu);
}

enum machine_result machine_copy_in(struct node *n, struct task *t, void *to, u64 from,
                                    size_t len)
{
    if (direct(t, from, len) && user_copy(to, (const void *)from, len))
        return MACHINE_OK;
    return memory_copy_in(n, t, to, from, len);
}

enum machine_result machine_copy_out(struct node *n, struct task *t, u64 to, const void *from,
                                     size_t len)
{
    if (direct(t, to, len) && user_copy((void *)to, from, len))
        return MACHINE_OK;
    return memory_copy_out(n, t, to, from, len);
}

/* Several pages, or such as both may show: nothing of these is written before it is known
 * that they are apart. */
static __attribute__((noinline)) bool
hand_pages(struct task *to, u64 to_address, struct task *from, u64 from_address, size_t len)
{
    struct space *into = &x86_task(to)->space;
    u64 bar = ENTRY_KEPT;

    while (len > 0) {
        size_t part = MIN(len, FRAME_SIZE - to_address % FRAME_SIZE);
        void *at = space_reach(into, to_address, part, bar);

        if (!at && bar &&
            !space_meet(into, to_address, &x86_task(from)->space, from_address, len)) {
            bar = 0;
            continue;
        }
        if (!at || !user_copy(at, (const void *)from_address, part))
            return false;
        to_address += part, from_address += part, len -= part;
    }
    return true;
}

bool machine_hand(struct node *n, struct task *to, u64 to_address, struct task *from,
                  u64 from_address, size_t len)
{
    void *at;

    (void)n;
    if (!direct(from, from_address, len))
        return false;
    at = space_near(&x86_task(to)->space, to_address, len, ENTRY_KEPT);
    return at ? user_copy(at, (const void *)from_address, len)
              : hand_pages(to, to_address, from, from_address, len);
}
