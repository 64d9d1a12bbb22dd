/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain's hypercalls for other domains (domctl.h, memory.h), by name. Results
 * are 0 or a negative Xen errno.
 */
#ifndef GUEST_CONTROL_CTL_H
#define GUEST_CONTROL_CTL_H

#include "guest/control/layout.h"
#include "guest/rt/hypercall.h"

/* The hypervisor's debug keys, whose answers are on the machine's log. */
long ctl_keys(const char *keys);
long ctl_create(u32 vcpus, u64 memory, u16 *domid);
/* Destroys it, however long that takes. */
long ctl_destroy(u16 domid);
long ctl_pause(u16 domid);
long ctl_unpause(u16 domid);
/* One that has suspended itself goes on where it is, and hears so (xen/sched.h). */
long ctl_resume(u16 domid);
/* Until one that was paused is off its CPU, wherever that is. */
void ctl_wait_off(u16 domid);
long ctl_info(u16 domid, xen_domctl_getdomaininfo_t *info);
/* Room for `pages` frames, promised where the layout says. */
long ctl_memory(u16 domid, const struct layout *l, bool on_demand);
/* The first vCPU, as PVH starts: 32-bit, flat, paging off, EBX = info. */
long ctl_first_vcpu(u16 domid, u32 entry, u32 info);
/* Weight and cap (0: leave, 0xffff: leave), then the CPUs (0: all) of every vCPU. */
long ctl_schedule(u16 domid, u32 vcpus, u32 weight, u32 cap, u64 cpus);
/* A frame of the domain at our frame `here`, instead of what was there; and away again. */
long ctl_map(u16 domid, u64 there, u64 here);
void ctl_unmap(u64 here);
/* `pages` frames of the domain from `there` on, seen here in a row: their first number, 0: they cannot be. */
u64 ctl_map_run(u16 domid, u64 there, u32 pages);
void ctl_unmap_run(u64 here, u32 pages);
/* Shows the domain our module's pages from `here` on, until it writes them. */
long ctl_share(u16 domid, u64 there, u64 here, u64 pages);
/* The domain's unbound port whose other end will be ours. */
long ctl_port(u16 domid, u32 *port);
/* Where `count` of the domain's pages lie in the machine. */
long ctl_frames(u16 domid, u64 gfn, u32 count, u64 *to);
/* The machine's ports, pages of registers and interrupt lines, given to a domain: pages at
 * the numbers they have in the machine. */
long ctl_give_ports(u16 domid, u32 first, u32 count);
long ctl_give_registers(u16 domid, u64 first, u64 pages);
long ctl_give_irq(u16 domid, u32 irq);
/* Frames of the machine: free, total. */
long ctl_machine(u64 *free, u64 *total);

#endif
