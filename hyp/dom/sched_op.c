/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sched_op (xen/sched.h).
 */
#include "hyp/dev/trace.h"
#include "hyp/dom/evtchn.h"
#include "hyp/dom/hypercall.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/privilege.h"
#include "hyp/dom/timers.h"
#include "hyp/dom/vcpu.h"
#include "hyp/virt/virt.h"

enum { POLL_PORTS = 128 };

static s64 yield(struct call *c, void *arg)
{
    (void)arg;
    vcpu_yield(c->v);
    return 0;
}

static s64 block(struct call *c, void *arg)
{
    const struct vcpu_info *info = c->v->info;

    (void)arg;
    /* Whatever the guest's interrupt flag: there is something to look at. */
    if (!info || !__atomic_load_n(&info->evtchn_upcall_pending, __ATOMIC_SEQ_CST))
        vcpu_block(c->v);
    return 0;
}

static s64 shutdown(struct call *c, void *arg)
{
    const struct sched_shutdown *s = arg;

    if (s->reason > SHUTDOWN_MAX)
        return fail(-XEN_EINVAL);
    domain_shutdown(c->v->domain, (u8)s->reason);
    return 0;
}

/* The first announcement is the one that counts. */
static s64 shutdown_code(struct call *c, void *arg)
{
    const struct sched_shutdown *s = arg;
    struct domain *d = c->v->domain;

    if (s->reason > SHUTDOWN_MAX)
        return fail(-XEN_EINVAL);
    spin_lock(&d->lock);
    if (!d->shutdown_code)
        d->shutdown_code = (u8)(s->reason + 1);
    spin_unlock(&d->lock);
    return 0;
}

static s64 remote_shutdown(struct call *c, void *arg)
{
    const struct sched_remote_shutdown *s = arg;
    struct domain *d = domain_find(s->domain_id); /* DOMID_SELF is not remote */
    s64 error = 0;

    if (!d)
        return fail(-XEN_ESRCH);
    if (!may(c->v->domain, MAY_SHUT_OTHERS))
        error = fail(-XEN_EPERM);
    else if (s->reason > SHUTDOWN_MAX)
        error = fail(-XEN_EINVAL);
    else
        domain_shutdown(d, (u8)s->reason);
    domain_put(d);
    return error;
}

static s64 watchdog(struct call *c, void *arg)
{
    const struct sched_watchdog *w = arg;

    return domain_watchdog(c->v->domain, w->id, w->timeout);
}

static s64 pin_override(struct call *c, void *arg)
{
    const struct sched_pin_override *p = arg;
    struct vcpu *v = c->v;

    if (p->pcpu >= 0) {
        if ((u32)p->pcpu >= cpu_count())
            return fail(-XEN_EINVAL);
        if (v->pinned_affinity)
            return fail(-XEN_EBUSY);
        v->pinned_affinity = v->sched.affinity;
        vcpu_set_affinity(v, 1ull << p->pcpu);
    } else {
        if (!v->pinned_affinity)
            return fail(-XEN_ENOENT);
        vcpu_set_affinity(v, v->pinned_affinity);
        v->pinned_affinity = 0;
    }
    return 0;
}

/* --- poll --------------------------------------------------------------------------------- */

struct poll {
    u64 ports, timeout;
    u32 count;
};

/* A 32-bit caller's struct sched_poll: pointer, count, and u64 aligned to four. */
static void read_poll(struct call *c, const void *arg, struct poll *p)
{
    const struct sched_poll *wide = arg;
    const u32 *narrow = arg;

    if (c->compat)
        *p = (struct poll){narrow[0], narrow[2] | (u64)narrow[3] << 32, narrow[1]};
    else
        *p = (struct poll){(u64)wide->ports.p, wide->timeout, wide->nr_ports};
}

/* 1 when that port is pending, 0 when not, or an error. */
static inline s64 is_pending(const struct domain *d, evtchn_port_t port)
{
    if (port >= evtchn_ports_allowed(d))
        return fail(-XEN_EINVAL);
    return evtchn_is_pending(d, port);
}

static void stop_polling(struct vcpu *v)
{
    if (__atomic_exchange_n(&v->polling, false, __ATOMIC_SEQ_CST))
        __atomic_sub_fetch(&v->domain->polling, 1, __ATOMIC_SEQ_CST);
}

/* As on Xen, an interrupt that v does not take is no reason to go on: who polls with interrupts
 * off, for a time, would poll for ever in discrete-event time, which moves when all wait. */
static bool goes_on(struct vcpu *v)
{
    u32 urgent = VCPU_ATTN_NMI | VCPU_ATTN_RESET;

    return vcpu_should_wake(v) && (virt_interrupts_enabled(v) ||
                                   __atomic_load_n(&v->attention, __ATOMIC_SEQ_CST) & urgent);
}

s64 vcpu_poll(struct vcpu *v, const evtchn_port_t *port, u32 count, u64 timeout_ns)
{
    s64 result = 0;

    if (timer_is_set(&v->poll_timer))
        timer_stop(&v->poll_timer);
    if (timeout_ns)
        timeout_ns = guest_deadline(&v->domain->clock, timeout_ns);
    /* Announced first, looked at after: whoever sets a bit after the look sees the poller. */
    v->poll_port = count == 1 ? *port : 0;
    __atomic_add_fetch(&v->domain->polling, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&v->polling, true, __ATOMIC_SEQ_CST);
    vcpu_hold_blocked(v);
    for (u32 i = 0; i < count && !result; i++)
        result = is_pending(v->domain, port[i]);
    if (result || (timeout_ns && timeout_ns <= clock_now_ns()) || goes_on(v)) {
        stop_polling(v);
        vcpu_unhold_blocked(v);
        return result < 0 ? result : 0;
    }
    if (timeout_ns)
        timer_set(&v->poll_timer, v->cpu, timeout_ns);
    trace(OSM_T_block, v->domain->id, v->id, 0, 0);
    vcpu_leave(v);
    return 0;
}

static s64 poll(struct call *c, void *arg)
{
    evtchn_port_t port[POLL_PORTS];
    struct poll p;

    read_poll(c, arg, &p);
    if (p.count > POLL_PORTS)
        return fail(-XEN_EINVAL);
    for (u32 i = 0; i < p.count; i++) {
        s64 result;

        if (call_read(c, &port[i], p.ports + i * sizeof(port[i]), sizeof(port[i])))
            return fail(-XEN_EFAULT);
        result = is_pending(c->v->domain, port[i]);
        if (result)
            return result < 0 ? result : 0;
    }
    return vcpu_poll(c->v, port, p.count, p.timeout);
}

static const struct subop ops[] = {
    [SCHEDOP_yield] = {"yield", yield, 0, 0, 0},
    [SCHEDOP_block] = {"block", block, 0, 0, 0},
    [SCHEDOP_shutdown] = {"shutdown", shutdown, sizeof(struct sched_shutdown), 0, 0},
    [SCHEDOP_poll] = {"poll", poll, sizeof(struct sched_poll), 16, 0},
    [SCHEDOP_remote_shutdown] = {"remote_shutdown", remote_shutdown,
                                 sizeof(struct sched_remote_shutdown), 0, 0},
    [SCHEDOP_shutdown_code] = {"shutdown_code", shutdown_code, sizeof(struct sched_shutdown), 0,
                               0},
    [SCHEDOP_watchdog] = {"watchdog", watchdog, sizeof(struct sched_watchdog), 0, 0},
    [SCHEDOP_pin_override] = {"pin_override", pin_override, sizeof(struct sched_pin_override),
                              0, SUBOP_PRIVILEGED},
};

s64 call_sched_op(struct call *c)
{
    return call_subop(c, ops, ARRAY_SIZE(ops));
}
