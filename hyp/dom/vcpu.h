/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs as the run loop sees them. The loop of each CPU is
 *
 *     for (;;) {
 *         struct vcpu *v = vcpu_schedule();      NULL: idle until an interrupt
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

/* Gives this CPU's vCPU back (if it had one) and takes the next, which current() must
 * return from then on: vcpu_set_current is the machine's. */
struct vcpu *vcpu_schedule(void);
void vcpu_set_current(struct vcpu *v);
/* The next instant at which CPU `cpu` must call vcpu_tick, or TIMER_NEVER. */
u64 vcpu_deadline(u32 cpu);
void vcpu_tick(u32 cpu, u64 now_ns);
/* A CPU joins the scheduler, from itself. slice_ns 0 in discrete-event time. */
void vcpu_cpu_online(u32 cpu);
void vcpu_scheduler_init(u64 slice_ns);

/* Hold and release: see enum sched_hold. */
void vcpu_hold(struct vcpu *v, u32 why);
void vcpu_release(struct vcpu *v, u32 why);
/* Blocks the current vCPU unless an interrupt is already deliverable. */
void vcpu_block(struct vcpu *v);
/* The current vCPU executed HLT: blocks, or with interrupts off goes down, and the last one
 * down powers the domain off. The instruction has been skipped. */
void vcpu_hlt(struct vcpu *v, bool interrupts_enabled);
void vcpu_attend(struct vcpu *v, u32 why); /* sets attention bits and kicks */
/* The current vCPU gives way (PAUSE exits, SCHEDOP_yield). */
void vcpu_yield(struct vcpu *v);
/* Registers and state of a vCPU at its start. PVH: 32-bit flat, paging off. */
struct vcpu_hvm_context;
int vcpu_set_context(struct vcpu *v, const struct vcpu_hvm_context *c);
/* Takes a vCPU up or down; down of the last one powers the domain off. */
void vcpu_up(struct vcpu *v);
void vcpu_down(struct vcpu *v);

/* Runstate and time areas of the guest, refreshed by the run loop's side: at each schedule
 * and, in discrete-event time, before each entry. */
void vcpu_update_time(struct vcpu *v);
void vcpu_runstate(struct vcpu *v, u8 state, u64 now_ns);
void vcpu_get_runstate(struct vcpu *v, struct vcpu_runstate_info *out, u64 now_ns);
/* The wall clock in shared_info. */
void domain_update_wall(struct domain *d);

#endif
