/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choose a vCPU, run it until it must go, do what is due, wait when there is nothing.
 * Interrupts are off but in cpu_idle and cpu_take_interrupts.
 */
#include "hyp/cpu/run.h"
#include "base/format.h"
#include "hyp/boot/layout.h"
#include "hyp/cpu/apic.h"
#include "hyp/cpu/clock.h"
#include "hyp/cpu/cpu.h"
#include "hyp/cpu/panic.h"
#include "hyp/cpu/watch.h"
#include "hyp/dev/lapic.h"
#include "hyp/dev/mailbox.h"
#include "hyp/dev/trace.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/exit.h"

enum { VECTOR_NMI = 2 };
/* #DF, #TS to #PF, #AC, #CP: those that push an error code. */
#define EXCEPTIONS_WITH_ERROR 0x00227d00u

struct vcpu *current(void)
{
    return this_cpu()->vcpu;
}

void vcpu_set_current(struct vcpu *v)
{
    this_cpu()->vcpu = v;
}

/* This CPU is about to go on with its guest, perhaps by the short way (svm/enter.S), which
 * looks at nothing but the vCPU's attention. */
void cpu_kick(u32 id)
{
    struct cpu *c = cpu_of(id);

    if (c != this_cpu()) {
        apic_send(c->apic_id, VECTOR_KICK);
        return;
    }
    c->kicked = true;
    if (c->vcpu)
        __atomic_or_fetch(&c->vcpu->attention, VCPU_ATTN_LOOK, __ATOMIC_SEQ_CST);
}

/* Only its own CPU sets a timer, which may stand too early, never too late: see timer_program.
 * A deadline that has passed is for the next round, which a CPU between two vCPUs comes to
 * anyhow. Who says that a deadline moved may hold the locks under which they are read. */
void cpu_deadline_moved(u32 id, u64 ns)
{
    struct cpu *c = this_cpu();

    if (id != c->id) {
        cpu_kick(id);
    } else if (ns < c->deadline_ns) {
        if (clock_mode() != OSM_CLOCK_EVENT && ns > clock_now_ns()) {
            timer_program(watch_deadline(ns));
            return;
        }
        c->timer_stale = true;
        if (c->vcpu)
            cpu_kick(id);
    }
}

void cpu_take_interrupts(void)
{
    __asm__ volatile("sti; nop; cli" ::: "memory");
}

void cpu_idle(void)
{
    if (!this_cpu()->kicked && !this_cpu()->timer_fired)
        __asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* Sets the timer for what is next. Where nobody said that a deadline moved it stands right,
 * or too early; only in discrete-event time it counts something else. */
static void set_timer(struct cpu *c, bool event)
{
    if (!c->timer_stale && !event)
        return;
    c->timer_stale = false;
    timer_program(watch_deadline(vcpu_deadline(c->id)));
}

/* Does what the clock demands; the timer is to be set afterwards. */
static void run_due(struct cpu *c, u64 now)
{
    BUG_ON(c->canary != CPU_CANARY);
    c->heartbeat++;
    if (c->kicked && c->vcpu)
        __atomic_and_fetch(&c->vcpu->attention, ~(u32)VCPU_ATTN_LOOK, __ATOMIC_SEQ_CST);
    c->timer_stale |= c->kicked; /* perhaps by another CPU that has moved a deadline here */
    c->kicked = false;
    if (c->timer_fired || now >= c->deadline_ns) {
        c->timer_fired = false;
        c->timer_stale = true;
        c->deadline_ns = ~0ull;
        vcpu_tick(c->id, now);
        watch_tick(now);
    }
}

/* Nothing to run. In discrete-event time the next deadline is now; and where all input was
 * given at the start, a machine that waits for nothing has ended. */
static void idle(struct cpu *c)
{
    u64 deadline = vcpu_deadline(c->id), now = clock_now_ns();

    mailbox_time(now);
    if (clock_mode() != OSM_CLOCK_REAL && deadline == ~0ull)
        mailbox_finish(2, "every domain waits, and no timer is set");
    if (clock_mode() == OSM_CLOCK_EVENT)
        clock_advance(deadline);
    else
        cpu_idle();
    if (c->timer_fired)
        clock_settle(now);
}

/* Without its control domain the machine has nobody to go on for. */
static void end_with(const struct domain *d)
{
    static const char *const reasons[] = {
        [SHUTDOWN_poweroff] = "the control domain powered off",
        [SHUTDOWN_reboot] = "the control domain asked for a reboot",
        [SHUTDOWN_crash] = "the control domain crashed",
    };
    const char *why = d->shutdown_reason < ARRAY_SIZE(reasons) ? reasons[d->shutdown_reason]
                                                               : NULL;

    mailbox_finish(d->shutdown_reason == SHUTDOWN_poweroff ? 0 : 1,
                   why ? why : "the control domain stopped");
}

/* An NMI is none of the exceptions to the processor: it is masked until the IRET of the last. */
static void strike_with(struct vcpu *v, u8 vector, u32 error)
{
    if (vector == VECTOR_NMI)
        vcpu_nmi_signal(v);
    else
        virt_inject_exception(v, vector, EXCEPTIONS_WITH_ERROR >> vector & 1, error);
}

/* Faults that an experiment has armed for this vCPU's execution; an occurrence is an entry
 * into the guest. */
static void strike(struct vcpu *v)
{
    u32 mine = 1u << OSM_POINT_preempt | 1u << OSM_POINT_exception;
    u64 arg = inject_arg(OSM_POINT_exception);

    if (virt_can_inject(v) && inject_fires(OSM_POINT_exception, v->domain))
        strike_with(v, (u8)(arg & 31), (u32)(arg >> 32));
    if (inject_fires(OSM_POINT_preempt, v->domain))
        vcpu_yield(v);
    if (!(inject_armed & mine))
        __atomic_and_fetch(&v->attention, ~(u32)VCPU_ATTN_INJECT, __ATOMIC_SEQ_CST);
}

/* In discrete-event time a vCPU that computes without ever leaving would hold up the run for
 * good; host time, which no guest sees, says when it is enough. */
static void limit_computing(struct cpu *c, struct vcpu *v, enum virt_exit exit)
{
    char why[96];

    if (exit != VIRT_EXIT_INTERRUPT) {
        c->host_since_ns = 0;
        return;
    }
    if (!c->host_since_ns) {
        c->host_since_ns = clock_host_ns();
    } else if (clock_host_ns() - c->host_since_ns > clock_compute_limit_ns()) {
        format(why, sizeof(why), "domain %u vCPU %u computes for ever: over %lu s of host time",
               v->domain->id, v->id, clock_compute_limit_ns() / 1000000000);
        mailbox_finish(3, why);
    }
}

/* What somebody wants of this vCPU before it is entered. */
static void prepare(struct vcpu *v)
{
    if (__atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & VCPU_ATTN_RESET)
        vcpu_apply_reset(v);
    if (__atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & VCPU_ATTN_INJECT)
        strike(v);
}

static bool vcpu_leaves(const struct vcpu *v)
{
    return __atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & VCPU_ATTN_LEAVE;
}

static void run_vcpu(struct cpu *c, struct vcpu *v, bool event)
{
    enum virt_exit exit = VIRT_EXIT_HANDLED;
    struct virt_exit_info x;

    while (!vcpu_leaves(v)) {
        if (__atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) &
            (VCPU_ATTN_RESET | VCPU_ATTN_INJECT))
            prepare(v);
        if (event && exit != VIRT_EXIT_INTERRUPT)
            vcpu_update_time(v);
        exit = virt_run(v, &x);
        if (event)
            limit_computing(c, v, exit);
        if (exit == VIRT_EXIT_SERVED)
            trace(OSM_T_exit, v->domain->id, v->id, x.code, v->regs.rip);
        else if (exit == VIRT_EXIT_INTERRUPT)
            cpu_take_interrupts();
        else
            exit_handle(v, exit, &x);
        if (v->domain->state >= DOMAIN_SHUTDOWN && may(v->domain, MAY_END_RUN))
            end_with(v->domain);
        if (vcpu_leaves(v))
            return; /* run_forever does what is due */
        if (c->kicked || c->timer_fired || event) {
            run_due(c, clock_now_ns());
            set_timer(c, event);
        }
    }
}

void run_forever(void)
{
    bool event = clock_mode() == OSM_CLOCK_EVENT, several = cpu_count() > 1;
    struct cpu *c = this_cpu();

    for (;;) {
        u64 now = clock_now_ns();
        struct vcpu *v;

        if (several)
            virt_leave_cpu(); /* another CPU may take what runs here as soon as it is queued */
        run_due(c, now);      /* may wake somebody: before the choice */
        v = vcpu_schedule(now);
        set_timer(c, event);
        if (v)
            run_vcpu(c, v, event);
        else
            idle(c);
    }
}
