/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the objects of dom/ ask of the machine below them, resolved by the linker: cpu/,
 * mm/ and virt/ in the hypervisor, tests/hyp/world.c in host tests. Frames and guest-
 * physical maps are asked for by mm/frame.h and mm/p2m.h, state of the guest's processor by virt/virt.h.
 */
#ifndef HYP_DOM_PLATFORM_H
#define HYP_DOM_PLATFORM_H

#include "base/types.h"

struct vcpu;
struct domain;

/* How the guest's TSC becomes system time, and one point on that line. In discrete-event
 * time `mul` is 0 and system_ns is all there is. */
struct clock_sample {
    u64 tsc;
    u64 system_ns;
    u32 mul;
    s8 shift;
    bool stable; /* the TSC runs at one rate on all CPUs */
};

u32 cpu_id(void);
u32 cpu_count(void);
/* Makes that CPU leave its guest soon and look at its vCPU's `attention`. */
void cpu_kick(u32 cpu);
/* CPU `cpu` has a deadline (vcpu_deadline in vcpu.h) at `ns` that it may not know of. It knows
 * it before it goes on with its guest; may be called under any lock. */
void cpu_deadline_moved(u32 cpu, u64 ns);

u64 clock_now_ns(void); /* system time */
void clock_sample(struct clock_sample *s);
/* System time now, and what guests' TSCs show at that instant. */
u64 clock_instant(u64 *tsc);
void clock_wall(u64 *seconds, u32 *nanoseconds); /* of system time 0, since 1970 */
u32 clock_tsc_khz(void);
u32 clock_mode(void); /* enum osm_clock */

/* The hypervisor's own log, and a guest's emergency console (console_io, port 0xE9). */
void log_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
void console_write(struct domain *d, const char *text, size_t len);
/* Input of the emergency console: bytes copied, 0 when there are none. */
size_t console_read(char *text, size_t room);
/* Copies from the log's ring from position *at on, and moves it: bytes copied. */
size_t console_ring_read(char *text, size_t room, u32 *at, bool clear);
void debug_key(char key);
/* What the boot loader gave the hypervisor. */
const char *platform_command_line(void);

struct osm_module;
/* OSM_OP_module: fills in what boot module i->index is, mapped read-only into d; -ENOENT
 * above the last (i->count says how many there are). */
int module_map(struct domain *d, struct osm_module *i);

/* A physical interrupt line leads to d (evtchn_pirq), masked until its end is said by
 * irq_end; NULL: to nobody. */
void irq_route(u32 irq, struct domain *d);
void irq_end(u32 irq);

#endif
