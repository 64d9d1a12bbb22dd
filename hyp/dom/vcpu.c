/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs: how they get onto CPUs and off again, their timers' ends, and the time that the
 * guest reads. The scheduling decision itself is sched.c's.
 */
#include "base/memory.h"
#include "hyp/dev/lapic.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/access.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/timers.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/virt.h"

static struct sched scheduler;

static struct vcpu *on(u32 cpu)
{
    struct sched_entity *e = scheduler.cpu[cpu].running;

    return e ? container_of(e, struct vcpu, sched) : NULL;
}

void vcpu_scheduler_init(u64 slice_ns)
{
    sched_init(&scheduler, slice_ns);
}

void vcpu_cpu_online(u32 cpu)
{
    sched_cpu_online(&scheduler, cpu, clock_now_ns());
}

int vcpu_create(struct domain *d, u32 id)
{
    struct vcpu *v;
    int error;

    if (id >= d->vcpu_max || d->vcpu[id])
        return -XEN_EINVAL;
    v = domain_alloc(d, sizeof(*v));
    if (!v)
        return -XEN_ENOMEM;
    v->domain = d;
    v->id = id;
    v->info_frame = MFN_NONE;
    v->info = id < XEN_LEGACY_MAX_VCPUS ? &d->shared->vcpu_info[id] : NULL;
    v->lapic = domain_alloc(d, sizeof(*v->lapic));
    v->access = access_cache_create(d);
    if (!v->lapic || !v->access)
        return -XEN_ENOMEM;
    lapic_init(v->lapic, 2 * id, id == 0);
    sched_entity_init(&v->sched, &d->sched, id % cpu_count());
    v->sched.hold |= d->pause_count || d->state != DOMAIN_LIVE ? SCHED_HOLD_PAUSED : 0;
    v->runstate = RUNSTATE_offline;
    v->runstate_since = clock_now_ns();
    vcpu_init_timers(v);
    error = virt_vcpu_create(v);
    if (error)
        return error;
    d->vcpu[id] = v;
    __atomic_store_n(&d->vcpu_count, id + 1, __ATOMIC_RELEASE);
    return 0;
}

void vcpu_destroy(struct vcpu *v)
{
    virt_vcpu_destroy(v);
}

void vcpu_forget_info(struct vcpu *v)
{
    v->info = NULL;
    if (mfn_valid(v->info_frame))
        frame_put(v->info_frame);
    v->info_frame = MFN_NONE;
}

/* --- on and off the CPU -------------------------------------------------------------- */

void sched_poke(u32 cpu, struct sched_entity *running)
{
    if (running)
        __atomic_or_fetch(&container_of(running, struct vcpu, sched)->attention,
                          VCPU_ATTN_LEAVE, __ATOMIC_SEQ_CST);
    if (cpu != cpu_id())
        cpu_kick(cpu);
}

void sched_deadline_moved(u32 cpu, u64 deadline_ns)
{
    cpu_deadline_moved(cpu, deadline_ns);
}

static u8 runstate_of(u32 hold)
{
    if (!hold)
        return RUNSTATE_runnable;
    return hold & (SCHED_HOLD_DOWN | SCHED_HOLD_PAUSED) ? RUNSTATE_offline : RUNSTATE_blocked;
}

struct vcpu *vcpu_schedule(u64 now_ns)
{
    u32 cpu = cpu_id();
    struct vcpu *before = on(cpu), *next;
    struct sched_entity *chosen;

    if (before)
        vcpu_runstate(before, runstate_of(before->sched.hold), now_ns);
    vcpu_set_current(NULL); /* from here on another CPU may run it, or end it */
    chosen = sched_pick(&scheduler, cpu, now_ns);
    next = chosen ? container_of(chosen, struct vcpu, sched) : NULL;
    vcpu_set_current(next);
    if (!next)
        return NULL;
    __atomic_and_fetch(&next->attention, ~(u32)VCPU_ATTN_LEAVE, __ATOMIC_SEQ_CST);
    /* A poke between the choice and the line above must not be lost. */
    if (__atomic_load_n(&scheduler.cpu[cpu].look_again, __ATOMIC_SEQ_CST) ||
        __atomic_load_n(&next->sched.hold, __ATOMIC_SEQ_CST))
        __atomic_or_fetch(&next->attention, VCPU_ATTN_LEAVE, __ATOMIC_SEQ_CST);
    next->cpu = cpu;
    vcpu_runstate(next, RUNSTATE_running, now_ns);
    if (next != before)
        trace(OSM_T_run, next->domain->id, next->id, cpu, 0);
    return next;
}

u64 vcpu_deadline(u32 cpu)
{
    u64 timers = timer_next(cpu), slice = sched_deadline(&scheduler, cpu);

    return MIN(timers, slice);
}

void vcpu_for_nobody(bool yes)
{
    scheduler.cpu[cpu_id()].for_nobody = yes;
}

void vcpu_tick(u32 cpu, u64 now_ns)
{
    struct vcpu *v;

    vcpu_for_nobody(true);
    timer_run(cpu, now_ns);
    vcpu_for_nobody(false);
    v = on(cpu);
    if (sched_expired(&scheduler, cpu, now_ns) && v)
        __atomic_or_fetch(&v->attention, VCPU_ATTN_LEAVE, __ATOMIC_SEQ_CST);
}

void vcpu_hold(struct vcpu *v, u32 why)
{
    sched_hold(&scheduler, &v->sched, why);
}

static void release_for(struct vcpu *v, u32 why, u32 waker)
{
    trace(OSM_T_wake, v->domain->id, v->id, why, 0);
    sched_release(&scheduler, &v->sched, why, waker, clock_now_ns());
}

void vcpu_release(struct vcpu *v, u32 why)
{
    release_for(v, why, SCHED_NO_WAKER);
}

/* What this CPU does is done for the vCPU on it, but not when a timer or an interrupt strikes. */
static u32 waker(u32 cpu)
{
    return on(cpu) && !scheduler.cpu[cpu].for_nobody ? cpu : SCHED_NO_WAKER;
}

void vcpu_wake(struct vcpu *v)
{
    u32 cpu = cpu_id();

    /* Whatever woke it, it polls no more. */
    if (v->polling && __atomic_exchange_n(&v->polling, false, __ATOMIC_SEQ_CST))
        __atomic_sub_fetch(&v->domain->polling, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->sched.hold, __ATOMIC_SEQ_CST) & SCHED_HOLD_BLOCKED)
        release_for(v, SCHED_HOLD_BLOCKED, waker(cpu));
    else if (!sched_is_off(&v->sched) && sched_cpu_of(&v->sched) != cpu)
        cpu_kick(sched_cpu_of(&v->sched));
}

void vcpu_hold_blocked(struct vcpu *v)
{
    __atomic_or_fetch(&v->sched.hold, SCHED_HOLD_BLOCKED, __ATOMIC_SEQ_CST);
}

void vcpu_unhold_blocked(struct vcpu *v)
{
    __atomic_and_fetch(&v->sched.hold, ~(u32)SCHED_HOLD_BLOCKED, __ATOMIC_SEQ_CST);
}

bool vcpu_should_wake(struct vcpu *v)
{
    return interrupt_wakes(v);
}

void vcpu_leave(struct vcpu *v)
{
    __atomic_or_fetch(&v->attention, VCPU_ATTN_LEAVE, __ATOMIC_SEQ_CST);
}

void vcpu_block(struct vcpu *v)
{
    trace(OSM_T_block, v->domain->id, v->id, 0, 0);
    vcpu_hold_blocked(v);
    if (interrupt_wakes(v))
        vcpu_unhold_blocked(v);
    else
        vcpu_leave(v);
}

void vcpu_hlt(struct vcpu *v, bool interrupts_enabled)
{
    if (interrupts_enabled)
        vcpu_block(v);
    else
        vcpu_down(v);
}

bool vcpu_may_spin(const struct vcpu *v)
{
    return v->domain->vcpu_count > 1 && sched_is_crowded(&scheduler, v->cpu);
}

void vcpu_yield(struct vcpu *v)
{
    trace(OSM_T_yield, v->domain->id, v->id, 0, 0);
    sched_give_way(&scheduler, cpu_id(), clock_now_ns());
}

bool vcpu_preempt(struct vcpu *v)
{
    if (sched_is_off(&v->sched))
        return false;
    trace(OSM_T_yield, v->domain->id, v->id, 0, 0);
    sched_give_way(&scheduler, sched_cpu_of(&v->sched), clock_now_ns());
    return true;
}

void vcpu_attend(struct vcpu *v, u32 why)
{
    __atomic_or_fetch(&v->attention, why, __ATOMIC_SEQ_CST);
    vcpu_wake(v);
}

void vcpu_set_affinity(struct vcpu *v, u64 cpus)
{
    sched_set_affinity(&scheduler, &v->sched, cpus, clock_now_ns());
}

/* Only the control domain is there, which asks for it. */
void vcpu_time_restarts(void)
{
    const struct domain *d = current()->domain;
    u64 now = clock_now_ns();

    sched_restart(&scheduler, now);
    for (u32 i = 0; i < d->vcpu_count; i++) {
        d->vcpu[i]->runstate_since = now;
        memset(d->vcpu[i]->runstate_time, 0, sizeof(d->vcpu[i]->runstate_time));
    }
}

u64 vcpu_ran_ns(const struct vcpu *v)
{
    return sched_ran(&v->sched, clock_now_ns());
}

u64 vcpu_idle_ns(u32 cpu)
{
    const struct sched_cpu *c = &scheduler.cpu[cpu];
    u64 now = clock_now_ns();

    return c->idle_ns + (scheduler.idle & 1ull << cpu ? now - c->idle_since_ns : 0);
}

/* --- up and down ---------------------------------------------------------------------- */

void vcpu_up(struct vcpu *v)
{
    u32 hold = __atomic_load_n(&v->sched.hold, __ATOMIC_SEQ_CST);

    v->initialised = true;
    if (!(hold & SCHED_HOLD_DOWN))
        return;
    __atomic_add_fetch(&v->domain->online, 1, __ATOMIC_SEQ_CST);
    vcpu_update_time(v);
    vcpu_release(v, SCHED_HOLD_DOWN | SCHED_HOLD_BLOCKED);
}

void vcpu_down(struct vcpu *v)
{
    u32 before = __atomic_fetch_or(&v->sched.hold, SCHED_HOLD_DOWN, __ATOMIC_SEQ_CST);

    if (before & SCHED_HOLD_DOWN)
        return;
    vcpu_hold(v, SCHED_HOLD_DOWN);
    if (!__atomic_sub_fetch(&v->domain->online, 1, __ATOMIC_SEQ_CST))
        domain_shutdown(v->domain, SHUTDOWN_poweroff);
}

/* INIT takes a vCPU down until a SIPI comes; the last one down by INIT is no power-off,
 * because somebody else has just run. */
void vcpu_init_signal(struct vcpu *v)
{
    u32 before = __atomic_fetch_or(&v->sched.hold, SCHED_HOLD_DOWN, __ATOMIC_SEQ_CST);

    vcpu_hold(v, SCHED_HOLD_DOWN);
    if (!(before & SCHED_HOLD_DOWN))
        __atomic_sub_fetch(&v->domain->online, 1, __ATOMIC_SEQ_CST);
    v->lapic->wait_for_sipi = true;
    v->startup = VCPU_STARTUP_WAIT;
}

void vcpu_startup_signal(struct vcpu *v, u8 vector)
{
    if (!v->lapic->wait_for_sipi || !(v->sched.hold & SCHED_HOLD_DOWN))
        return;
    v->lapic->wait_for_sipi = false;
    v->startup = (u16)(VCPU_STARTUP_REAL | vector);
    vcpu_attend(v, VCPU_ATTN_RESET);
    vcpu_up(v);
}

void vcpu_nmi_signal(struct vcpu *v)
{
    vcpu_attend(v, VCPU_ATTN_NMI);
}

void vcpu_apply_reset(struct vcpu *v)
{
    __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_RESET, __ATOMIC_SEQ_CST);
    virt_reset(v);
    if (v->startup & VCPU_STARTUP_REAL)
        virt_start_real(v, (u8)v->startup);
    v->startup = 0;
}
