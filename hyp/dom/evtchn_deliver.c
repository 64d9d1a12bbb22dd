/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an event becomes pending: the 2-level bit maps of shared_info, in the layout of the
 * domain's width; pollers; the upcall. FIFO's own part is fifo.c.
 */
#include "hyp/dom/evtchn.h"
#include "hyp/dom/inject.h"
#include "hyp/dom/interrupt.h"
#include "hyp/dom/platform.h"
#include "hyp/dom/vcpu.h"

/* The maps are arrays of longs, little-endian: as arrays of u32 they are the same for both
 * widths, and only their places and what a selector bit covers differ. */
static u32 *pending_map(const struct domain *d)
{
    _Static_assert(offsetof(struct shared_info, evtchn_pending) ==
                       offsetof(struct shared_info_x86_32, evtchn_pending),
                   "both widths begin their maps at one place");
    return (u32 *)((u8 *)d->shared + offsetof(struct shared_info, evtchn_pending));
}

static u32 *mask_map(const struct domain *d)
{
    size_t at = d->compat ? offsetof(struct shared_info_x86_32, evtchn_mask)
                          : offsetof(struct shared_info, evtchn_mask);

    return (u32 *)((u8 *)d->shared + at);
}

static bool test_bit(const u32 *map, u32 bit)
{
    return __atomic_load_n(&map[bit / 32], __ATOMIC_SEQ_CST) >> bit % 32 & 1;
}

static bool test_and_set(u32 *map, u32 bit)
{
    u32 mask = 1u << bit % 32;

    return __atomic_fetch_or(&map[bit / 32], mask, __ATOMIC_SEQ_CST) & mask;
}

static bool test_and_clear(u32 *map, u32 bit)
{
    u32 mask = 1u << bit % 32;

    return __atomic_fetch_and(&map[bit / 32], ~mask, __ATOMIC_SEQ_CST) & mask;
}

static u32 *selector(struct vcpu_info *info, bool compat)
{
    return compat ? &((struct vcpu_info_x86_32 *)info)->evtchn_pending_sel
                  : (u32 *)&info->evtchn_pending_sel;
}

static struct vcpu *vcpu_of(const struct domain *d, const struct evtchn *c)
{
    return d->vcpu[__atomic_load_n(&c->vcpu, __ATOMIC_ACQUIRE)];
}

/* Port `port` is pending and not masked: tell its vCPU. */
static void select_port(struct domain *d, u32 port, struct vcpu *v)
{
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);

    if (info && !test_and_set(selector(info, d->compat), port / (d->compat ? 32 : 64)))
        evtchn_mark(v);
}

/* --- pollers ---------------------------------------------------------------------------- */

static void end_poll(struct vcpu *v)
{
    if (__atomic_exchange_n(&v->polling, false, __ATOMIC_SEQ_CST)) {
        __atomic_sub_fetch(&v->domain->polling, 1, __ATOMIC_SEQ_CST);
        vcpu_wake(v);
    }
}

void evtchn_poll_timeout(struct vcpu *v)
{
    end_poll(v);
}

static void wake_pollers(struct domain *d, u32 port)
{
    for (u32 i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v->polling && (!v->poll_port || v->poll_port == port))
            end_poll(v);
    }
}

/* --- events ----------------------------------------------------------------------------- */

void evtchn_set_pending(struct domain *d, u32 port, struct evtchn *c)
{
    if (!d->vcpu_count)
        return;
    if (d->evtchn->fifo) {
        fifo_set_pending(d, port, c);
    } else {
        if (test_and_set(pending_map(d), port))
            return;
        if (!test_bit(mask_map(d), port))
            select_port(d, port, vcpu_of(d, c));
    }
    if (__atomic_load_n(&d->polling, __ATOMIC_SEQ_CST))
        wake_pollers(d, port);
}

bool evtchn_is_pending(const struct domain *d, u32 port)
{
    return d->evtchn->fifo ? fifo_is_pending(d, port) : test_bit(pending_map(d), port);
}

bool evtchn_is_masked(const struct domain *d, u32 port)
{
    return d->evtchn->fifo ? fifo_is_masked(d, port) : test_bit(mask_map(d), port);
}

void evtchn_clear_pending(struct domain *d, u32 port, struct evtchn *c)
{
    (void)c;
    if (d->evtchn->fifo)
        fifo_clear_pending(d, port);
    else if (port < evtchn_ports_allowed(d))
        test_and_clear(pending_map(d), port);
}

void evtchn_unmask_port(struct domain *d, u32 port, struct evtchn *c)
{
    if (d->evtchn->fifo)
        fifo_unmask(d, port, c);
    else if (port < evtchn_ports_allowed(d) && test_and_clear(mask_map(d), port) &&
             test_bit(pending_map(d), port))
        select_port(d, port, vcpu_of(d, c));
}

/* --- upcalls ---------------------------------------------------------------------------- */

void evtchn_mark(struct vcpu *v)
{
    struct vcpu_info *info = __atomic_load_n(&v->info, __ATOMIC_ACQUIRE);

    if (!info || __atomic_exchange_n(&info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
        return;
    if (inject_fires(OSM_POINT_late_upcall, v->domain)) {
        timer_set(&v->late_timer, v->cpu, clock_now_ns() + inject_arg(OSM_POINT_late_upcall));
        return;
    }
    if (inject_fires(OSM_POINT_spurious_upcall, v->domain)) {
        v->upcall_made_up = true;
        timer_set(&v->late_timer, v->cpu,
                  clock_now_ns() + inject_arg(OSM_POINT_spurious_upcall));
    }
    interrupt_upcall(v);
}

void evtchn_look_everywhere(struct vcpu *v)
{
    struct vcpu_info *info = v->info;

    if (!info)
        return;
    if (v->domain->compat)
        *selector(info, true) = ~0u;
    else
        __atomic_store_n(&info->evtchn_pending_sel, ~0ul, __ATOMIC_SEQ_CST);
    evtchn_mark(v);
}
