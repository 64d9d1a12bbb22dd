/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens when a guest's timer fires.
 */
#include "hyp/dev/lapic.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/timers.h"
#include "hyp/dom/vcpu.h"

#define PERIOD_LEAST_NS 1000000ull
#define PERIOD_MOST_NS  (~0ull >> 1)
#define WRAPPED_NS      (1ull << 50) /* a deadline this far off is a guest's overflow */

static void single_fires(struct timer *t, u64 now_ns)
{
    (void)now_ns;
    evtchn_vcpu_virq(container_of(t, struct vcpu, single), VIRQ_TIMER);
}

static void periodic_fires(struct timer *t, u64 now_ns)
{
    struct vcpu *v = container_of(t, struct vcpu, periodic);
    u64 period = __atomic_load_n(&v->periodic_ns, __ATOMIC_RELAXED);
    u64 next = t->node.key + period;

    if (!period)
        return;
    /* No drift: the next deadline follows from the last. Missed ones are not made up. */
    if (next <= now_ns)
        next += (now_ns - next) / period * period + period;
    timer_set(t, v->cpu, next);
    evtchn_vcpu_virq(v, VIRQ_TIMER);
}

static void poll_fires(struct timer *t, u64 now_ns)
{
    (void)now_ns;
    evtchn_poll_timeout(container_of(t, struct vcpu, poll_timer));
}

/* An upcall that an injected fault had delayed, or made up: then the guest finds it pending as
 * any other, and nothing behind it. */
static void late_fires(struct timer *t, u64 now_ns)
{
    struct vcpu *v = container_of(t, struct vcpu, late_timer);
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);

    (void)now_ns;
    if (v->upcall_made_up && info)
        __atomic_store_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
    v->upcall_made_up = false;
    interrupt_upcall(v);
}

static void apic_fires(struct timer *t, u64 now_ns)
{
    lapic_timer_fires(container_of(t, struct vcpu, apic_timer), now_ns);
}

void vcpu_init_timers(struct vcpu *v)
{
    v->single.fire = single_fires;
    v->periodic.fire = periodic_fires;
    v->poll_timer.fire = poll_fires;
    v->apic_timer.fire = apic_fires;
    v->late_timer.fire = late_fires;
}

void vcpu_stop_timers(struct vcpu *v)
{
    __atomic_store_n(&v->periodic_ns, 0, __ATOMIC_RELAXED);
    timer_stop(&v->single);
    timer_stop(&v->periodic);
    timer_stop(&v->poll_timer);
    timer_stop(&v->apic_timer);
    timer_stop(&v->late_timer);
}

void vcpu_set_single(struct vcpu *v, u64 deadline_ns)
{
    if (deadline_ns)
        timer_set(&v->single, v->cpu, guest_deadline(&v->domain->clock, deadline_ns));
    else
        timer_stop(&v->single);
}

int vcpu_set_periodic(struct vcpu *v, u64 period_ns)
{
    const struct guest_clock *c = &v->domain->clock;
    u64 first_ns = guest_deadline(c, guest_time(c, clock_now_ns()) + period_ns);

    if (period_ns && (period_ns < PERIOD_LEAST_NS || period_ns > PERIOD_MOST_NS))
        return -XEN_EINVAL;
    timer_stop(&v->periodic);
    period_ns = guest_lasts(c, period_ns);
    __atomic_store_n(&v->periodic_ns, period_ns, __ATOMIC_RELAXED);
    if (period_ns)
        timer_set(&v->periodic, v->cpu, first_ns);
    return 0;
}

void vcpu_set_timer_op(struct vcpu *v, u64 deadline_ns)
{
    u64 now = guest_time(&v->domain->clock, clock_now_ns());

    if (deadline_ns >> 63 || (deadline_ns > now && deadline_ns - now > WRAPPED_NS))
        deadline_ns = now + 100000000;
    vcpu_set_single(v, deadline_ns);
}

/* --- watchdogs ------------------------------------------------------------------------ */

static void watchdog_fires(struct timer *t, u64 now_ns)
{
    struct domain *d = container_of(t, struct watchdog, timer)->domain;

    (void)now_ns;
    log_line("domain %u: its watchdog was not fed", d->id);
    domain_shutdown(d, SHUTDOWN_watchdog);
}

static s64 new_watchdog(struct domain *d)
{
    for (u32 i = 0; i < DOMAIN_WATCHDOGS; i++) {
        struct watchdog *w = &d->watchdog[i];

        if (!w->in_use) {
            w->in_use = true;
            w->domain = d;
            w->timer.fire = watchdog_fires;
            return i + 1;
        }
    }
    return -XEN_ENOMEM;
}

s64 domain_watchdog(struct domain *d, u32 id, u32 timeout_s)
{
    s64 result = 0;

    if (id > DOMAIN_WATCHDOGS || (!id && !timeout_s))
        return -XEN_EINVAL;
    spin_lock(&d->lock);
    if (!id) {
        result = new_watchdog(d);
        id = result > 0 ? (u32)result : 0;
    } else if (!d->watchdog[id - 1].in_use) {
        result = -XEN_EINVAL;
        id = 0;
    }
    if (id && !timeout_s) {
        timer_stop(&d->watchdog[id - 1].timer);
        d->watchdog[id - 1].in_use = false;
    } else if (id) {
        timer_set(&d->watchdog[id - 1].timer, cpu_id(),
                  clock_now_ns() + timeout_s * 1000000000ull);
    }
    spin_unlock(&d->lock);
    return result;
}
