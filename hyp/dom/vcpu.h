/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs as the run loop sees them. The loop of each CPU is
 *
 *     for (;;) {
 *         struct vcpu *v = vcpu_schedule(now);   NULL: idle until an interrupt
 *         while (!(v->attention & VCPU_ATTN_LEAVE)) { enter the guest, handle the exit }
 *     }
 *
 * and before each wait or entry the hardware timer stands at vcpu_deadline(); when it has
 * passed, vcpu_tick() does what is due. When vcpu_schedule is called, all of the vCPU's state
 * must be in memory: another CPU may run it before the call returns.
 */
#ifndef HYP_DOM_VCPU_H
#define HYP_DOM_VCPU_H

#include "hyp/dom/domain.h"

enum { VCPU_STARTUP_WAIT = 0x200, VCPU_STARTUP_REAL = 0x100 }; /* the latter | vector */

/* Gives this CPU's vCPU back (if it had one) and takes the next, which current() must
 * return from then on: vcpu_set_current is the machine's. */
struct vcpu *vcpu_schedule(u64 now_ns);
void vcpu_set_current(struct vcpu *v);
/* The next instant at which CPU `cpu` must call vcpu_tick, or TIMER_NEVER. */
u64 vcpu_deadline(u32 cpu);
void vcpu_tick(u32 cpu, u64 now_ns);
/* From now on (or no longer) this CPU acts for the machine, not for the vCPU on it, which then
 * counts as the waker of nobody. */
void vcpu_for_nobody(bool yes);
/* A CPU joins the scheduler, from itself. slice_ns 0 in discrete-event time. */
void vcpu_cpu_online(u32 cpu);
void vcpu_scheduler_init(u64 slice_ns);

/* Hold and release: see enum sched_hold. */
void vcpu_hold(struct vcpu *v, u32 why);
void vcpu_release(struct vcpu *v, u32 why);
/* Blocks the current vCPU unless an interrupt is already deliverable. */
void vcpu_block(struct vcpu *v);
/* Its parts, for SCHEDOP_poll: hold, look at the condition, then leave or undo. */
void vcpu_hold_blocked(struct vcpu *v);
void vcpu_unhold_blocked(struct vcpu *v);
bool vcpu_should_wake(struct vcpu *v);
void vcpu_leave(struct vcpu *v);
/* SCHEDOP_poll by the current vCPU: blocks until one of the ports is pending or it is
 * `timeout_ns` (0: never). -EINVAL: there is no such port. */
s64 vcpu_poll(struct vcpu *v, const evtchn_port_t *port, u32 count, u64 timeout_ns);
/* The current vCPU executed HLT: blocks, or with interrupts off goes down, and the last one
 * down powers the domain off. The instruction has been skipped. */
void vcpu_hlt(struct vcpu *v, bool interrupts_enabled);
void vcpu_attend(struct vcpu *v, u32 why); /* sets attention bits and wakes or kicks */
/* Something for v arrived: it runs if it was blocked, and leaves its guest if it was there. */
void vcpu_wake(struct vcpu *v);
/* The run loop saw VCPU_ATTN_RESET. */
void vcpu_apply_reset(struct vcpu *v);
void vcpu_set_affinity(struct vcpu *v, u64 cpus);
/* The clock has begun anew: so do these two. */
void vcpu_time_restarts(void);
u64 vcpu_ran_ns(const struct vcpu *v);
u64 vcpu_idle_ns(u32 cpu);
/* The current vCPU may be waiting, in a loop with PAUSE, for one that waits for this CPU. */
bool vcpu_may_spin(const struct vcpu *v);
/* The current vCPU gives way (PAUSE exits, SCHEDOP_yield). */
void vcpu_yield(struct vcpu *v);
/* v gives way if it is on a CPU: whether it was. */
bool vcpu_preempt(struct vcpu *v);
/* Registers and state of a vCPU at its start. PVH: 32-bit flat, paging off. */
struct vcpu_hvm_context;
int vcpu_set_context(struct vcpu *v, const struct vcpu_hvm_context *c);
/* Gives back what virt/ has of it. */
void vcpu_destroy(struct vcpu *v);
/* Its registered vcpu_info is let go. */
void vcpu_forget_info(struct vcpu *v);
/* Takes a vCPU up or down; down of the last one powers the domain off. */
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);

/* Runstate and time areas of the guest, refreshed by the run loop's side: at each schedule
 * and, in discrete-event time, before each entry. */
void vcpu_update_time(struct vcpu *v);
void vcpu_runstate(struct vcpu *v, u8 state, u64 now_ns);
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out, u64 now_ns);
/* Writes the guest's runstate area, if it registered one. v is current. */
void vcpu_write_runstate(struct vcpu *v);
/* The wall clock in shared_info. */
void domain_update_wall(struct domain *d);
/* The guest's structures are those of 32-bit code, or of 64-bit code: what a vCPU runs when it
 * takes a hypercall page or says how events reach it, as on Xen. */
void domain_set_width(struct domain *d, bool compat);

#endif
