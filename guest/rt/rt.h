/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The domain runtime: what an image finds when it starts, and how it waits and ends.
 *
 * One image starts the same way on Osmosis, on Xen and on the bare machine (QEMU -kernel
 * by the PVH note); rt_begin finds out where it is, sets everything up and calls rt_main.
 * The rule of the house: interrupts are off except inside rt_wait and in ring 3, so code
 * above the runtime is never interrupted and needs no locks against its own handlers.
 */
#ifndef GUEST_RT_RT_H
#define GUEST_RT_RT_H

#include "base/types.h"

enum rt_host { RT_NATIVE, RT_XEN, RT_OSMOSIS };

/* Physical memory as the start information describes it (types: XEN_HVM_MEMMAP_TYPE_*). */
struct rt_range {
    u64 base, size;
    u32 type;
};

enum { RT_RANGES = 32 };

struct rt_start {
    enum rt_host host;
    u32 flags; /* SIF_*: SIF_INITDOMAIN for the control domain */
    u32 domid; /* when the hypervisor says it, else 0 */
    const char *cmdline;
    u32 module_count; /* see rt_module */
    u32 range_count;
    struct rt_range range[RT_RANGES];
    u64 ram_bytes;
    u64 rsdp; /* physical; 0: none */
    u64 info; /* physical address of the start information itself */
};

struct rt_module {
    const void *data;
    size_t size;
    const char *cmdline; /* "" when there is none */
};

/* Written by each image. When it returns, the domain powers itself off with `status`
 * (0: well). Called with interrupts off, on a stack of RT_STACK bytes. */
int rt_main(const struct rt_start *start);
#define RT_STACK 32768

/* The same pointer that rt_main was given. */
const struct rt_start *rt_started(void);
static inline enum rt_host rt_host(void)
{
    return rt_started()->host;
}

/* Module n of the start information; false if there is no such module. */
bool rt_module(u32 n, struct rt_module *m);

/* The word after "name=" on the command line, copied; false when it is absent. */
bool rt_option(const char *name, char *value, size_t room);
/* The number after "name=", or `otherwise`; accepts 0x. */
u64 rt_option_number(const char *name, u64 otherwise);

/* Sleeps until an event or interrupt has been handled; returns at once when one already
 * waits. Handlers run inside. Call with interrupts off. */
void rt_wait(void);
/* As rt_wait, but no longer than until `deadline_ns` of rt_now_ns. */
void rt_wait_until(u64 deadline_ns);

/* Says why, with registers when there are any, and ends the domain as crashed. */
NORETURN void rt_panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
#define rt_assert(cond) \
    ((cond) ? (void)0 : rt_panic("%s:%d: not true: %s", __FILE__, __LINE__, #cond))

enum rt_end { RT_POWEROFF, RT_REBOOT, RT_CRASH };
NORETURN void rt_shutdown(enum rt_end how);
/* From now on the domain ends when its toolstack asks it to: inside rt_store_poll, which the
 * main loop has to call. */
void rt_shutdown_heed(void);

/*
 * suspend.c: who calls rt_suspend_heed can be suspended when its toolstack asks for that. Then
 * rt_suspend_asked is true, and the main loop lets go of all grants, ports and watches but the
 * runtime's own, and calls rt_suspend. That returns in another domain, later and perhaps elsewhere
 * (true), or goes on in this one (false).
 */
void rt_suspend_heed(void);
bool rt_suspend_asked(void);
bool rt_suspend(void);
/* Between asked.c and suspend.c: what is heeded, for the toolstack; a suspend that is asked for,
 * false where it is not heeded. */
void rt_shutdown_tell(void);
bool rt_suspend_ask(void);
/* In another domain: its number. */
void rt_begin_again(void);

#endif
